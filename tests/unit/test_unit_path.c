#include "conf/unit_path.h"

#include "base/str.h"
#include "base/strv.h"
#include "unit/conf_fixture.h"

static void assert_path(bool is_user, bool systemd_units, const char *expected)
{
        struct unit_path_options options = {is_user, systemd_units, false};
        CLEANUP(strv) char **path = NULL;
        CLEANUP(free) char *joined = NULL;

        assert_int_equal(unit_path_default(&options, &path), 0);
        joined = strv_join(path, ":");
        assert_string_equal(joined, expected);
}

// The system's, as configure has set the first and the third; one that is there twice counts once.
static const char *usher_path(void)
{
        static char path[1024];
        bool is_usual = streq(USHER_UNITDIR, "/usr/local/lib/usher");
        bool is_last = streq(USHER_UNITDIR, "/usr/lib/usher");

        snprintf(path, sizeof(path), "%s/usher:/run/usher/units:%s%s%s", USHER_SYSCONFDIR,
                 USHER_UNITDIR, is_usual ? "" : ":/usr/local/lib/usher",
                 is_last ? "" : ":/usr/lib/usher");
        return path;
}

#define SYSTEMD                                                                     \
        ":/etc/systemd/system.control:/run/systemd/system.control:"                 \
        "/run/systemd/transient:/run/systemd/generator.early:/etc/systemd/system:"  \
        "/run/systemd/system:/run/systemd/generator:/usr/local/lib/systemd/system:" \
        "/usr/lib/systemd/system:/lib/systemd/system:/run/systemd/generator.late"

static void test_default(void **state)
{
        CLEANUP(free) char *with_systemd = NULL;

        unsetenv("SYSTEMD_UNIT_PATH");
        assert_path(false, false, usher_path());
        with_systemd = str_printf("%s" SYSTEMD, usher_path());
        assert_path(false, true, with_systemd);
        setenv("HOME", "/h", 1);
        setenv("XDG_RUNTIME_DIR", "/r", 1);
        setenv("XDG_CONFIG_HOME", "/c", 1);
        unsetenv("XDG_DATA_HOME");
        assert_path(true, false,
                    "/c/usher:/r/usher/units:/h/.local/share/usher:/usr/lib/usher/user");
        unsetenv("XDG_RUNTIME_DIR");
        assert_path(true, false, "/c/usher:/h/.local/share/usher:/usr/lib/usher/user");
}

// Folders for masks rank above; that of the supervisor itself is added once.
static void test_control(void **state)
{
        struct unit_path_options options = {.has_control = true};
        CLEANUP(strv) char **path = NULL;
        CLEANUP(free) char *joined = NULL;

        unsetenv("SYSTEMD_UNIT_PATH");
        assert_int_equal(unit_path_default(&options, &path), 0);
        assert_int_equal(unit_path_add_control(&path, "/run/usher"), 0);
        assert_int_equal(unit_path_add_control(&path, "/rt"), 0);
        joined = strv_join(path, ":");
        CLEANUP(free)
        char *expected = str_printf("/rt/units.control:" USHER_SYSCONFDIR
                                    "/usher/units.control:/run/usher/units.control:%s",
                                    usher_path());

        assert_string_equal(joined, expected);
        assert_true(unit_path_is_control(path[0]));
        assert_false(unit_path_is_control("/etc/usher"));
}

static void test_no_home(void **state)
{
        struct unit_path_options options = {.is_user = true};
        char **none = NULL;
        char *no_file = NULL;

        unsetenv("HOME");
        unsetenv("XDG_CONFIG_HOME");
        assert_int_equal(unit_path_default(&options, &none), -ENXIO);
        assert_int_equal(unit_path_config_file(true, &no_file), -ENXIO);
}

static void test_environment(void **state)
{
        setenv("SYSTEMD_UNIT_PATH", "/a:/b//c/", 1);
        assert_path(false, true, "/a:/b/c");
        setenv("SYSTEMD_UNIT_PATH", "/a:", 1);
        CLEANUP(free) char *longer = str_printf("/a:%s", usher_path());

        assert_path(false, false, longer);
        setenv("SYSTEMD_UNIT_PATH", "", 1);
        assert_path(false, false, usher_path());
        unsetenv("SYSTEMD_UNIT_PATH");
}

static void test_relative(void **state)
{
        CLEANUP(strv) char **path = NULL;
        CLEANUP(free) char *cwd = realpath(".", NULL), *expected = NULL;

        assert_int_equal(unit_path_add(&path, "x/./y"), 0);
        assert_int_equal(unit_path_add(&path, "/z/"), 0);
        expected = str_printf("%s/x/y", cwd);
        assert_string_equal(path[0], expected);
        assert_string_equal(path[1], "/z");
}

static void test_config_file(void **state)
{
        CLEANUP(free) char *system = NULL, *user = NULL;

        setenv("XDG_CONFIG_HOME", "/c", 1);
        assert_int_equal(unit_path_config_file(false, &system), 0);
        assert_int_equal(unit_path_config_file(true, &user), 0);
        assert_string_equal(system, USHER_SYSCONFDIR "/usher/usher.conf");
        assert_string_equal(user, "/c/usher/usher.conf");
}

static int make_path(void *arg)
{
        struct unit_path_options options = {true, true, false};
        CLEANUP(strv) char **path = NULL;
        CLEANUP(free) char *file = NULL;
        int r = unit_path_default(&options, &path);

        return r < 0 ? r : unit_path_config_file(true, &file);
}

static void test_oom(void **state)
{
        setenv("HOME", "/h", 1);
        setenv("SYSTEMD_UNIT_PATH", "a:", 1);
        oom_prove(make_path, NULL);
        unsetenv("SYSTEMD_UNIT_PATH");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default),  cmocka_unit_test(test_control),
        cmocka_unit_test(test_no_home),  cmocka_unit_test(test_environment),
        cmocka_unit_test(test_relative), cmocka_unit_test(test_config_file),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
