#include "base/proc_parse.h"

#include "base/str.h"
#include "unit/harness.h"

#define REST " 34816 7 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8912 1 2 3\n"

#define ZEROS " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "

static void test_stat(void **state)
{
        static const struct {
                const char *text;
                struct proc_stat stat;
        } rows[] = {
                {"7 (sh) S 1 7 6" REST, {'S', 1, 7, 6, 8912}},
                {"7 (a) R 1 (b) Z 1 7 6" REST, {'Z', 1, 7, 6, 8912}},
                {"7 (a\nb)) T 0 -1 0" REST, {'T', 0, -1, 0, 8912}},
                {"7 (sh) S 1 7 6" ZEROS "18446744073709551615", {'S', 1, 7, 6, UINT64_MAX}},
                // A field in between that no number of ours holds.
                {"7 (sh) S 1 7 6 0 0 0 99999999999999999999 0 0 0 0 0 0 0 0 0 0 0 5\n",
                 {'S', 1, 7, 6, 5}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct proc_stat s;

                print_message("%s\n", rows[i].text);
                assert_int_equal(proc_parse_stat(rows[i].text, &s), 0);
                assert_int_equal(s.state, rows[i].stat.state);
                assert_int_equal(s.parent, rows[i].stat.parent);
                assert_int_equal(s.group, rows[i].stat.group);
                assert_int_equal(s.session, rows[i].stat.session);
                assert_int_equal(s.start_ticks, rows[i].stat.start_ticks);
        }
}

static void test_bad_stat(void **state)
{
        static const char *const rows[] = {
                "",
                "7 (sh",
                "7 (sh)",
                "7 (sh) ",
                "7 (sh) S",
                "7 (sh)  1 7 6" REST,
                "7 (sh) S x 7 6" REST,
                "7 (sh) S 1 7",
                "7 (sh) S 1 7 4294967303" REST,
                "7 (sh) S 99999999999999999999 7 6" REST,
                "7 (sh) S 1 7 6 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
                "7 (sh) S 1 7 6" ZEROS,
                "7 (sh) S 1 7 6" ZEROS "-1\n",
                "7 (sh) S 1 7 6" ZEROS "18446744073709551616\n",
                "7 (sh) S 1 7 6" ZEROS "5x\n",
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct proc_stat s = {.state = '-'};

                print_message("%s\n", rows[i]);
                assert_int_equal(proc_parse_stat(rows[i], &s), -EIO);
                assert_int_equal(s.state, '-');
        }
}

#define ENVIRON "AB=1\0A=2=3\0\0EMPTY=\0CUT"

static void test_environ(void **state)
{
        static const struct {
                const char *name, *value;
        } rows[] = {{"A", "2=3"},  {"AB", "1"}, {"EMPTY", ""},
                    {"CUT", NULL}, {"B", NULL}, {"A=2", "3"}};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *value = proc_parse_environ(ENVIRON, sizeof(ENVIRON) - 1, rows[i].name);

                assert_true(str_eq_ptr(value, rows[i].value));
        }
        assert_null(proc_parse_environ("", 0, "A"));
}

static void test_cmdline(void **state)
{
        static const struct {
                const char *text;
                size_t size;
                const char *line; // NULL: there is none
        } rows[] = {
                {"sh\0-c\0a b\0", 10, "sh -c a b"},
                {"sh", 2, "sh"},
                {"a\0\0b\0\0\0", 7, "a  b"},
                {"\0a\0", 3, " a"},
                {"\0\0", 2, NULL},
                {"", 0, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char text[16] = "";

                memcpy(text, rows[i].text, rows[i].size);
                assert_int_equal(proc_parse_cmdline(text, rows[i].size), rows[i].line != NULL);
                if (rows[i].line)
                        assert_string_equal(text, rows[i].line);
        }
}

static void test_boot_parameter(void **state)
{
        static const struct {
                const char *text, *wanted;
                int result;
        } rows[] = {
                {"ro quiet root=/dev/sda1 quiet=2\n", "ro", 1},
                {"ro quiet root=/dev/sda1\n", "root", 1},
                {"ro quiet root=/dev/sda1\n", "root=/dev/sda1", 1},
                {"ro quiet root=/dev/sda1\n", "root=/dev/sda", 0},
                {"ro quiet root=/dev/sda1\n", "root=", 0},
                {"ro quiet root=/dev/sda1\n", "oot", 0},
                {"a=1 a=2", "a=2", 1},
                {"a=\"1 2\" b", "a=1 2", 1},
                {"a=\"1 2\" b", "2", 0},
                {"\"a=1 2\" b", "a=1 2", 1},
                {"a=\\x20 b", "a=\\x20", 1},
                {"a=\"1 b", "b", 1},
                {"a=\"1 b", "a=\"1", 1},
                {"a 'b", "a", 1},
                {"", "a", 0},
                {" \n", "a", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                print_message("%s: %s\n", rows[i].text, rows[i].wanted);
                assert_int_equal(proc_parse_boot_parameter(rows[i].text, rows[i].wanted),
                                 rows[i].result);
        }
}

static void test_cgroup(void **state)
{
        static const struct {
                const char *text, *path; // NULL: there is none
        } rows[] = {
                {"0::/\n", "/"},
                {"0::/a.slice/b.service\n", "/a.slice/b.service"},
                {"4:cpu:/a0::b\n1:name=systemd:/x\n0::/y", "/y"},
                {"10::/x\n", NULL},
                {"4:cpu:/\n", NULL},
                {"", NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *path = NULL;

                assert_int_equal(proc_parse_cgroup(rows[i].text, &path),
                                 rows[i].path ? 0 : -ENOENT);
                assert_true(str_eq_ptr(path, rows[i].path));
        }
}

static int look_up(void *arg)
{
        CLEANUP(free) char *path = NULL;
        int r = proc_parse_boot_parameter("a=1 b", "b");

        return r < 0 ? r : proc_parse_cgroup("0::/", &path);
}

static void test_oom(void **state)
{
        oom_prove(look_up, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stat),
        cmocka_unit_test(test_bad_stat),
        cmocka_unit_test(test_environ),
        cmocka_unit_test(test_cmdline),
        cmocka_unit_test(test_boot_parameter),
        cmocka_unit_test(test_cgroup),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
