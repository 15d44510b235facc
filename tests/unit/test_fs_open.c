// Which users' links are followed on whose behalf. Owners are faked, so the test needs no root.
#include "base/fs.h"

#include "base/fd.h"
#include "base/local.h"
#include "base/mounts.h"
#include "base/owner.h"
#include "base/str.h"
#include "unit/harness.h"
#include "unit/mounts_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>

#define A 1111u // two users; everything else is root's, or of who runs the test
#define B 2222u

static char top[] = "/tmp/usher-test-open-XXXXXX";

// ---- a tree with owners

static const struct entry {
        const char *path, *target; // target: of a link; "": a file, NULL: a folder
        unsigned owner;
        mode_t shared; // bits to add
        unsigned n_names;
} tree[] = {
        {"sys", NULL, 0, 0, 0},
        {"sys/dir", NULL, 0, 0, 0},
        {"sys/dir/f", "", 0, 0, 0},
        {"sys/f", "", 0, 0, 0},
        {"sys/fifo-like", "", 0, 0, 2},
        {"sys/of-a", "", A, 0, 0},
        {"shared", NULL, 0, S_IWOTH | S_ISVTX, 0},
        {"shared/planted", "", 0, 0, 2},
        {"shared/single", "", 0, 0, 1},
        {"a", NULL, A, 0, 0},
        {"a/f", "", A, 0, 0},
        {"a/two-names", "", A, 0, 2},
        {"a/planted", "", 0, 0, 2},
        {"a/roots", "", 0, 0, 0},
        {"a/dir", NULL, A, 0, 0},
        {"a/dir/f", "", A, 0, 0},
        {"a/dir/roots", NULL, 0, 0, 0},
        {"a/dir/roots-f", "", 0, 0, 0},
        {"a/dir/admins", "TOP/sys/dir", 0, 0, 0},
        {"a/dir/roots/f", "", 0, 0, 0},
        {"b", NULL, B, 0, 0},
        {"b/f", "", B, 0, 0},
        // links of root
        {"sys/to-a", "../a", 0, 0, 0},
        {"sys/to-a-f", "../a/f", 0, 0, 0},
        {"sys/to-b-over-a", "../a/to-b", 0, 0, 0},
        {"sys/up", "dir/../f", 0, 0, 0},
        {"sys/loop", "loop", 0, 0, 0},
        {"sys/nowhere", "new", 0, 0, 0},
        {"a/admins", "../sys/dir", 0, 0, 0},
        {"a/admins-abs", "TOP/sys/dir", 0, 0, 0},
        {"a/moved-link", "TOP/sys/dir", 0, 0, 2},
        // links of a
        {"a/to-root", "../sys", A, 0, 0},
        {"a/to-root-f", "../sys/f", A, 0, 0},
        {"a/to-root-abs", "TOP/sys/f", A, 0, 0},
        {"a/to-passwd", "/etc/passwd", A, 0, 0},
        {"a/to-roots-link", "../sys/to-a", A, 0, 0},
        {"a/to-own", "dir", A, 0, 0},
        {"a/to-own-abs", "TOP/a/dir", A, 0, 0},
        {"a/to-own-over-root", "TOP/sys/to-a/dir", A, 0, 0},
        {"a/to-own-in-roots", "TOP/sys/of-a", A, 0, 0},
        {"a/to-b", "../b", A, 0, 0},
        {"a/nowhere", "../sys/other", A, 0, 0},
        {"a/nowhere-own", "other", A, 0, 0},
        {"a/self", "/proc/self/fd/0", A, 0, 0},
        {"shared/of-a", "../sys/f", A, 0, 0},
        {"b/to-a", "../a/to-own", B, 0, 0},
};

static struct stat real[ARRAY_SIZE(tree)];
static bool fakes, has_no_openat2, protects_hardlinks;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
        int r = __real_fstat(fd, st);

        for (size_t i = 0; fakes && r == 0 && i < ARRAY_SIZE(tree); i++)
                if (st->st_ino == real[i].st_ino && st->st_dev == real[i].st_dev) {
                        st->st_uid = tree[i].owner;
                        st->st_mode |= tree[i].shared;
                        if (tree[i].n_names)
                                st->st_nlink = tree[i].n_names;
                }
        return r;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        if (number == SYS_openat2 && has_no_openat2) {
                errno = ENOSYS;
                return -1;
        }
        return __real_syscall(number, a, b, c, d, e, f);
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
        CLEANUP(free) char *fake = NULL;

        if (!streq(path, "/proc/sys/fs/protected_hardlinks"))
                return __real_open(path, flags, mode);
        fake = fs_path_join(top, protects_hardlinks ? "1" : "0");
        return fake ? __real_open(fake, flags, mode) : -1;
}

