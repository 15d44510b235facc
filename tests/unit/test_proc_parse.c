#include "base/proc_parse.h"

#include "base/str.h"
#include "unit/harness.h"

#define REST " 34816 7 4194560 1 2 3 4 5 6 7 8 20 0 1 0 8912 1 2 3\n"

// The fields between the start time and the address where the environment begins.
#define MORE " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27"

#define ZEROS " 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "

static void test_stat(void **state)
{
        static const struct {
                const char *text;
                struct proc_stat stat;
        } rows[] = {
                {"7 (sh) S 1 7 6" REST, {'S', 1, 7, 6, 8912, 1, false}},
                {"7 (a) R 1 (b) Z 1 7 6" REST, {'Z', 1, 7, 6, 8912, 1, false}},
                {"7 (a\nb)) T 0 -1 0" REST, {'T', 0, -1, 0, 8912, 1, false}},
                {"7 (sh) S 1 7 6" ZEROS "18446744073709551615",
                 {'S', 1, 7, 6, UINT64_MAX, 0, false}},
                {"7 (sh) S 1 7 6" ZEROS "5" MORE " 140 141 0\n", {'S', 1, 7, 6, 5, 0, true}},
                {"7 (sh) S 1 7 6" ZEROS "5" MORE " 0 0 0\n", {'S', 1, 7, 6, 5, 0, false}},
                // A field in between that no number of ours holds.
                {"7 (sh) S 1 7 6 0 0 0 99999999999999999999 0 0 0 0 0 0 0 0 0 0 0 5\n",
                 {'S', 1, 7, 6, 5, 0, false}},
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
                assert_int_equal(s.n_threads, rows[i].stat.n_threads);
                assert_int_equal(s.has_environment, rows[i].stat.has_environment);
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

static void test_uids(void **state)
{
        static const struct {
                const char *text;
                int result;
                struct proc_uids uids;
        } rows[] = {
                {"Name:\tsh\nUid:\t1\t2\t3\t4\nGid:\t5\t5\t5\t5\n", 0, {1, 2, 3}},
                {"Name:\tsh\nUid:\t0\t4294967294\t3\t4\n", 0, {0, 4294967294, 3}},
                // The kernel writes a newline in a name as \n.
                {"Name:\t\\nUid:\t9\t9\t9\t9\nUid:\t1\t2\t3\t4\n", 0, {1, 2, 3}},
                {"Name:\tUid:\t9\t9\t9\n", -EIO, {0}},
                {"Name:\tsh\nUid:\t1\t2\n", -EIO, {0}},
                {"Name:\tsh\nUid:\t1\t-2\t3\t4\n", -EIO, {0}},
                {"Name:\tsh\nUid:\t1\t4294967296\t3\t4\n", -EIO, {0}},
                {"Name:\tsh\nUid:\t1\t\t3\t4\n", -EIO, {0}},
                {"", -EIO, {0}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct proc_uids uids = {0};

                print_message("%s\n", rows[i].text);
                assert_int_equal(proc_parse_uids(rows[i].text, &uids), rows[i].result);
                assert_memory_equal(&uids, &rows[i].uids, sizeof(uids));
        }
}

static void test_children(void **state)
{
        static const struct {
                const char *text;
                pid_t pids[4]; // up to the 0
        } rows[] = {
                {"12 13 4194304 ", {12, 13, 4194304}},
                {"12 13", {12, 13}},
                {"12  13", {12}},
                {"", {0}},
                {"0 5 ", {0}},
                {"-5 ", {0}},
                {"99999999999 ", {0}},
                {"2147483647 2147483648 ", {2147483647}},
                {"7 x", {7}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *p = rows[i].text;
                const pid_t *wanted = rows[i].pids;
                pid_t pid;

                print_message("%s\n", rows[i].text);
                do {
                        pid = proc_parse_child(&p);
                        assert_int_equal(pid, *wanted);
                } while (*wanted++ > 0);
        }
}

static void test_alive(void **state)
{
        static const struct {
                struct proc_stat stat;
                bool is_alive;
        } rows[] = {
                {{.state = 'S', .n_threads = 1}, true},
                {{.state = 'T', .n_threads = 1}, true},
                {{.state = 'Z', .n_threads = 1}, false},
                {{.state = 'X', .n_threads = 0}, false},
                // Its main thread has ended, another goes on.
                {{.state = 'Z', .n_threads = 2}, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(proc_stat_is_alive(&rows[i].stat), rows[i].is_alive);
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
        cmocka_unit_test(test_stat),    cmocka_unit_test(test_bad_stat),
        cmocka_unit_test(test_uids),    cmocka_unit_test(test_children),
        cmocka_unit_test(test_alive),   cmocka_unit_test(test_environ),
        cmocka_unit_test(test_cmdline), cmocka_unit_test(test_boot_parameter),
        cmocka_unit_test(test_cgroup),  cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
