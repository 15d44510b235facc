#include "core/reap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"
#include "core/manager.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

// Looking for strays goes through all children: not more often than this, and so many at once.
#define SWEEP_INTERVAL (100 * USEC_PER_MSEC)
#define SWEEP_BATCH 256

// A known process.
struct reaped {
        struct reaper *reaper; // NULL: it has ended, and its owner is being told
        struct child *child;
        struct watch watch; // fd borrowed of the child; -1: the kernel has no pidfds
        void (*on_exit)(struct child *c, const siginfo_t *info);
};

// The list of our children as the kernel writes it: "12 13 ".
struct children {
        int fd; // kept open; -1: not opened yet
        struct buf text;
        uint64_t batch; // of events, in which it was read; 0: must be read
        bool has_unknown;
};

struct reaper {
        struct events *events;
        struct u64map *by_pid; // struct reaped
        size_t n_without_pidfd;
        // A source of sd-event would close its signalfd when it is switched off, which does not
        // take it out of the epoll as long as a child that is about to exec has it, too.
        struct watch sigchld; // fd owned
        struct timer sweep_timer;
        usec_t last_sweep;
        struct children children;
};

// ---- the end of one

static void stop_watching(struct reaped *e)
{
        struct reaper *r = e->reaper;
        struct child *c = e->child;

        watch_remove(r->events, &e->watch);
        if (e->watch.fd < 0)
                r->n_without_pidfd--;
        c->pidfd = fd_close(c->pidfd);
        c->pid = 0;
}

static void forget(struct reaped *e)
{
        u64map_remove(e->reaper->by_pid, (uint64_t)e->child->pid);
        stop_watching(e);
        free(e);
}

static void finish(struct reaped *e, const siginfo_t *info)
{
        struct reaper *r = e->reaper;
        uint64_t pid = (uint64_t)e->child->pid;

        stop_watching(e);
        e->reaper = NULL;
        e->on_exit(e->child, info);
        // Its owner may have forgotten it by himself.
        if (u64map_get(r->by_pid, pid) == e)
                u64map_remove(r->by_pid, pid);
        free(e);
}

// Has it ended?
static void look(struct reaped *e)
{
        siginfo_t info = {0};

        if (waitid(P_PID, (id_t)e->child->pid, &info, WEXITED | WNOHANG) == 0) {
                if (info.si_pid != 0)
                        finish(e, &info);
                return;
        }
        if (errno != ECHILD)
                return;
        // Not a child of ours, or somebody else has waited for it: its status cannot be had.
        info = (siginfo_t){0};
        info.si_pid = e->child->pid;
        finish(e, &info);
}

static void on_pidfd(struct watch *w, uint32_t revents UNUSED)
{
        look(CONTAINER_OF(w, struct reaped, watch));
}

// ---- strays

static void on_sweep(struct timer *timer, usec_t now);

static void sweep_later(struct reaper *r, usec_t when)
{
        // Without memory the next SIGCHLD asks again.
        if (!timer_is_set(&r->sweep_timer))
                (void)timer_set(r->events, &r->sweep_timer, when, on_sweep);
}

static void on_sweep(struct timer *timer, usec_t now)
{
        struct reaper *r = CONTAINER_OF(timer, struct reaper, sweep_timer);

        r->last_sweep = now;
        (void)watch_set(r->events, &r->sigchld, EPOLLIN);
        for (int i = 0; i < SWEEP_BATCH; i++) {
                siginfo_t info = {0};

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
                        return;
                struct reaped *e = u64map_get(r->by_pid, (uint64_t)info.si_pid);

                if (e)
                        finish(e, &info);
        }
        sweep_later(r, usec_add(now, SWEEP_INTERVAL));
}

// One at a time: the end of one may change the map.
static void look_at_those_without_pidfd(struct reaper *r)
{
        size_t n = 0, position = 0;
        void *value;
        CLEANUP(free) uint64_t *pids = calloc(r->n_without_pidfd, sizeof(*pids));

        if (!pids)
                return; // the sweep finds them, too
        while (n < r->n_without_pidfd) {
                uint64_t pid;

                if (!u64map_next(r->by_pid, &position, &pid, &value))
                        break;
                if (((struct reaped *)value)->watch.fd < 0)
                        pids[n++] = pid;
        }
        while (n > 0) {
                struct reaped *e = u64map_get(r->by_pid, pids[--n]);

                if (e)
                        look(e);
        }
}

static void on_sigchld(struct watch *w, uint32_t revents UNUSED)
{
        struct reaper *r = CONTAINER_OF(w, struct reaper, sigchld);
        struct signalfd_siginfo ignored;

        if (read(w->fd, &ignored, sizeof(ignored)) < 0)
                return;
        if (r->n_without_pidfd > 0)
                look_at_those_without_pidfd(r);
        else // pidfds tell of those that are known: until the next sweep there is nothing to hear
                watch_remove(r->events, w);
        sweep_later(r, usec_add(r->last_sweep, SWEEP_INTERVAL));
}

// ---- orphans

// Less than that: the kernel had no more to tell (it fills a page before it breaks off).
#define CHILDREN_FULL 2048

