#include "base/fs.h"

#include "base/fd.h"
#include "base/local.h"
#include "base/mounts.h"
#include "base/str.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <stdio.h>

static char top[] = "/tmp/usher-test-fs-XXXXXX";

static int setup(void **state)
{
        strcpy(top + sizeof(top) - 7, "XXXXXX");
        return mkdtemp(top) ? 0 : -1;
}

static int teardown(void **state)
{
        return fs_remove_tree(top);
}

// A path below the test's own folder; four may be in use at a time.
static const char *at(const char *name)
{
        static char paths[4][4096];
        static unsigned next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
        return path;
}

static mode_t mode_of(const char *path)
{
        struct stat st;

        assert_int_equal(lstat(path, &st), 0);
        return st.st_mode & 07777;
}

static void test_read_and_write(void **state)
{
        CLEANUP(free) char *text = NULL;
        char *none = NULL;
        size_t size;

        assert_int_equal(fs_write_file_atomic(at("a"), "one", 0640), 0);
        assert_int_equal(fs_write_file_atomic(at("a"), "three", 0604), 0);
        assert_int_equal(mode_of(at("a")), 0604);
        assert_int_equal(fs_read_file(at("a"), 5, &text, &size), 0);
        assert_string_equal(text, "three");
        assert_int_equal(size, 5);
        assert_int_equal(fs_read_file(at("a"), 4, &none, NULL), -EFBIG);
        assert_int_equal(fs_read_file(at("b"), 4, &none, NULL), -ENOENT);
        assert_int_equal(fs_read_file(top, 4, &none, NULL), -EISDIR);
        assert_int_equal(fs_read_file("/dev/zero", 4, &none, NULL), -EBADFD);
        assert_int_equal(mkfifo(at("fifo"), 0600), 0);
        assert_int_equal(fs_read_file(at("fifo"), 4, &none, NULL), -EBADFD); // without waiting
        assert_int_equal(fs_write_file_atomic(at("no/a"), "one", 0600), -ENOENT);
        assert_int_equal(mkdir(at("dir"), 0700), 0);
        assert_int_equal(fs_write_file_atomic(at("dir"), "one", 0600), -EISDIR);
        assert_null(none);
}

static void test_a_failed_write_leaves_nothing(void **state)
{
        assert_int_equal(mkdir(at("d"), 0700), 0);
        assert_int_equal(mkdir(at("d/target"), 0700), 0);
        assert_int_equal(fs_write_file_atomic(at("d/target"), "x", 0600), -EISDIR);
        assert_int_equal(rmdir(at("d/target")), 0);
        assert_int_equal(rmdir(at("d")), 0); // nothing else in it
}

static void test_mkdir(void **state)
{
        mode_t old = umask(077);

        assert_int_equal(fs_mkdir_parents(at("a/b/c"), 0751), 0);
        assert_int_equal(mode_of(at("a/b")), 0751);
        assert_int_equal(access(at("a/b/c"), F_OK), -1);
        assert_int_equal(fs_mkdir_p(at("a//b/c/"), 0755), 0);
        assert_int_equal(mode_of(at("a/b")), 0751); // what was there stays as it is
        assert_int_equal(mode_of(at("a/b/c")), 0755);
        assert_int_equal(fs_mkdir_p(at("a/b/c"), 0700), 0);
        assert_int_equal(umask(old), 077);
        assert_int_equal(fs_write_file_atomic(at("file"), "", 0600), 0);
        assert_int_equal(fs_mkdir_p(at("file"), 0700), -ENOTDIR);
        assert_int_equal(fs_mkdir_p(at("file/x"), 0700), -ENOTDIR);
        assert_int_equal(symlink("a", at("link")), 0);
        assert_int_equal(fs_mkdir_p(at("link/x"), 0700), 0); // links to folders are fine
        assert_int_equal(access(at("a/x"), F_OK), 0);
}

static void test_a_name_too_long(void **state)
{
        static char longer[5000];

        memset(longer, 'x', sizeof(longer) - 1);
        longer[0] = '/';
        assert_int_equal(fs_mkdir_p(longer, 0700), -ENAMETOOLONG);
}

static void test_remove_tree(void **state)
{
        assert_int_equal(fs_mkdir_p(at("t/a/b"), 0700), 0);
        assert_int_equal(fs_mkdir_p(at("outside/dir"), 0700), 0);
        assert_int_equal(symlink("../../outside", at("t/a/link")), 0);
        assert_int_equal(symlink("nowhere", at("t/dangling")), 0);
        for (int i = 0; i < 300; i++) {
                char name[64];

                snprintf(name, sizeof(name), "t/a/file-%d", i);
                assert_int_equal(fs_write_file_atomic(at(name), "x", 0600), 0);
        }
        assert_int_equal(fs_remove_tree(at("t")), 0);
        assert_int_equal(access(at("t"), F_OK), -1);
        assert_int_equal(access(at("outside/dir"), F_OK), 0);
        assert_int_equal(fs_remove_tree(at("t")), -ENOENT);
        // A link itself goes, not what it points to; a file, too.
        assert_int_equal(symlink("outside", at("link")), 0);
        assert_int_equal(fs_remove_tree(at("link")), 0);
        assert_int_equal(access(at("outside/dir"), F_OK), 0);
        assert_int_equal(fs_write_file_atomic(at("file"), "", 0600), 0);
        assert_int_equal(fs_remove_tree(at("file")), 0);
        assert_int_equal(access(at("file"), F_OK), -1);
}

