#include "core/loop/reap.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/map.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

// A known process.
struct reaped {
        struct reaper *reaper; // NULL: it has ended, and its owner is being notified
        struct child *child;   // NULL: it has been forgotten meanwhile
        struct watch watch;    // fd borrowed from the child; -1: the kernel has no pidfds
        void (*on_exit)(struct child *c, const siginfo_t *info);
        struct owner owner;
        pid_t pid;
        bool is_alien;
};

struct reaper {
        struct events *events;
        struct zombie_keeper *keeper; // may be NULL
        struct u64map *by_pid;        // struct reaped
        size_t n_without_pidfd;
        struct reaped *ending; // the one whose owner is being notified
        // Not an sd-event source: that would close its signalfd when disabled, but the epoll keeps
        // watching the file as long as a child before its exec holds a copy.
        struct watch sigchld; // fd owned
};

// the end of a process

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
        u64map_remove(e->reaper->by_pid, (uint64_t)e->pid);
        stop_watching(e);
        free(e);
}

// A zombie child stays until the keeper decides that it may be waited for.
static void finish(struct reaped *e, const siginfo_t *info, bool is_zombie)
{
        struct reaper *r = e->reaper;
        struct zombie_keeper *k = r->keeper;
        uint64_t mark = k ? k->mark(k) : 0;

        stop_watching(e);
        e->reaper = NULL;
        r->ending = e;
        e->on_exit(e->child, info);
        r->ending = NULL;
        u64map_remove(r->by_pid, (uint64_t)e->pid);
        if (is_zombie && k)
                k->keep(k, e->pid, &e->owner, mark);
        else if (is_zombie)
                (void)waitid(P_PID, (id_t)e->pid, &(siginfo_t){0}, WEXITED | WNOHANG);
        free(e);
}

void reaper_feed(struct reaper *r, const siginfo_t *info, bool is_zombie)
{
        struct reaped *e = u64map_get(r->by_pid, (uint64_t)info->si_pid);

        if (e && e->reaper)
                finish(e, info, is_zombie);
}

// Has it ended?
static void look(struct reaped *e)
{
        siginfo_t info = {0};

        if (waitid(P_PID, (id_t)e->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0) {
                if (info.si_pid != 0)
                        reaper_feed(e->reaper, &info, true);
                return;
        }
        if (errno != ECHILD)
                return;
        // It is not our child, or something else has waited for it: its status is unknown.
        info = (siginfo_t){0};
        info.si_pid = e->pid;
        reaper_feed(e->reaper, &info, false);
}

static void on_pidfd(struct watch *w, uint32_t revents UNUSED)
{
        look(CONTAINER_OF(w, struct reaped, watch));
}

// Collects the pids first: handling an exit may change the map.
static void look_at_those_without_pidfd(struct reaper *r)
{
        size_t n = 0, position = 0;
        void *value;
        CLEANUP(free) uint64_t *pids = calloc(r->n_without_pidfd, sizeof(*pids));

        if (!pids)
                return; // the next SIGCHLD tries again
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

// ---- SIGCHLD

void reaper_listen(struct reaper *r)
{
        (void)watch_set(r->events, &r->sigchld, EPOLLIN);
}

static void on_sigchld(struct watch *w, uint32_t revents UNUSED)
{
        struct reaper *r = CONTAINER_OF(w, struct reaper, sigchld);
        struct signalfd_siginfo ignored;

        if (read(w->fd, &ignored, sizeof(ignored)) < 0)
                return;
        if (r->n_without_pidfd > 0)
                look_at_those_without_pidfd(r);
        else // pidfds report the known children: SIGCHLD is not needed until the next look
                watch_remove(r->events, w);
        if (r->keeper)
                r->keeper->on_sigchld(r->keeper);
}

// ---- the keeper

void reaper_set_keeper(struct reaper *r, struct zombie_keeper *k)
{
        r->keeper = k;
}

// A process whose end is being reported is still in the map.
void reaper_disown(struct reaper *r, const void *owner)
{
        if (r->ending && r->ending->owner.self == owner)
                r->ending->owner.self = NULL;
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

int reaper_new(struct events *events, struct reaper **ret)
{
        struct reaper *r = calloc(1, sizeof(*r));

        if (!r)
                return -ENOMEM;
        r->events = events;
        r->sigchld.fd = -1;
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
        free(r);
}

static int open_pidfd(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd_move_up(fd);
}

static int watch_child(struct reaper *r, struct reaped *wanted, pid_t pid, int pidfd)
{
        struct reaped *e = u64map_get(r->by_pid, (uint64_t)pid) ? NULL : malloc(sizeof(*e));
        int error = e ? 0 : u64map_get(r->by_pid, (uint64_t)pid) ? -EBUSY : -ENOMEM;

        if (error == 0)
                error = u64map_set(r->by_pid, (uint64_t)pid, e);
        if (error < 0) {
                fd_close(pidfd);
                free(e);
                return error;
        }
        *e = *wanted;
        e->reaper = r;
        e->pid = pid;
        e->watch = (struct watch){.fd = pidfd, .on_event = on_pidfd};
        e->child->pid = pid;
        e->child->pidfd = pidfd;
        if (pidfd < 0) {
                r->n_without_pidfd++;
                reaper_listen(r);
                return 0;
        }
        error = watch_set(r->events, &e->watch, EPOLLIN);
        if (error < 0)
                forget(e);
        return error;
}

int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                 void (*on_exit)(struct child *c, const siginfo_t *info))
{
        struct reaped wanted = {.child = c, .on_exit = on_exit, .owner = owner};

        if (pidfd < 0)
                pidfd = open_pidfd(pid);
        int e = watch_child(r, &wanted, pid, MAX(pidfd, -1));

        if (e < 0)
                return e;
        if (r->keeper)
                r->keeper->on_watched(r->keeper, pid);
        siginfo_t info = {0};

        // It may have ended before it was watched: raise SIGCHLD again, which is blocked and so
        // reaches the signalfd.
        if (pidfd < 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0)
                (void)raise(SIGCHLD);
        return 0;
}

int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                       void (*on_exit)(struct child *c, const siginfo_t *info))
{
        struct reaped wanted = {.child = c, .on_exit = on_exit, .owner = owner, .is_alien = true};

        return watch_child(r, &wanted, pid, pidfd);
}

void reaper_forget(struct reaper *r, struct child *c)
{
        struct reaped *e = c->pid > 0 ? u64map_get(r->by_pid, (uint64_t)c->pid) : NULL;

        if (!e || e->child != c)
                return;
        if (!e->reaper) {
                e->child = NULL;
                c->pid = 0;
                return;
        }
        struct owner owner = e->owner;
        pid_t pid = e->pid;
        bool is_ours = !e->is_alien;

        forget(e);
        if (is_ours && r->keeper)
                r->keeper->on_forgotten(r->keeper, pid, &owner);
}

bool reaper_find_owner(const struct reaper *r, pid_t pid, struct owner *ret)
{
        const struct reaped *e = u64map_get(r->by_pid, (uint64_t)pid);

        if (e)
                *ret = e->owner;
        return e;
}

size_t reaper_count(const struct reaper *r)
{
        return u64map_size(r->by_pid);
}
