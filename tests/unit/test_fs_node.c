// Sockets in folders that another process replaces between our check and the system call.
#include "base/fs_node.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/local.h"
#include "base/mounts.h"
#include "unit/harness.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char top[] = "/tmp/usher-test-node-XXXXXX";
static bool swaps, has_no_unixfile, has_no_fchmodat2;

static const char *at(const char *name)
{
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
        return path;
}

int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
        if (swaps) {
                assert_int_equal(rename(at("dir"), at("was")), 0);
                assert_int_equal(symlink("other", at("dir")), 0);
        }
        return __real_bind(fd, address, size);
}

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
        if (has_no_unixfile) {
                errno = EPERM;
                return -1;
        }
        return __real_ioctl(fd, request, arg);
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        if (number == 452 && has_no_fchmodat2) {
                errno = ENOSYS;
                return -1;
        }
        return __real_syscall(number, a, b, c, d, e, f);
}

static int setup(void **state)
{
        strcpy(top + sizeof(top) - 7, "XXXXXX");
        swaps = has_no_unixfile = has_no_fchmodat2 = false;
        return mkdtemp(top) && mkdir(at("dir"), 0755) == 0 && mkdir(at("other"), 0755) == 0 ? 0
                                                                                            : -1;
}

static int teardown(void **state)
{
        return fs_remove_tree(top);
}

static int new_socket(void)
{
        return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// The kernel tells where a socket's node is only with CAP_NET_ADMIN.
static bool has_unixfile(void)
{
        CLEANUP(fd) int fd = new_socket(), node = -1;

        assert_int_equal(fs_bind(fd, at("probe"), 0600, 0, NULL), 0);
        node = __real_ioctl(fd, 0x89e0, NULL);
        assert_int_equal(unlink(at("probe")), 0);
        return node >= 0;
}

static void test_bind(void **state)
{
        for (int i = 0; i < 2; i++) {
                CLEANUP(fd) int fd = new_socket(), again = new_socket();
                struct stat st;
                mode_t old = umask(077);

                assert_int_equal(fs_bind(fd, at("dir/new/sock"), 0666, 0711, NULL), 0);
                assert_int_equal(umask(old), 077);
                assert_int_equal(stat(at("dir/new"), &st), 0);
                assert_int_equal(st.st_mode & 0777, 0711);
                assert_int_equal(stat(at("dir/new/sock"), &st), 0);
                assert_int_equal(st.st_mode & 0777, 0666);
                assert_int_equal(fs_bind(again, at("dir/new/sock"), 0600, 0, NULL), -EADDRINUSE);
                assert_int_equal(fs_bind(again, at("none/sock"), 0600, 0, NULL), -ENOENT);
                assert_int_equal(fs_remove_tree(at("dir/new")), 0);
                has_no_unixfile = true;
        }
        char longer[200] = "/";

        memset(longer + 1, 'x', sizeof(longer) - 2);
        assert_int_equal(fs_bind(-1, longer, 0600, 0, NULL), -ENAMETOOLONG);
}

static void test_bind_in_a_folder_that_is_swapped(void **state)
{
        bool removes = has_unixfile();

        for (int i = 0; i < 2; i++) {
                CLEANUP(fd) int fd = new_socket();
                struct fail why = {0};

                swaps = true;
                assert_int_equal(fs_bind(fd, at("dir/sock"), 0600, 0, &why), -EPERM);
                swaps = false;
                assert_int_equal(why.error, EPERM);
                // What came to be elsewhere is gone, where the kernel tells.
                assert_int_equal(access(at("other/sock"), F_OK), removes && i == 0 ? -1 : 0);
                (void)unlink(at("other/sock"));
                assert_int_equal(unlink(at("dir")), 0);
                assert_int_equal(rename(at("was"), at("dir")), 0);
                has_no_unixfile = true;
        }
}

// While it must not be waited only where nobody can change the way between the look and the
// kernel's.
static void test_bind_local(void **state)
{
        static const struct {
                const char *path;
                mode_t mode; // of "dir"
                int expected;
        } cases[] = {
                {"dir/sock", 0755, 0},
                {"dir/new/sock", 0755, 0},
                {"dir/sock", 01777, 0},
                {"dir/sock", 0775, -EREMOTE},
                {"dir/new/sock", 0777, -EREMOTE},
                {"link/sock", 0755, -EREMOTE},
                {"none/../dir/sock", 0755, -ENOENT},
        };

        assert_int_equal(symlink("dir", at("link")), 0);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(fd) int fd = new_socket(), node = -1;
                int r;

                assert_int_equal(chmod(at("dir"), cases[i].mode), 0);
                (void)local_only_set(true);
                r = fs_bind(fd, at(cases[i].path), 0600, i == 6 ? 0 : 0755, NULL);
                if (r != cases[i].expected)
                        fail_msg("%s: %d", cases[i].path, r);
                if (r == 0)
                        node = fs_node_open(fd, at(cases[i].path), NULL);
                (void)local_only_set(false);
                if (r == 0) {
                        assert_true(node >= 0);
                        assert_int_equal(unlink(at(cases[i].path)), 0);
                }
        }
        mounts_done();
}