// What takes long is refused while others wait, and goes on where it broke off.
static void test_remove_tree_is_not_long(void **state)
{
        char name[64];

        assert_int_equal(fs_mkdir_p(at("t/a"), 0700), 0);
        for (int i = 0; i < LOCAL_STEPS_MAX + 10; i++) {
                snprintf(name, sizeof(name), "t/a/file-%d", i);
                assert_int_equal(mknod(at(name), S_IFIFO | 0600, 0), 0);
        }
        (void)local_only_set(true);
        assert_int_equal(fs_remove_tree(at("t")), -EREMOTE);
        assert_string_equal(local_refusal(NULL), at("t"));
        (void)local_only_set(false);
        assert_int_equal(fs_remove_tree(at("t")), 0);
        mounts_done();
}

static void test_remove_tree_is_bounded(void **state)
{
        int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC), before = fd_count_open();

        assert_int_equal(mkdirat(fd, "deep", 0700), 0);
        for (int i = 0; i < 200; i++) {
                int sub = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                fd_close(fd);
                fd = sub;
                assert_int_equal(mkdirat(fd, "deep", 0700), 0);
        }
        assert_int_equal(fs_remove_tree(at("deep")), -ELOOP);
        assert_int_equal(fd_count_open(), before);
        fd_close(fd);
        // The lower half can be removed from where it begins.
        char path[1000] = "deep";
        for (int i = 0; i < 100; i++)
                strcat(path, "/deep");
        assert_int_equal(fs_remove_tree(at(path)), 0);
        assert_int_equal(fs_remove_tree(at("deep")), 0);
}

static void test_paths(void **state)
{
        static const struct {
                const char *path, *simple;
                bool is_normalized;
        } cases[] = {
                {"/", "/", true},      {"//", "/", false},     {"/a/b", "/a/b", true},
                {"/a/", "/a", false},  {"//a", "/a", false},   {"/a//b", "/a/b", false},
                {"/./a", "/a", false}, {"/a/.", "/a", false},  {"/a/../b", "/a/../b", false},
                {"/..", "/..", false}, {"/...", "/...", true}, {"/.a/..b", "/.a/..b", true},
                {"a", "a", false},     {"./a", "a", false},    {"a/./b/", "a/b", false},
                {".", ".", false},     {"", "", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(free) char *simple = fs_path_simplify(cases[i].path);

                assert_string_equal(simple, cases[i].simple);
                assert_int_equal(fs_path_is_normalized(cases[i].path), cases[i].is_normalized);
                assert_int_equal(fs_path_is_absolute(cases[i].path), cases[i].path[0] == '/');
        }
        assert_string_equal(fs_path_basename("/a/b"), "b");
        assert_string_equal(fs_path_basename("b"), "b");
        CLEANUP(free) char *a = fs_path_join("/a", "b"), *b = fs_path_join("/", "b");
        assert_string_equal(a, "/a/b");
        assert_string_equal(b, "/b");
        CLEANUP(free) char *cwd = getcwd(NULL, 0), *here = NULL, *there = NULL;
        assert_int_equal(fs_path_make_absolute("./x//y", &here), 0);
        assert_int_equal(fs_path_make_absolute("/x//y/", &there), 0);
        assert_non_null(cwd);
        assert_memory_equal(here, cwd, strlen(cwd));
        assert_string_equal(here + strlen(cwd), "/x/y");
        assert_string_equal(there, "/x/y");
}

static void test_readlink(void **state)
{
        CLEANUP(free) char *target = NULL;
        char *none = NULL;

        assert_int_equal(symlink("some/where", at("l")), 0);
        assert_int_equal(fs_readlink(at("l"), &target), 0);
        assert_string_equal(target, "some/where");
        assert_int_equal(fs_readlink(top, &none), -EINVAL);
        assert_int_equal(fs_readlink(at("none"), &none), -ENOENT);
}

static int all(void *arg)
{
        CLEANUP(free) char *text = NULL, *link = NULL, *simple = NULL, *joined = NULL;
        int r = fs_write_file_atomic(at("f"), "x", 0600);

        if (r == 0)
                r = fs_read_file(at("f"), 10, &text, NULL);
        if (r == 0)
                r = fs_mkdir_p(at("oom/d"), 0700);
        if (r == 0)
                r = fs_remove_tree(at("oom"));
        if (r == 0)
                r = fs_readlink(at("l"), &link);
        if (r < 0)
                return r;
        simple = fs_path_simplify("/a/b");
        joined = simple ? fs_path_join(simple, "c") : NULL;
        return joined ? 0 : -ENOMEM;
}

static void test_oom(void **state)
{
        assert_int_equal(symlink("x", at("l")), 0);
        oom_prove(all, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
        TEST(test_read_and_write),
        TEST(test_a_failed_write_leaves_nothing),
        TEST(test_mkdir),
        TEST(test_a_name_too_long),
        TEST(test_remove_tree),
        TEST(test_remove_tree_is_not_long),
        TEST(test_remove_tree_is_bounded),
        TEST(test_paths),
        TEST(test_readlink),
        TEST(test_oom),
};
HARNESS_MAIN(tests)
