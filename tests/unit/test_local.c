// Operations that must not block: which names and files are refused, and with which message.
#include "base/local.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/mounts.h"
#include "unit/harness.h"
#include "unit/mounts_fixture.h"

#include <fcntl.h>
#include <sys/stat.h>

static int setup(void **state UNUSED)
{
        return local_only_set(true);
}

static int teardown(void **state UNUSED)
{
        mounts_done();
        return !local_only_set(false);
}

static int open_path(const char *path)
{
        int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static void test_file(void **state UNUSED)
{
        CLEANUP(fd) int root = open_path("/");
        CLEANUP(fd) int proc = open_path("/proc/self/status");
        uint64_t mount = 0, id;

        mounts_fixture_set("-", "-", "");
        assert_int_equal(local_check(root, &mount), 0);
        assert_int_equal(local_check(proc, &mount), 0);
        assert_true(mount > 0);
        id = mount;
        // Of the same mount as its folder: nothing is asked.
        mounts_fixture_set(" - proc ", " - fuse.p ", "");
        assert_int_equal(local_check(proc, &mount), 0);
        mount = 0;
        assert_int_equal(local_check(proc, &mount), -EREMOTE);
        assert_string_equal(strchr(local_refusal(&mount), ' '), " (fuse.p)");
        assert_int_equal(mount, id);
        // One that the table does not have.
        mounts_fixture_set(" / /proc ", " gone", "");
        mount = 0;
        assert_int_equal(local_check(proc, &mount), -EREMOTE);
        assert_null(strchr(local_refusal(&mount), ' '));
        assert_int_equal(mount, 0);
        local_only_set(false);
        assert_int_equal(local_check(proc, &mount), 0);
        local_only_set(true);
}

static void test_name(void **state UNUSED)
{
        CLEANUP(fd) int root = open_path("/");
        CLEANUP(fd) int proc = open_path("/proc");
        uint64_t mount;

        mounts_fixture_set("-", "-",
                           "999998 1 0:99 / /proc/far rw - nfs4 server:/x rw\n"
                           "999999 1 0:99 / /far rw - cifs server:/x rw\n");
        assert_int_equal(local_check_name(proc, "near"), 0);
        assert_int_equal(local_check_name(root, "far"), -EREMOTE);
        assert_string_equal(local_refusal(&mount), "/far (cifs)");
        assert_int_equal(mount, 999999);
        assert_int_equal(local_check_name(proc, "far"), -EREMOTE);
        assert_string_equal(local_refusal(&mount), "/proc/far (nfs4)");
        local_only_set(false);
        assert_int_equal(local_check_name(proc, "far"), 0);
        local_only_set(true);
}

static void test_fixed(void **state UNUSED)
{
        static const struct {
                mode_t mode;
                bool is_others;
                int expected;
        } rows[] = {
                {0755, false, 0},        {0775, false, -EREMOTE}, {0777, false, -EREMOTE},
                {01777, false, 0},       {01775, false, 0},       {0700, true, -EREMOTE},
                {01777, true, -EREMOTE},
        };
        char path[] = "/tmp/usher-test-local-XXXXXX";

        assert_non_null(mkdtemp(path));
        CLEANUP(fd) int fd = open_path(path);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (rows[i].is_others && geteuid() != 0)
                        continue;
                assert_int_equal(chown(path, rows[i].is_others ? 65534 : geteuid(), getegid()), 0);
                assert_int_equal(chmod(path, rows[i].mode), 0);
                assert_int_equal(local_check_fixed(fd), rows[i].expected);
                if (rows[i].expected < 0)
                        assert_string_equal(local_refusal(NULL), path);
        }
        assert_int_equal(fs_remove_tree(path), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {TEST(test_file), TEST(test_name), TEST(test_fixed)};
HARNESS_MAIN(tests)