static void test_connect(void **state)
{
        CLEANUP(fd) int server = new_socket(), client = new_socket(), other = new_socket();

        assert_int_equal(fs_bind(server, at("dir/sock"), 0600, 0, NULL), 0);
        assert_int_equal(fs_connect(client, at("dir/sock"), NULL), -ECONNREFUSED);
        assert_int_equal(listen(server, 3), 0);
        assert_int_equal(symlink("dir/sock", at("link")), 0);
        assert_int_equal(fs_connect(client, at("dir/sock"), NULL), 0);
        assert_int_equal(fs_connect(other, at("link"), NULL), 0);
        assert_int_equal(fs_connect(client, at("dir"), NULL), -ENXIO);
        assert_int_equal(fs_connect(client, at("none"), NULL), -ENOENT);
}

static void test_node(void **state)
{
        bool finds = has_unixfile();

        for (int i = 0; i < 2; i++) {
                CLEANUP(fd) int fd = new_socket(), node = -1;
                struct stat st;

                assert_int_equal(fs_bind(fd, at("dir/sock"), 0600, 0, NULL), 0);
                node = fs_node_open(fd, at("dir/sock"), NULL);
                assert_true(node >= 0);
                assert_int_equal(fs_node_set_mode(node, 0640), 0);
                assert_int_equal(fs_node_set_owner(node, geteuid(), getegid()), 0);
                assert_int_equal(stat(at("dir/sock"), &st), 0);
                assert_int_equal(st.st_mode & 0777, 0640);
                // Another file, or another name of the node, is in its place.
                node = fd_close(node);
                assert_int_equal(link(at("dir/sock"), at("other/sock")), 0);
                node = fs_node_open(fd, at("dir/sock"), NULL);
                if (finds && i == 0)
                        assert_true(node >= 0);
                else
                        assert_int_equal(node, -EMLINK);
                node = fd_close(node);
                assert_int_equal(unlink(at("dir/sock")), 0);
                assert_int_equal(fs_write_file_atomic(at("dir/sock"), "x", 0600), 0);
                node = fs_node_open(fd, at("dir/sock"), NULL);
                if (finds && i == 0) {
                        assert_int_equal(fs_node_set_mode(node, 0666), 0);
                        assert_int_equal(stat(at("dir/sock"), &st), 0);
                        assert_int_equal(st.st_mode & 0777, 0600);
                } else {
                        assert_int_equal(node, -ENOTSOCK);
                }
                assert_int_equal(unlink(at("dir/sock")), 0);
                assert_int_equal(unlink(at("other/sock")), 0);
                has_no_unixfile = has_no_fchmodat2 = true;
        }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
        TEST(test_bind),       TEST(test_bind_in_a_folder_that_is_swapped),
        TEST(test_bind_local), TEST(test_connect),
        TEST(test_node),
};
HARNESS_MAIN(tests)