// A path below the test's own folder; "TOP" in front of others.
static char *at(const char *name)
{
        const char *below = str_after_prefix(name, "TOP/");

        return name[0] == '/' ? strdup(name) : fs_path_join(top, below ? below : name);
}

static int setup(void **state)
{
        strcpy(top + sizeof(top) - 7, "XXXXXX");
        fakes = has_no_openat2 = protects_hardlinks = false;
        assert_non_null(mkdtemp(top));
        for (char c = '0'; c <= '1'; c++) {
                CLEANUP(free) char *path = at((char[]){c, '\0'});

                assert_int_equal(fs_write_file_atomic(path, (char[]){c, '\0'}, 0600), 0);
        }
        for (size_t i = 0; i < ARRAY_SIZE(tree); i++) {
                CLEANUP(free) char *path = at(tree[i].path), *target = NULL;
                int r;

                if (tree[i].target && str_after_prefix(tree[i].target, "TOP/"))
                        target = at(tree[i].target);
                r = !tree[i].target      ? mkdir(path, 0755)
                    : !tree[i].target[0] ? fs_write_file_atomic(path, "old", 0644)
                                         : symlink(target ? target : tree[i].target, path);
                assert_int_equal(r, 0);
                assert_int_equal(lstat(path, &real[i]), 0);
        }
        fakes = true;
        return 0;
}

static int teardown(void **state)
{
        fakes = false;
        return fs_remove_tree(top);
}

// ---- opening

enum expected { SAFE, UNSAFE };

static const struct row {
        const char *path;
        int expected; // 0 or -errno of fs_open()
        enum expected judged;
        const char *same; // what is opened then; NULL: the path itself
} rows[] = {
        // no link: what the administrator wrote
        {"sys/f", 0, SAFE, NULL},
        {"sys/dir", 0, SAFE, NULL},
        {"sys//dir/./f", 0, SAFE, NULL},
        {"a/f", 0, SAFE, NULL},
        {"a/dir/f", 0, SAFE, NULL},
        {"sys/of-a", 0, SAFE, NULL},
        {"a/roots", 0, UNSAFE, NULL},
        {"a/dir/roots/f", 0, UNSAFE, NULL},
        {"none", -ENOENT, SAFE, NULL},
        {"sys/f/x", -ENOTDIR, SAFE, NULL},
        {"/", 0, SAFE, NULL},
        {"/etc/passwd", 0, SAFE, NULL},
        // links of root
        {"sys/to-a", 0, SAFE, "a"},
        {"sys/to-a/f", 0, SAFE, "a/f"},
        {"sys/to-a-f", 0, SAFE, "a/f"},
        {"sys/up", 0, SAFE, "sys/f"},
        {"sys/loop", -ELOOP, SAFE, NULL},
        {"sys/to-b-over-a/f", -EPERM, UNSAFE, "b/f"},
        {"a/admins-abs/f", 0, UNSAFE, "sys/dir/f"},
        {"/proc/self/status", 0, SAFE, NULL},
        {"/dev/stdin", 0, SAFE, "/dev/null"},
        // links of a
        {"a/to-root", -EPERM, UNSAFE, "sys"},
        {"a/to-root/f", -EPERM, UNSAFE, "sys/f"},
        {"a/to-root-f", -EPERM, UNSAFE, "sys/f"},
        {"a/to-root-abs", -EPERM, UNSAFE, "sys/f"},
        {"a/to-passwd", -EPERM, UNSAFE, "/etc/passwd"},
        {"a/to-b/f", -EPERM, UNSAFE, "b/f"},
        {"shared/of-a", -EPERM, UNSAFE, "sys/f"},
        {"a/to-own", 0, SAFE, "a/dir"},
        {"a/to-own/f", 0, SAFE, "a/dir/f"},
        {"a/to-own-abs/f", 0, SAFE, "a/dir/f"},
        {"a/to-own-over-root/f", 0, SAFE, "a/dir/f"},
        {"a/to-own-in-roots", 0, SAFE, "sys/of-a"},
        {"a/to-roots-link/f", 0, UNSAFE, "a/f"},
        {"a/to-own/roots", -EPERM, UNSAFE, "a/dir/roots"},
        {"a/to-own/roots/f", -EPERM, UNSAFE, "a/dir/roots/f"},
        {"a/to-own/roots-f", 0, UNSAFE, "a/dir/roots-f"},
        {"a/to-own/admins/f", -EPERM, UNSAFE, "sys/dir/f"},
        {"a/self", -EPERM, UNSAFE, "/dev/null"},
        {"b/to-a", -EPERM, UNSAFE, "a/dir"},
        // folders that may have been moved
        {"sys/../a/f", 0, SAFE, "a/f"},
        {"a/dir/../f", 0, SAFE, "a/f"},
        {"a/../sys/f", -EPERM, UNSAFE, "sys/f"},
        {"a/admins/f", -EPERM, UNSAFE, "sys/dir/f"},
        // further names
        {"sys/fifo-like", 0, SAFE, NULL},
        {"a/two-names", 0, SAFE, NULL},
        {"a/planted", -EPERM, UNSAFE, NULL},
        {"a/moved-link/f", -EPERM, UNSAFE, "sys/dir/f"},
        {"shared/single", 0, SAFE, NULL},
        {"shared/planted", -EPERM, UNSAFE, NULL},
};

