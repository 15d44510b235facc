// Finding the main process of a service if it is not our child: PID files, guessing, MAINPID=.
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/owner.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "core/loop/reap.h"
#include "core/service/processes.h"
#include "core/service/service_priv.h"
#include "spawn/kill.h"

#include <fcntl.h>
#include <sys/stat.h>

#define PID_FILE_MAX 4096
#define PID_FILE_LOOK (20 * USEC_PER_MSEC)
#define PID_FILE_LOOK_FAR (500 * USEC_PER_MSEC) // each look forks a process

// Is the main process known and alive (1), known and gone (0), not known (-EAGAIN)?
static int run_main_is_good(const struct run *run)
{
        if (run->main.pid > 0)
                return 1;
        return run->main_pid_known ? 0 : -EAGAIN;
}

bool run_is_good(struct run *run)
{
        if (!run_bus_name_is_good(run))
                return false;
        int r = run_main_is_good(run);

        if (r > 0)
                return true;
        if (r == 0 && run_conf(run)->exit_type == EXIT_TYPE_MAIN)
                return false;
        return run_look_for_strays(run) != ORPHANS_NONE;
}

static void unwatch(struct run *run, struct child *c)
{
        if (c->pid > 0)
                reaper_forget(run->manager->reaper, c);
}

void run_unwatch_main(struct run *run)
{
        unwatch(run, &run->main);
}

void run_unwatch_control(struct run *run)
{
        unwatch(run, &run->control);
}

// An orphan without an owner: a daemon that left both session and environment behind.
static bool is_free(const struct run *run, pid_t pid)
{
        struct proc_stat stat;
        struct proc_uids uids;

        return proc_get_stat(pid, &stat) == 0 && stat.parent == getpid() &&
               proc_get_uids(pid, &uids) == 0 && run_may_own(run, &uids);
}

int run_main_pid_is_suitable(struct run *run, pid_t pid, const char **ret_owner, char **buffer)
{
        struct orphan_facts facts;

        if (pid <= 1 || pid == getpid() || pid == run->control.pid)
                return -EPERM;
        if (!proc_is_alive(pid))
                return -ESRCH;
        int r = process_find_owner(run->manager, pid, &facts);

        if (r <= 0)
                return r == 0 ? is_free(run, pid) : r;
        if (facts.owner.self == run)
                return 1;
        *ret_owner = owner_name(&facts.owner, buffer);
        return -EBUSY;
}

// The checks apply to the process behind pidfd, or that process is gone.
static int watch_main(struct run *run, pid_t pid, int pidfd)
{
        const struct owner owner = run_as_owner(run);
        struct reaper *reaper = run->manager->reaper;
        struct proc_stat stat;
        int r = proc_get_stat(pid, &stat);

        if (r == 0 && stat.parent == getpid())
                return reaper_watch(reaper, &run->main, pid, pidfd, owner, service_on_main_exit);
        if (r == 0 && pidfd < 0)
                r = -EOPNOTSUPP; // its exit would not be reported
        if (r < 0) {
                fd_close(pidfd);
                return r;
        }
        return reaper_watch_alien(reaper, &run->main, pid, pidfd, owner, service_on_main_exit);
}

int run_set_main_pid(struct run *run, pid_t pid, bool is_trusted)
{
        CLEANUP(free) char *buffer = NULL;
        const char *owner;

        if (pid == run->main.pid)
                return 0;
        // The pidfd is opened before the process is checked again: by now the pid may belong to
        // another.
        CLEANUP(fd) int pidfd = kill_pidfd_open(pid);

        if (pidfd == -ESRCH)
                return -ESRCH;
        int r = run_main_pid_is_suitable(run, pid, &owner, &buffer);

        if (r < 0 || (r == 0 && !is_trusted))
                return r < 0 ? r : -EPERM;
        run_unwatch_main(run);
        run_note_process(run);
        int taken = TAKE_FD(pidfd);

        r = watch_main(run, pid, MAX(taken, -1));
        if (r < 0)
                return r;
        run_set_main(run);
        return 0;
}

// ---- PID file

