// Users and groups from files that the test writes.
#include "spawn/ids_lookup.h"

#include "base/fs.h"
#include "base/str.h"
#include "unit/harness.h"

#include <stdio.h>
#include <string.h>

static char dir[64], passwd[96], group[96], nsswitch[96];

static int setup(void **state)
{
        strcpy(dir, "/tmp/usher-ids-XXXXXX");
        if (!mkdtemp(dir))
                return -1;
        snprintf(passwd, sizeof(passwd), "%s/passwd", dir);
        snprintf(group, sizeof(group), "%s/group", dir);
        snprintf(nsswitch, sizeof(nsswitch), "%s/nsswitch.conf", dir);
        ids_set_files(passwd, group, nsswitch);
        return fs_write_file_atomic(passwd,
                                    "one:x:1001:2001:One,,,:/home/one:/bin/sh\n"
                                    "bad line\n"
                                    "noshell:x:1002:2002::/:/usr/sbin/nologin\n"
                                    "one:x:9999:9999:second:/:/bin/sh\n",
                                    0644) < 0 ||
                               fs_write_file_atomic(group,
                                                    "one:x:2001:\nextra:x:3001:one,noshell\n"
                                                    "more:x:3002:one\nother:x:3003:noshell\n",
                                                    0644) < 0 ||
                               fs_write_file_atomic(nsswitch, "passwd: files\ngroup: files\n",
                                                    0644) < 0
                       ? -1
                       : 0;
}

static int teardown(void **state)
{
        ids_set_files(NULL, NULL, NULL);
        return fs_remove_tree(dir);
}

static void test_users(void **state)
{
        CLEANUP(ids_user) struct ids_user one = {0}, number = {0}, root = {0}, none = {0};

        assert_int_equal(ids_get_user("one", NULL, &one), IDS_FOUND);
        assert_int_equal(one.uid, 1001); // the first of its name
        assert_int_equal(one.gid, 2001);
        assert_string_equal(one.home, "/home/one");
        assert_string_equal(one.shell, "/bin/sh");
        assert_int_equal(ids_get_user("1001", NULL, &number), IDS_FOUND);
        assert_string_equal(number.name, "one");
        assert_int_equal(ids_get_user("root", NULL, &root), IDS_FOUND); // in no file here
        assert_int_equal(root.uid, 0);
        assert_int_equal(ids_get_user("nobody-here", NULL, &none),
                         -ESRCH);                                    // files are all there is
        assert_int_equal(ids_get_user("4711", NULL, &none), -ESRCH); // a number, too
}

static void test_groups(void **state)
{
        gid_t gid = 0, *groups = NULL;
        size_t n = 0;

        assert_int_equal(ids_get_group("extra", NULL, &gid), IDS_FOUND);
        assert_int_equal(gid, 3001);
        assert_int_equal(ids_get_group("3002", NULL, &gid), IDS_FOUND);
        assert_int_equal(gid, 3002);
        assert_int_equal(ids_get_group("none-such", NULL, &gid), -ESRCH);
        assert_int_equal(ids_get_groups("one", 2001, NULL, &groups, &n), IDS_FOUND);
        assert_int_equal(n, 3);
        bool has_primary = false, has_extra = false, has_more = false;

        for (size_t i = 0; i < n; i++) {
                has_primary |= groups[i] == 2001;
                has_extra |= groups[i] == 3001;
                has_more |= groups[i] == 3002;
        }
        assert_true(has_primary && has_extra && has_more);
        free(groups);
}

// Another service than files could know more: it is asked by a process of its own.
static void test_other_services(void **state)
{
        CLEANUP(ids_user) struct ids_user user = {0};

        assert_int_equal(fs_write_file_atomic(nsswitch, "passwd: files sss\ngroup: files\n", 0644),
                         0);
        assert_int_equal(ids_get_user("one", NULL, &user), IDS_FOUND); // no need to ask
        assert_int_equal(ids_get_user("elsewhere", NULL, &user), IDS_NEEDS_LOOKUP);
}

#define USER(uid, gid, name, home) "U\0" uid "\0" gid "\0" name "\0" home "\0/bin/sh\0"

