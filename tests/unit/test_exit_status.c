#include "spawn/exit_status.h"

#include "base/str.h"
#include "unit/harness.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

// systemd.exec(5), "Process Exit Codes".
static const struct {
        int status;
        const char *name;
} rows[] = {
        {0, "SUCCESS"},
        {1, "FAILURE"},
        {2, "INVALIDARGUMENT"},
        {3, "NOTIMPLEMENTED"},
        {4, "NOPERMISSION"},
        {5, "NOTINSTALLED"},
        {6, "NOTCONFIGURED"},
        {7, "NOTRUNNING"},
        {64, "USAGE"},
        {75, "TEMPFAIL"},
        {78, "CONFIG"},
        {200, "CHDIR"},
        {202, "FDS"},
        {203, "EXEC"},
        {205, "LIMITS"},
        {208, "STDIN"},
        {209, "STDOUT"},
        {210, "CHROOT"},
        {216, "GROUP"},
        {217, "USER"},
        {218, "CAPABILITIES"},
        {219, "CGROUP"},
        {222, "STDERR"},
        {225, "NETWORK"},
        {226, "NAMESPACE"},
        {228, "SECCOMP"},
        {233, "RUNTIME_DIRECTORY"},
        {238, "STATE_DIRECTORY"},
};

static void test_names(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *name = spawn_exit_status_name(rows[i].status);

                if (!name || !streq(name, rows[i].name))
                        fail_msg("%d is %s, not %s", rows[i].status, name ? name : "nameless",
                                 rows[i].name);
        }
        assert_null(spawn_exit_status_name(42));
        assert_null(spawn_exit_status_name(-1));
        assert_null(spawn_exit_status_name(300));
}

static void test_ends(void **state)
{
        char buf[32];

        assert_string_equal(exit_code_name(CLD_EXITED), "exited");
        assert_string_equal(exit_code_name(CLD_KILLED), "killed");
        assert_string_equal(exit_code_name(CLD_DUMPED), "dumped");
        assert_string_equal(exit_status_text(CLD_EXITED, 1, buf, sizeof(buf)), "FAILURE");
        assert_string_equal(exit_status_text(CLD_EXITED, 203, buf, sizeof(buf)), "EXEC");
        assert_string_equal(exit_status_text(CLD_EXITED, 42, buf, sizeof(buf)), "n/a");
        assert_string_equal(exit_status_text(CLD_KILLED, SIGKILL, buf, sizeof(buf)), "KILL");
}

// Every name once.
static void test_unique(void **state)
{
        for (int a = 0; a < 256; a++)
                for (int b = a + 1; b < 256; b++) {
                        const char *x = spawn_exit_status_name(a), *y = spawn_exit_status_name(b);

                        if (x && y && streq(x, y))
                                fail_msg("%d and %d are both %s", a, b, x);
                }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_unique),
};
HARNESS_MAIN(tests)