static void assert_same(int fd, const char *path)
{
        struct stat one, other;

        assert_int_equal(__real_fstat(fd, &one), 0);
        assert_int_equal(stat(path, &other), 0);
        assert_true(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
}

static void try_rows(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct row *row = &rows[i];
                CLEANUP(free)
                char *path = at(row->path), *same = at(row->same ? row->same : row->path);
                struct fail why = {0};
                bool is_safe = true;
                int fd = fs_open(path, O_RDONLY, 0, &why);
                int judged = fs_open_judged(path, O_RDONLY, &is_safe);
                int r = fd < 0 ? fd : 0;

                if (r != row->expected || is_safe != (row->judged == SAFE))
                        print_message("%s: %d, %s (%s)\n", row->path, r,
                                      is_safe ? "safe" : "unsafe", why.detail);
                assert_int_equal(r, row->expected);
                assert_int_equal(is_safe, row->judged == SAFE);
                assert_int_equal(why.error, r == -EPERM ? EPERM : 0);
                if (fd >= 0)
                        assert_same(fd, same);
                if (judged >= 0)
                        assert_same(judged, same);
                assert_int_equal(judged < 0 ? judged : 0, r == -EPERM ? 0 : r);
                fd_close(fd);
                fd_close(judged);
        }
}

static void test_open(void **state)
{
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC), old = dup(0);

        assert_int_equal(dup2(null, 0), 0);
        for (int i = 0; i < 4; i++) {
                has_no_openat2 = i % 2;
                (void)local_only_set(i >= 2);
                try_rows();
        }
        (void)local_only_set(false);
        mounts_done();
        dup2(old, 0);
        close(old);
        close(null);
}

static void test_the_kernel_protects_hardlinks(void **state)
{
        CLEANUP(free) char *path = at("a/planted");

        protects_hardlinks = true;
        CLEANUP(fd) int fd = fs_open(path, O_RDONLY, 0, NULL);

        assert_true(fd >= 0);
}

static void create_and_truncate(void)
{
        static const struct {
                const char *path;
                int flags, expected;
                const char *made; // what is opened
                int size;         // of it afterwards; of "made" where nothing is opened: kept
        } cases[] = {
                {"sys/new", O_CREAT, 0, "sys/new", 0},
                {"sys/new", O_CREAT | O_EXCL, -EEXIST, NULL, 0},
                {"sys/nowhere", O_CREAT, 0, "sys/new", 0},
                {"a/made", O_CREAT, 0, "a/made", 0},
                {"a/to-own/made", O_CREAT, 0, "a/dir/made", 0},
                {"a/to-own/made", O_CREAT, 0, "a/dir/made", 0}, // root's now, and still fine
                {"a/nowhere", O_CREAT, -ENOENT, NULL, 0},
                {"a/nowhere-own", O_CREAT, -ENOENT, NULL, 0},
                {"a/to-root-f", O_TRUNC, -EPERM, "sys/f", 3},
                {"a/planted", O_TRUNC, -EPERM, "a/planted", 3},
                {"a/f", O_NOFOLLOW, 0, "a/f", 3},
                {"sys/to-a-f", O_NOFOLLOW, -ELOOP, "a/f", 3},
                {"sys/to-a-f", O_PATH | O_NOFOLLOW, 0, NULL, 0},
                {"sys/to-a-f", O_PATH | O_NOFOLLOW | O_DIRECTORY, -ENOTDIR, NULL, 0},
                {"sys/to-a-f", O_PATH | O_DIRECTORY, -ENOTDIR, "a/f", 3},
                {"sys/to-a-f", O_TRUNC, 0, "a/f", 0},
                {"sys/f", O_CREAT | O_TRUNC, 0, "sys/f", 0},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(free) char *path = at(cases[i].path);
                CLEANUP(free) char *made = cases[i].made ? at(cases[i].made) : NULL;
                CLEANUP(fd) int fd = fs_open(path, O_WRONLY | cases[i].flags, 0640, NULL);
                struct stat st;

                assert_int_equal(MIN(fd, 0), cases[i].expected);
                if (!made)
                        continue;
                if (fd >= 0)
                        assert_same(fd, made);
                assert_int_equal(stat(made, &st), 0);
                assert_int_equal(st.st_size, cases[i].size);
        }
}