// A read of the file that is in progress.
struct pid_reading {
        struct run *run;
        char *path; // what the inquiry reads
        bool may_warn;
        void (*then)(struct run *run, int r);
        struct inquiry *inquiry;
        struct errand errand;
};

// *ret_is_roots: only root (or the supervisor's user) can have written the file, or placed it at
// this path.
static int read_pid(const char *path, pid_t *ret, bool *ret_is_roots)
{
        bool is_safe;
        CLEANUP(fd)
        int fd = fs_open_judged(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, &is_safe);
        CLEANUP(free) char *text = NULL;
        struct stat st;
        size_t size;

        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EBADFD;
        int r = fd_read_all(fd, PID_FILE_MAX, &text, &size);

        if (r < 0)
                return r;
        *ret_is_roots = is_safe && owner_is_trusted(st.st_uid);
        return parse_pid_file(text, size, ret);
}

static void read_pid_file(struct inquiry_answer *answer, const void *path)
{
        bool is_roots = false;
        pid_t pid = 0;
        int r = read_pid(path, &pid, &is_roots);

        inquiry_put_number(answer, r < 0 ? r : pid);
        inquiry_put_number(answer, is_roots);
}

// What the file says: 0 and that is the main process, -errno.
static int accept_pid(struct run *run, const char *path, pid_t pid, bool is_roots, int level)
{
        if (run->main_pid_known && pid == run->main.pid)
                return 0;
        CLEANUP(free) char *buffer = NULL;
        const char *other;
        int r = run_main_pid_is_suitable(run, pid, &other, &buffer);

        if (r == -EAGAIN)
                return r; // it is read again
        if (r == -EBUSY) {
                run_log(run, level == LOG_INFO ? LOG_ERR : level, 0,
                        "New main PID %d belongs to %s. Refusing.", (int)pid, other);
                return r;
        }
        if (r < 0) {
                run_log(run, level, -r, "PID %d read from file %s cannot be its main process",
                        (int)pid, path);
                return r;
        }
        // Otherwise the file could have root signal an arbitrary process.
        if (r == 0 && !is_roots) {
                run_log(run, level == LOG_INFO ? LOG_ERR : level, 0,
                        "PID %d read from file %s does not belong to the service, and others than "
                        "root can have written that file or a link to it. Refusing.",
                        (int)pid, path);
                return -EPERM;
        }
        if (run->main_pid_known && run->main.pid > 0)
                run_log(run, LOG_DEBUG, 0, "Main PID changes: %d -> %d", (int)run->main.pid,
                        (int)pid);
        return run_set_main_pid(run, pid, true);
}

static void reading_free(struct pid_reading *p)
{
        if (!p)
                return;
        errand_done(&p->errand);
        inquiry_free(p->inquiry);
        free(p->path);
        free(p);
}

DEFINE_CLEANUP(reading, struct pid_reading *, reading_free)

void run_forget_pid_file(struct run *run)
{
        if (run->cold)
                reading_free(TAKE(run->cold->pid_reading));
}

// The answer, or the reason why there is none.
static void finish_reading(struct pid_reading *reading, int error)
{
        CLEANUP(reading) struct pid_reading *p = reading;
        struct run *run = p->run;
        int level = p->may_warn ? LOG_INFO : LOG_DEBUG, r = error;
        int64_t pid = 0, is_roots = 0;

        if (run->cold->pid_reading == p)
                run->cold->pid_reading = NULL;
        if (r == 0)
                r = inquiry_next_number(p->inquiry, &pid);
        if (r == 0)
                r = inquiry_next_number(p->inquiry, &is_roots);
        if (r == 0 && pid < 0)
                r = (int)pid;
        if (r < 0)
                run_log(run, level, -r, "Can't open PID file %s (yet?) after %s", p->path,
                        service_state_name(run->state));
        else
                r = accept_pid(run, p->path, (pid_t)pid, is_roots != 0, level);
        if (p->then)
                p->then(run, r);
}

static void on_read(struct errand *e, int error)
{
        finish_reading(CONTAINER_OF(e, struct pid_reading, errand), error);
}