// What name services say: nobody gets an id that stands for none, since to set it would keep
// root's.
static void test_answers(void **state)
{
        static const struct {
                const char *answer;
                size_t size;
                int result;
                const char *home;
                size_t n_groups; // with the primary one
        } rows[] = {
#define ROW(text, ...) {text, sizeof(text) - 1, __VA_ARGS__}
                ROW(USER("7", "8", "far", "/home/far") "2\08\09\0.", IDS_FOUND, "/home/far", 2),
                ROW(USER("7", "8", "far", "") "0\0.", IDS_FOUND, NULL, 1),
                ROW(USER("7", "8", "far", "home") "0\0.", IDS_FOUND, NULL, 1),
                ROW(USER("7", "8", "far", "/") "2\0"
                                               "4294967295\09\0.",
                    IDS_FOUND, "/", 2),
                ROW(USER("4294967295", "8", "far", "/") "0\0.", -ESRCH, NULL, 0),
                ROW(USER("7", "4294967295", "far", "/") "0\0.", -ESRCH, NULL, 0),
                ROW(USER("65535", "8", "far", "/") "0\0.", -ESRCH, NULL, 0),
                ROW(USER("7", "8", "", "/") "0\0.", -ESRCH, NULL, 0),
                ROW(".", -ESRCH, NULL, 0),
                ROW(USER("4294967296", "8", "far", "/") "0\0.", -EBADMSG, NULL, 0),
                ROW(USER("7", "-8", "far", "/") "0\0.", -EBADMSG, NULL, 0),
                ROW(USER("7", "8", "far", "/") "2\08\0.", -EBADMSG, NULL, 0),
                ROW(USER("7", "8", "far", "/") ".", -EBADMSG, NULL, 0),
                ROW("X\0.", -EBADMSG, NULL, 0),
                ROW(USER("7", "8", "far", "/") "0\0", -ETIMEDOUT, NULL, 0), // cut off
                ROW("", -ETIMEDOUT, NULL, 0),
#undef ROW
        };
        char *groups[] = {(char *)"far", NULL};

        assert_int_equal(fs_write_file_atomic(nsswitch, "passwd: sss\ngroup: sss\n", 0644), 0);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(ids_lookup) struct ids_lookup *lookup = NULL;
                CLEANUP(ids_user) struct ids_user user = {0};
                CLEANUP(free) gid_t *gids = NULL;
                size_t n = 0;

                print_message("row %zu\n", i);
                assert_int_equal(ids_lookup_new_answered("far", groups, rows[i].answer,
                                                         rows[i].size, &lookup),
                                 0);
                assert_int_equal(ids_get_user("far", lookup, &user), rows[i].result);
                if (rows[i].result != IDS_FOUND)
                        continue;
                assert_int_equal(user.uid, 7);
                assert_int_equal(user.gid, 8);
                assert_true(str_eq_ptr(user.home, rows[i].home));
                assert_int_equal(ids_get_groups("far", 8, lookup, &gids, &n), IDS_FOUND);
                assert_int_equal(n, rows[i].n_groups);
        }
}

static void test_group_answers(void **state)
{
        static const char answer[] = "G\0far\0"
                                     "4294967295\0G\0near\09\0.";
        CLEANUP(ids_lookup) struct ids_lookup *lookup = NULL;
        char *groups[] = {(char *)"far", (char *)"near", NULL};
        gid_t gid = 0;

        assert_int_equal(ids_lookup_new_answered(NULL, groups, answer, sizeof(answer) - 1, &lookup),
                         0);
        assert_int_equal(ids_get_group("far", lookup, &gid), -ESRCH);
        assert_int_equal(ids_get_group("near", lookup, &gid), IDS_FOUND);
        assert_int_equal(gid, 9);
}

static int get_once(void *arg UNUSED)
{
        CLEANUP(ids_user) struct ids_user user = {0};
        gid_t *groups = NULL;
        size_t n;
        int r = ids_get_user("one", NULL, &user);

        if (r == 0)
                r = ids_get_groups("one", 2001, NULL, &groups, &n);
        free(groups);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(get_once, NULL);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
        FILE_TEST(test_users),   FILE_TEST(test_groups),        FILE_TEST(test_other_services),
        FILE_TEST(test_answers), FILE_TEST(test_group_answers), FILE_TEST(test_oom),
};
HARNESS_MAIN(tests)
