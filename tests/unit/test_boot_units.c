// Which of the units that boot a machine are left out, and which units replace them.
#include "conf/boot_units.h"
#include "conf/unit_path.h"
#include "unit/harness.h"

static void test_rows(void **state UNUSED)
{
        static const struct {
                const char *name;
                bool first, beside; // left out?
        } rows[] = {
                {"sysinit.target", false, true},
                {"basic.target", false, false},
                {"sockets.target", false, false},
                {"ssh.socket", false, false},
                {"systemd-tmpfiles-setup.service", false, true},
                {"systemd-tmpfiles-setup-dev.service", true, true},
                {"systemd-repart.service", true, true},
                {"systemd-remount-fs.service", true, true},
                {"systemd-logind.service", true, true},
                {"systemd-journald-dev-log.socket", true, true},
                {"systemd-journal-remote.socket", false, false},
                {"systemd-hostnamed.service", false, false},
                {"modprobe@loop.service", true, true},
                {"modprobe.service", false, false},
                {"getty@tty1.service", true, true},
                {"getty.target", false, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *name = rows[i].name;

                assert_null(boot_unit_find_reason(name, BOOT_NOT_OURS));
                assert_int_equal(boot_unit_find_reason(name, BOOT_FIRST) != NULL, rows[i].first);
                assert_int_equal(boot_unit_find_reason(name, BOOT_BESIDE) != NULL, rows[i].beside);
        }
}

static void test_folders(void **state UNUSED)
{
        assert_true(unit_path_is_systemd("/usr/lib/systemd/system", false));
        assert_true(unit_path_is_systemd("/lib/systemd/system", true));
        assert_true(unit_path_is_systemd("/etc/systemd/system", false));
        assert_false(unit_path_is_systemd("/etc/systemd/system", true));
        assert_false(unit_path_is_systemd("/etc/usher", false));
        assert_false(unit_path_is_systemd("/usr/lib/systemd/user", false));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_folders),
};
HARNESS_MAIN(tests)
