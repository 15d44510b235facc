// Users and groups from files of the test's own.
#include "spawn/ids.h"

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
        FILE_TEST(test_users),
        FILE_TEST(test_groups),
        FILE_TEST(test_other_services),
        FILE_TEST(test_oom),
};
HARNESS_MAIN(tests)
