#include "base/fd.h"

#include "unit/harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

// close_range() of another kernel: there, missing, or refused after a number of calls.
static int close_range_calls_left = -1; // -1: the real one

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f);

long __wrap_syscall(long number, long a, long b, long c, long d, long e, long f)
{
        if (number == SYS_close_range && close_range_calls_left >= 0) {
                if (close_range_calls_left == 0) {
                        errno = ENOSYS;
                        return -1;
                }
                close_range_calls_left--;
        }
        return __real_syscall(number, a, b, c, d, e, f);
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_close(void **state)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        errno = EXDEV;
        assert_int_equal(fd_close(fd), -1);
        assert_false(is_open(fd));
        errno = EXDEV;
        assert_int_equal(fd_close(-1), -1);
        assert_int_equal(errno, EXDEV);
}

static void test_move_up(void **state)
{
        int fd = open("/dev/null", O_RDONLY);
        int up = fd_move_up(fd);

        assert_true(up >= FD_LOW_WINDOW);
        assert_false(is_open(fd));
        assert_int_equal(fcntl(up, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fd_set_cloexec(up, false), 0);
        assert_int_equal(fcntl(up, F_GETFD), 0);
        assert_int_equal(fd_move_up(up), up); // is up already
        assert_int_equal(fcntl(up, F_GETFD), FD_CLOEXEC);
        fd_close(up);
        assert_int_equal(fd_move_up(open("/nonexistent", O_RDONLY | O_CLOEXEC)), -ENOENT);
        assert_int_equal(fd_move_up(up), -EBADF);
        assert_int_equal(fd_move_up(3000), -EBADF);
}

static void test_flags(void **state)
{
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(fd_set_nonblock(fds[0], true), 0);
        assert_true(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_set_nonblock(fds[0], false), 0);
        assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
        fd_close(fds[0]);
        fd_close(fds[1]);
        assert_int_equal(fd_set_nonblock(fds[0], true), -EBADF);
        assert_int_equal(fd_set_cloexec(fds[0], true), -EBADF);
}

// In a child: numbers 100..119 are open, some are kept, everything else from 100 on must go.
static int close_in_child(const int *keep, size_t n, int calls)
{
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                int bad = 0;

                for (int fd = 100; fd < 120; fd++)
                        dup2(STDIN_FILENO, fd);
                close_range_calls_left = calls;
                if (fd_close_from(100, keep, n) != 0)
                        _exit(99);
                for (int fd = 100; fd < 120; fd++) {
                        bool is_wanted = false;

                        for (size_t i = 0; i < n; i++)
                                is_wanted |= keep[i] == fd;
                        bad += is_wanted != is_open(fd);
                }
                _exit(bad + !is_open(STDERR_FILENO));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_close_from(void **state)
{
        static const struct {
                int keep[4];
                size_t n;
        } cases[] = {
                {{0}, 0},
                {{100}, 1},
                {{119}, 1},
                {{101, 100, 119}, 3},
                {{110, 3, -1, 110}, 4},
                {{102, 104, 106, 108}, 4},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                for (int calls = -1; calls < 3; calls++)
                        assert_int_equal(close_in_child(cases[i].keep, cases[i].n, calls), 0);
}

static void test_read_all(void **state)
{
        static char big[100000];
        CLEANUP(free) char *text = NULL;
        char *none = NULL;
        size_t size = 0;
        FILE *f = tmpfile();

        memset(big, 'x', sizeof(big));
        assert_int_equal(fd_write_all(fileno(f), big, sizeof(big)), 0);
        assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
        assert_int_equal(fd_read_all(fileno(f), sizeof(big), &text, &size), 0);
        assert_int_equal(size, sizeof(big));
        assert_memory_equal(text, big, sizeof(big));
        assert_int_equal(text[size], '\0');
        assert_int_equal(lseek(fileno(f), 0, SEEK_SET), 0);
        assert_int_equal(fd_read_all(fileno(f), sizeof(big) - 1, &none, NULL), -EFBIG);
        assert_null(none);
        fclose(f);
        assert_int_equal(fd_read_all(-1, 10, &none, NULL), -EBADF);
        assert_null(none);
}

static void test_write_all_reports_a_full_pipe(void **state)
{
        static char big[300000];
        int fds[2];

        assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
        assert_int_equal(fd_write_all(fds[1], big, sizeof(big)), -EAGAIN);
        fd_close(fds[0]);
        fd_close(fds[1]);
}

static void test_send(void **state)
{
        char space[CMSG_SPACE(2 * sizeof(int))], data[8];
        struct iovec iov = {.iov_base = data, .iov_len = sizeof(data)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = space,
                                 .msg_controllen = sizeof(space)};
        static int too_many[254];
        int fds[2], received[2] = {-1, -1};

        assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(fd_send(fds[0], "ab", 2, fds, 2), 0);
        assert_int_equal(recvmsg(fds[1], &message, MSG_CMSG_CLOEXEC), 2);
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        if (!c || c->cmsg_type != SCM_RIGHTS)
                fail_msg("no descriptors came");
        else
                memcpy(received, CMSG_DATA(c), sizeof(received));
        assert_true(is_open(received[0]) && is_open(received[1]));
        assert_int_equal(fd_send(fds[0], "cd", 2, NULL, 0), 0);
        assert_int_equal(recv(fds[1], data, sizeof(data), 0), 2);
        assert_int_equal(fd_send(fds[0], "x", 1, too_many, ARRAY_SIZE(too_many)), -E2BIG);
        fd_close(fds[1]);
        fd_close(received[1]);
        assert_int_equal(fd_send(fds[0], "x", 1, NULL, 0), -ECONNREFUSED); // and no SIGPIPE
        fd_close(fds[0]);
        fd_close(received[0]);
}

static void test_count(void **state)
{
        int before = fd_count_open(), fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(before >= 3);
        assert_int_equal(fd_count_open(), before + 1);
        fd_close(fd);
        assert_int_equal(fd_count_open(), before);
}

static void test_oom_read(void **state)
{
        OOM_LOOP {
                CLEANUP(free) char *text = NULL;
                CLEANUP(fd) int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
                int r = fd_read_all(fd, 1 << 20, &text, NULL);

                if (oom_struck(r))
                        assert_null(text);
                else
                        assert_int_equal(r, 0);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close),    cmocka_unit_test(test_move_up),
        cmocka_unit_test(test_flags),    cmocka_unit_test(test_close_from),
        cmocka_unit_test(test_read_all), cmocka_unit_test(test_write_all_reports_a_full_pipe),
        cmocka_unit_test(test_send),     cmocka_unit_test(test_count),
        cmocka_unit_test(test_oom_read),
};
HARNESS_MAIN(tests)