static int read_children(struct children *c)
{
        char text[16384];
        ssize_t n;

        if (c->fd < 0) // of this thread: there is no other
                c->fd = fd_move_up(open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
        if (c->fd < 0)
                return c->fd;
        buf_clear(&c->text);
        do {
                n = pread(c->fd, text, sizeof(text), (off_t)c->text.size);
                if (n < 0)
                        return -errno;
                buf_put(&c->text, text, (size_t)n);
        } while (n >= CHILDREN_FULL && c->text.error == 0);
        return c->text.error;
}

int reaper_foreach_unknown(struct reaper *r, int (*f)(pid_t pid, void *data), void *data)
{
        struct children *c = &r->children;
        uint64_t batch = events_batch(r->events);
        bool is_fresh = batch > 0 && c->batch == batch;
        int e = is_fresh ? 0 : read_children(c);

        c->batch = 0;
        if (e < 0 || (is_fresh && !c->has_unknown))
                return MIN(e, 0);
        c->has_unknown = false;
        for (const char *p = buf_text(&c->text); e == 0 && *p;) {
                char *end;
                unsigned long pid = strtoul(p, &end, 10);

                if (end == p)
                        break;
                p = end + strspn(end, " ");
                if (u64map_get(r->by_pid, pid))
                        continue;
                c->has_unknown = true;
                e = f((pid_t)pid, data);
        }
        c->batch = batch;
        return e;
}

// ---- the reaper

static int watch_sigchld(struct reaper *r)
{
        sigset_t mask;

        sigemptyset(&mask);
        sigaddset(&mask, SIGCHLD);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        int fd = fd_move_up(signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK));

        if (fd < 0)
                return fd;
        r->sigchld = (struct watch){.fd = fd, .on_event = on_sigchld};
        return watch_set(r->events, &r->sigchld, EPOLLIN);
}

int reaper_new(struct manager *m, struct reaper **ret)
{
        struct reaper *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->events = m->events;
        r->sigchld.fd = r->children.fd = -1;
        r->by_pid = u64map_new();
        int e = r->by_pid ? watch_sigchld(r) : -ENOMEM;

        if (e < 0) {
                reaper_free(r);
                return e;
        }
        *ret = r;
        return 0;
}

void reaper_free(struct reaper *r)
{
        size_t position = 0;
        uint64_t pid;
        void *value;

        if (!r)
                return;
        while (r->by_pid && u64map_next(r->by_pid, &position, &pid, &value))
                forget(value);
        u64map_free(r->by_pid);
        watch_remove(r->events, &r->sigchld);
        fd_close(r->sigchld.fd);
        timer_stop(r->events, &r->sweep_timer);
        fd_close(r->children.fd);
        buf_done(&r->children.text);
        free(r);
}

static int open_pidfd(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd_move_up(fd);
}

static int watch_child(struct reaper *r, struct child *c, pid_t pid, int pidfd,
                       void (*on_exit)(struct child *c, const siginfo_t *info))
{
        struct reaped *e = calloc(1, sizeof(*e));
        int error = e ? 0 : -ENOMEM;

        if (error == 0)
                error = u64map_set(r->by_pid, (uint64_t)pid, e);
        if (error < 0) {
                fd_close(pidfd);
                free(e);
                return error;
        }
        *e = (struct reaped){.reaper = r, .child = c, .on_exit = on_exit};
        e->watch = (struct watch){.fd = pidfd, .on_event = on_pidfd};
        c->pid = pid;
        c->pidfd = pidfd;
        if (pidfd < 0) {
                r->n_without_pidfd++;
                (void)watch_set(r->events, &r->sigchld, EPOLLIN);
                return 0;
        }
        error = watch_set(r->events, &e->watch, EPOLLIN);
        if (error < 0)
                forget(e);
        return error;
}

int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd,
                 void (*on_exit)(struct child *c, const siginfo_t *info))
{
        if (pidfd < 0)
                pidfd = open_pidfd(pid);
        int e = watch_child(r, c, pid, MAX(pidfd, -1), on_exit);

        // It may have ended before there was anything to tell of it.
        if (e == 0 && pidfd < 0)
                sweep_later(r, clock_now());
        return e;
}

int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid,
                       void (*on_exit)(struct child *c, const siginfo_t *info))
{
        int pidfd = open_pidfd(pid);

        return pidfd < 0 ? pidfd : watch_child(r, c, pid, pidfd, on_exit);
}

void reaper_forget(struct reaper *r, struct child *c)
{
        struct reaped *e = c->pid > 0 ? u64map_get(r->by_pid, (uint64_t)c->pid) : NULL;

        if (!e || e->child != c)
                return;
        if (e->reaper) {
                forget(e);
                return;
        }
        u64map_remove(r->by_pid, (uint64_t)c->pid);
        c->pid = 0;
}

struct child *reaper_find(struct reaper *r, pid_t pid,
                          void (*on_exit)(struct child *c, const siginfo_t *info))
{
        const struct reaped *e = u64map_get(r->by_pid, (uint64_t)pid);

        return e && e->on_exit == on_exit ? e->child : NULL;
}

size_t reaper_count(const struct reaper *r)
{
        return u64map_size(r->by_pid);
}
