#include "base/nowait.h"

#include "base/array.h"
#include "base/fd.h"
#include "base/local.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

// The timer repeats, since the first signal may come just before the call begins to wait.
#define MOMENT_USEC 1000

static void on_alarm(int signo UNUSED)
{
}

void nowait_begin(void)
{
        static const struct itimerval often = {{0, MOMENT_USEC}, {0, MOMENT_USEC}};
        static bool has_handler;

        if (!has_handler) {
                struct sigaction action = {.sa_handler = on_alarm}; // no SA_RESTART

                has_handler = sigaction(SIGALRM, &action, NULL) == 0;
        }
        if (has_handler)
                (void)setitimer(ITIMER_REAL, &often, NULL);
}

void nowait_end(void)
{
        static const struct itimerval never;
        int error = errno;

        (void)setitimer(ITIMER_REAL, &never, NULL);
        errno = error;
}

int nowait_close(int fd)
{
        if (fd < 0)
                return -1;
        nowait_begin();
        (void)fd_close(fd);
        nowait_end();
        return -1;
}

// ---- files

#define CLOSERS_MAX 16

static struct {
        int pidfds[CLOSERS_MAX]; // of processes that close
        size_t n;
        int *pending; // to be closed by the next process
        size_t n_pending, capacity;
} closers;

bool nowait_is_file(int fd)
{
        uint64_t mount = 0;
        struct mq_attr queue;
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
                return false;
        // Memory files (memfd_create(2)), which alone have seals, and message queues are on no
        // mount that could be found.
        if ((!S_ISREG(st.stx_mode) && !S_ISDIR(st.stx_mode)) || fcntl(fd, F_GET_SEALS) >= 0 ||
            mq_getattr(fd, &queue) == 0)
                return false;
        bool was = local_only_set(true);
        int r = local_check(fd, &mount);

        local_only_set(was);
        return r < 0;
}

static void forget_ended(void)
{
        for (size_t i = closers.n; i-- > 0;) {
                siginfo_t info = {0};

                // ECHILD: the sweep for strays has reaped it.
                if (waitid(P_PIDFD, (id_t)closers.pidfds[i], &info, WEXITED | WNOHANG) == 0 &&
                    info.si_pid == 0)
                        continue;
                fd_close(closers.pidfds[i]);
                closers.pidfds[i] = closers.pidfds[--closers.n];
        }
}

// Runs in a process with a copy of the memory, of which it only reads the numbers.
static void close_pending(void)
{
        int pidfd = -1;

        if (closers.n_pending == 0 || closers.n == CLOSERS_MAX)
                return;
        long pid =
                syscall(SYS_clone, CLONE_FILES | CLONE_PIDFD | SIGCHLD, NULL, &pidfd, NULL, NULL);

        if (pid == 0) {
                syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
                for (size_t i = 0; i < closers.n_pending; i++)
                        syscall(SYS_close, closers.pending[i]);
                syscall(SYS_exit_group, 0);
        }
        if (pid < 0)
                return;
        closers.pidfds[closers.n++] = fd_move_up(pidfd);
        free(TAKE(closers.pending));
        closers.n_pending = closers.capacity = 0;
}

bool nowait_is_full(void)
{
        forget_ended();
        close_pending();
        return closers.n == CLOSERS_MAX || closers.n_pending > 0;
}

int nowait_close_file(int fd)
{
        if (fd < 0)
                return -1;
        if (!nowait_is_file(fd))
                return nowait_close(fd);
        // Without memory the file stays open: a lost descriptor is better than a loop that hangs in
        // close().
        if (ARRAY_RESERVE(closers.pending, closers.n_pending, closers.capacity, 16) < 0)
                return -1;
        closers.pending[closers.n_pending++] = fd;
        (void)nowait_is_full();
        return -1;
}

int nowait_move_up(int fd)
{
        int up = fd_dup_up(fd);

        (void)nowait_close_file(fd);
        return up;
}
