#include "spawn/kill.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int kill_process(pid_t pid, int pidfd, int signo)
{
        int r = pidfd >= 0 ? (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0)
                           : kill(pid, signo);

        if (r < 0 && errno == ENOSYS)
                r = kill(pid, signo);
        return r < 0 ? -errno : 0;
}

int kill_pidfd_open(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd_move_up(fd);
}

void kill_pids_done(struct kill_pids *pids)
{
        free(pids->items);
        *pids = (struct kill_pids){0};
}

static int add_pid(struct kill_pids *pids, pid_t pid)
{
        if (pids->n >= KILL_PIDS_MAX) {
                pids->is_cut = true;
                return 0;
        }
        // Grown by doubling: at every power of two.
        if ((pids->n & (pids->n - 1)) == 0) {
                size_t capacity = pids->n ? pids->n * 2 : 1;
                pid_t *more = reallocarray(pids->items, capacity, sizeof(*more));

                if (!more)
                        return -ENOMEM;
                pids->items = more;
        }
        pids->items[pids->n++] = pid;
        return 0;
}

// Whatever a service leaves behind has its environment, but for the moment of an exec: who has come
// to us as an orphan in that moment is looked at again. On a busy machine the moment is long; but
// one that was made long ago has no environment for good.
#define EXEC_LOOKS 200
#define EXEC_PAUSE_USEC 250
#define EXEC_AGE_SEC 2

static bool is_young(pid_t pid)
{
        struct timespec now;
        uint64_t start;

        return proc_get_start_time(pid, &start) == 0 && clock_gettime(CLOCK_BOOTTIME, &now) == 0 &&
               (uint64_t)now.tv_sec < start / (uint64_t)sysconf(_SC_CLK_TCK) + EXEC_AGE_SEC;
}

static int has_invocation_id(pid_t pid, const char *wanted)
{
        for (int look = 0; look < EXEC_LOOKS; look++) {
                CLEANUP(free) char *id = NULL;
                pid_t parent;
                int r = proc_get_environ(pid, "INVOCATION_ID", &id);

                if (r == 0)
                        return streq(id, wanted);
                if (r == -ENOMEM)
                        return r;
                // -ESRCH: the old memory is gone, the new not there yet, says Linux 6.
                if ((r != -EAGAIN && r != -ESRCH) || proc_get_parent(pid, &parent) < 0 ||
                    parent != getpid() || !proc_is_alive(pid) || !is_young(pid))
                        return 0;
                usleep(EXEC_PAUSE_USEC);
        }
        return 0;
}

int kill_is_marked(pid_t pid, const struct kill_marks *marks)
{
        pid_t group, session;

        if (pid == marks->main_pid || pid == marks->control_pid)
                return 1;
        int r = proc_get_session(pid, &group, &session);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (marks->main_pid > 0 && (group == marks->main_pid || session == marks->main_pid))
                return 1;
        if (marks->control_pid > 0 &&
            (group == marks->control_pid || session == marks->control_pid))
                return 1;
        return marks->invocation_id ? has_invocation_id(pid, marks->invocation_id) : 0;
}

int kill_find_marked(const struct kill_marks *marks, struct kill_pids *ret)
{
        CLEANUP(kill_pids) struct kill_pids pids = {0};
        pid_t self = getpid();
        DIR *d = opendir("/proc");
        int r = 0;

        if (!d)
                return -errno;
        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

                if (pid <= 0 || pid == self)
                        continue;
                r = kill_is_marked(pid, marks);
                if (r > 0)
                        r = proc_get_state(pid);
                if (r > 0)
                        r = r == 'Z' || r == 'X' ? 0 : add_pid(&pids, pid);
                else if (r != -ENOMEM)
                        r = 0; // gone meanwhile
        }
        closedir(d);
        if (r < 0)
                return r;
        *ret = pids;
        pids = (struct kill_pids){0};
        return 0;
}

static bool is_kept(pid_t pid, const pid_t *keep, size_t n_keep)
{
        for (size_t i = 0; i < n_keep; i++)
                if (keep[i] == pid)
                        return true;
        return false;
}

int kill_all(const struct kill_pids *pids, const pid_t *keep, size_t n_keep, int signo)
{
        int n = 0, error = 0;

        for (size_t i = 0; i < pids->n; i++) {
                pid_t pid = pids->items[i];

                if (is_kept(pid, keep, n_keep))
                        continue;
                int r = kill_process(pid, -1, signo);

                if (r == 0)
                        n++;
                else if (r != -ESRCH && error == 0)
                        error = r;
                // A stopped process would never see the signal.
                if (r == 0 && signo != SIGKILL && signo != SIGCONT)
                        (void)kill_process(pid, -1, SIGCONT);
        }
        return n > 0 ? n : error;
}