// 0 or 1: *ret holds the answer (or none yet).
static int begin_reading(struct run *run, struct pid_reading **ret)
{
        CLEANUP(reading) struct pid_reading *p = calloc(1, sizeof(*p));
        const char *path = run_conf(run)->pid_file;

        if (!path) // a reload has removed the setting
                return -ENOENT;
        if (!p || str_set(&p->path, path) < 0 || !run_cold_get(run))
                return -ENOMEM;
        p->run = run;
        int r = inquiry_try(read_pid_file, p->path, &p->inquiry);

        if (r >= 0)
                *ret = TAKE(p);
        return r;
}

void run_read_pid_file(struct run *run, bool may_warn, void (*then)(struct run *run, int r))
{
        CLEANUP(reading) struct pid_reading *p = NULL;
        usec_t own = run_conf(run)->timeout_start_sec;
        int r = begin_reading(run, &p);

        run_forget_pid_file(run); // drops an older read
        if (r >= 0) {
                p->may_warn = may_warn;
                p->then = then;
        }
        if (r > 0)
                r = errand_await(run->manager->errands, &p->errand, p->inquiry, run_unit_id(run),
                                 errand_limit(run->manager->errands, own), on_read);
        if (r < 0) {
                run_log(run, LOG_WARNING, -r, "Cannot read its PID file");
                if (then)
                        then(run, r);
        } else if (errand_is_out(&p->errand)) {
                run->cold->pid_reading = TAKE(p);
                run->cold->is_pid_file_far = true;
                run_changed(run);
        } else {
                run->cold->is_pid_file_far = false;
                finish_reading(TAKE(p), 0);
        }
}

const char *run_pid_file_text(const struct run *run)
{
        const struct pid_reading *p = run->cold ? run->cold->pid_reading : NULL;

        return p ? errand_text(&p->errand) : NULL;
}

// ---- waiting for the file

static void on_looked(struct run *run, int r);

static void on_pid_file_timer(struct timer *t, usec_t now UNUSED)
{
        struct run *run = CONTAINER_OF(t, struct run_cold, pid_file_timer)->run;

        run_read_pid_file(run, false, on_looked);
}

static void look_again(struct run *run)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
                return;
        }
        // No process is left that could write it.
        if (run_look_for_strays(run) == ORPHANS_NONE) {
                run_log(run, LOG_WARNING, 0, "No process is left that could write its PID file.");
                if (run->state == SERVICE_START)
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_PROTOCOL);
                else
                        service_enter_stop(run, SERVICE_FAILURE_PROTOCOL);
                return;
        }
        // If the timer cannot be set, the start runs into its timeout.
        (void)timer_set(
                run->manager->events, &cold->pid_file_timer,
                usec_add(clock_now(), cold->is_pid_file_far ? PID_FILE_LOOK_FAR : PID_FILE_LOOK),
                on_pid_file_timer);
}

static void on_looked(struct run *run, int r)
{
        if ((run->state != SERVICE_START && run->state != SERVICE_START_POST) ||
            run->control.pid > 0)
                return;
        if (r < 0)
                look_again(run);
        else if (run->state == SERVICE_START)
                service_enter_start_post(run);
        else
                service_enter_running(run, SERVICE_SUCCESS);
}

void run_await_pid_file(struct run *run)
{
        run_read_pid_file(run, true, on_looked);
}

// ---- guessing

struct guess {
        const struct run *run;
        pid_t pid;
        unsigned n;
};

static int consider(pid_t pid, void *data)
{
        struct guess *g = data;

        if (pid != g->run->control.pid) {
                g->pid = pid;
                g->n++;
        }
        return 0;
}

int run_guess_main_pid(struct run *run, bool may_wait)
{
        struct guess guess = {.run = run};

        if (!run_conf(run)->guess_main_pid || run->main.pid > 0)
                return 0;
        if (run_look_for_strays(run) == ORPHANS_UNKNOWN && may_wait && run->control.pid == 0) {
                run_await_strays(run);
                return 1;
        }
        // The daemon is the process whose parent has exited: it is our child now. If there are
        // several, the choice is a guess.
        (void)orphans_foreach(run->manager->orphans, run, consider, &guess);
        if (guess.n == 1 && run_set_main_pid(run, guess.pid, false) == 0)
                run_log(run, LOG_DEBUG, 0, "Main PID guessed: %d", (int)guess.pid);
        return 0;
}