static void test_create_and_truncate(void **state)
{
        create_and_truncate();
}

static void test_create_and_truncate_by_walk(void **state)
{
        has_no_openat2 = true;
        create_and_truncate();
}

// ---- places

static void test_entry(void **state)
{
        static const struct {
                const char *path;
                mode_t make;
                int expected;
                const char *folder, *name;
        } cases[] = {
                {"sys/f", 0, 0, "sys", "f"},
                {"sys/dir/", 0, 0, "sys", "dir"},
                {"sys/to-a", 0, 0, "sys", "to-a"},
                {"sys/to-a/x", 0, 0, "a", "x"},
                {"sys/none/x", 0, -ENOENT, NULL, NULL},
                {"sys/made/and/x", 0755, 0, "sys/made/and", "x"},
                {"a/made/x", 0755, 0, "a/made", "x"},
                {"a/to-own/made/x", 0755, -ENOENT, NULL, NULL},
                {"a/to-own/x", 0755, 0, "a/dir", "x"},
                {"a/to-root/x", 0, -EPERM, NULL, NULL},
                {"a/to-root/made-bad/x", 0755, -EPERM, NULL, NULL},
                {"a/nowhere/x", 0755, -ENOENT, NULL, NULL},
                {"a/to-own/roots/x", 0755, -EPERM, NULL, NULL},
                {"sys/f/x", 0755, -ENOTDIR, NULL, NULL},
                {"/", 0, -EINVAL, NULL, NULL},
                {"sys/..", 0, -EINVAL, NULL, NULL},
                {"sys/.", 0, -EINVAL, NULL, NULL},
        };

        for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
                size_t k = i % ARRAY_SIZE(cases);
                CLEANUP(free) char *path = at(cases[k].path);
                CLEANUP(free) char *folder = cases[k].folder ? at(cases[k].folder) : NULL;
                CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;

                has_no_openat2 = i >= ARRAY_SIZE(cases);
                assert_int_equal(fs_entry_open(path, cases[k].make, &e, NULL), cases[k].expected);
                if (!folder)
                        continue;
                assert_same(e.dir, folder);
                assert_string_equal(e.name, cases[k].name);
        }
        CLEANUP(free) char *bad = at("sys/made-bad"), *new = at("sys/other");
        assert_int_equal(access(bad, F_OK), -1);
        assert_int_equal(access(new, F_OK), -1);
}

static void test_relative_paths(void **state)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        assert_int_equal(chdir(top), 0);
        for (int i = 0; i < 2; i++) {
                CLEANUP(fd) int fd = fs_open("sys/to-a-f", O_RDONLY, 0, NULL);

                assert_true(fd >= 0);
                assert_int_equal(fs_open("", O_RDONLY, 0, NULL), -ENOENT);
                assert_int_equal(fs_entry_open("x", 0, &e, NULL), 0);
                assert_same(e.dir, top);
                fs_entry_close(&e);
                has_no_openat2 = true;
        }
        assert_int_equal(fchdir(cwd), 0);
        close(cwd);
}

// What is mounted on the way and may not answer is not gone to while it must not be waited.
static void test_local(void **state)
{
        static const struct {
                const char *path;
                int expected;
        } cases[] = {
                {"sys/dir", -EREMOTE},          {"sys/dir/f", -EREMOTE}, {"sys/dir/none", -EREMOTE},
                {"sys/../sys/dir/f", -EREMOTE}, {"sys/up", -EREMOTE},    {"sys/f", 0},
                {"a/admins-abs/f", -EREMOTE},   {"a/to-own-abs/f", 0},   {"sys/none", -ENOENT},
        };
        CLEANUP(free) char *far = at("sys/dir"), *where = str_printf("%s (nfs4)", far);
        CLEANUP(free) char *below = at("sys/dir/new/x");
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;

        mounts_fixture_add(far, "nfs4");
        has_no_openat2 = true; // it would know better
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(free) char *path = at(cases[i].path);

                (void)local_only_set(true);
                CLEANUP(fd) int fd = fs_open(path, O_RDONLY, 0, NULL);

                assert_int_equal(local_was_refused(), cases[i].expected == -EREMOTE);
                (void)local_only_set(false);
                CLEANUP(fd) int patient = fs_open(path, O_RDONLY, 0, NULL);

                if (MIN(fd, 0) != cases[i].expected)
                        fail_msg("%s: %d", path, fd);
                assert_true(patient >= 0 || patient == -ENOENT);
                if (fd == -EREMOTE)
                        assert_string_equal(local_refusal(NULL), where);
        }
        (void)local_only_set(true);
        assert_int_equal(fs_entry_open(far, 0, &e, NULL), 0);
        assert_int_equal(fs_entry_open_file(&e, O_RDONLY), -EREMOTE);
        fs_entry_close(&e);
        assert_int_equal(fs_entry_open(below, 0755, &e, NULL), -EREMOTE);
        (void)local_only_set(false);
        mounts_done();
}

static void test_links(void **state)
{
        CLEANUP(free) char *new = at("sys/link"), *old = at("sys/to-a"), *file = at("sys/f");
        CLEANUP(free) char *behind = at("a/to-root/link"), *text = NULL;

        assert_int_equal(fs_symlink("x", new, 0, false, NULL), 0);
        assert_int_equal(fs_symlink("x", new, 0, false, NULL), 0);
        assert_int_equal(fs_symlink("y", new, 0, false, NULL), -EEXIST);
        assert_int_equal(fs_symlink("y", new, 0, true, NULL), 0);
        assert_int_equal(fs_readlink(new, &text), 0);
        assert_string_equal(text, "y");
        assert_int_equal(fs_symlink("y", file, 0, true, NULL), -EEXIST);
        assert_int_equal(fs_symlink("y", behind, 0755, true, NULL), -EPERM);
        assert_int_equal(fs_unlink(behind, NULL), -EPERM);
        assert_int_equal(fs_remove_tree(behind), -EPERM);
        assert_int_equal(fs_unlink_symlink(new, "x"), 0);
        assert_int_equal(fs_unlink_symlink(file, "x"), 0);
        assert_int_equal(access(file, F_OK), 0);
        assert_int_equal(fs_unlink_symlink(new, "y"), 0);
        assert_int_equal(fs_unlink_symlink(new, "y"), 0);
        assert_int_equal(fs_unlink(new, NULL), -ENOENT);
        assert_int_equal(fs_unlink(old, NULL), 0); // the link, not what it leads to
}

// ---- owners

static void test_map(void **state)
{
        static const struct {
                const char *map;
                unsigned uid;
                bool has;
        } cases[] = {
                {"         0          0 4294967295\n", 65534, true},
                {"0 1000 1\n", 0, true},
                {"0 1000 1\n", 1, false},
                {"0 1000 1\n", 65534, false},
                {"0 1000 1\n1 100000 65536\n", 65534, true},
                {"0 1000 1\n1 100000 65536\n", 65537, false},
                {"", 0, false},
                {"x", 0, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(owner_map_has(cases[i].map, cases[i].uid), cases[i].has);
        assert_true(owner_is_trusted(0));
        assert_true(owner_is_trusted(geteuid()));
        assert_false(owner_is_trusted(A));
}

static int open_all(void *arg)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        CLEANUP(fd) int fd = fs_open(arg, O_RDONLY, 0, NULL);

        return fd < 0 ? fd : fs_entry_open(arg, 0, &e, NULL);
}

static void test_oom(void **state)
{
        CLEANUP(free) char *path = at("sys/to-a/to-own/f");

        has_no_openat2 = true;
        oom_prove(open_all, path);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
        TEST(test_open),
        TEST(test_the_kernel_protects_hardlinks),
        TEST(test_create_and_truncate),
        TEST(test_create_and_truncate_by_walk),
        TEST(test_entry),
        TEST(test_relative_paths),
        TEST(test_local),
        TEST(test_links),
        TEST(test_map),
        TEST(test_oom),
};
HARNESS_MAIN(tests)
