// Looks: which known orphans have ended, and which processes are new. When a look is complete, all
// orphans that had ended before the list of children was read are waited for: whatever they left
// behind is known by then.
#include "base/clock.h"
#include "base/fd.h"
#include "core/start/orphans.h"
#include "core/start/orphans_priv.h"

#include <sys/wait.h>

// With more children than this, a look is taken in slices.
#define CHILDREN_AT_ONCE 512
// With no more than this, a look costs less than the shortest gap allows for, and is not measured.
#define CHILDREN_UNMEASURED 64
#define AT_ONCE_MAX (2 * USEC_PER_MSEC)
// Between looks: while a caller waits, and while none does; at least this multiple of the processor
// time that the last look took.
#define GAP_AWAITED (5 * USEC_PER_MSEC)
#define GAP_IDLE (100 * USEC_PER_MSEC)
#define GAP_FACTOR 10
#define CHECKS_A_TIME 64 // between two readings of the clock

// ---- the phases: true when the phase is over

static bool check_some(struct orphans *o)
{
        for (int i = 0; i < CHECKS_A_TIME && o->cursor != &o->all; i++) {
                struct orphan *x = CONTAINER_OF(o->cursor, struct orphan, all);
                siginfo_t info = {0};

                o->cursor = x->all.next;
                if (x->state == ORPHAN_ENDED)
                        continue;
                if (waitid(P_PID, (id_t)x->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
                        orphans_remove(o, x); // something else has waited for it
                else if (info.si_pid != 0)
                        orphans_set_state(o, x, ORPHAN_ENDED);
        }
        return o->cursor == &o->all;
}

static void meet(struct orphans *o, pid_t pid)
{
        struct owner ignored;

        if (!reaper_find_owner(o->reaper, pid, &ignored) && !orphans_add(o, pid))
                o->is_incomplete = true;
}

// Without /proc: every zombie is waited for, and no orphan's owner is known.
static void wait_for_any(struct orphans *o)
{
        struct owner ignored;

        for (int i = 0; i < CHECKS_A_TIME; i++) {
                siginfo_t info = {0};

                if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                        return;
                if (reaper_find_owner(o->reaper, info.si_pid, &ignored)) {
                        o->has_ended_since = true; // that one comes first
                        return;
                }
                (void)waitid(P_PID, (id_t)info.si_pid, &info, WEXITED | WNOHANG);
        }
}

// 0 or -errno.
static int begin_reading(struct orphans *o)
{
        int r = 0;

        o->n_begun++;
        if (o->source == CHILDREN_UNTRIED) {
                r = proc_children_open(&o->children, 0, 0);
                if (r == 0)
                        o->children.fd = r = fd_move_up(o->children.fd);
                if (r >= 0) {
                        o->source = CHILDREN_FILE;
                        return 0;
                }
                if (r != -EOPNOTSUPP && r != -ESRCH)
                        return r;
                o->processes = opendir("/proc");
                if (!o->processes && errno != ENOENT)
                        return -errno;
                o->source = r == -EOPNOTSUPP && o->processes ? CHILDREN_ALL : CHILDREN_UNSEEN;
                return 0;
        }
        if (o->source == CHILDREN_FILE)
                proc_children_rewind(&o->children);
        if (o->source == CHILDREN_ALL)
                rewinddir(o->processes);
        return 0;
}

// Of all processes, those whose parent is this process.
static bool read_some_processes(struct orphans *o)
{
        struct dirent *e = readdir(o->processes);
        pid_t pid = e ? (pid_t)strtol(e->d_name, NULL, 10) : 0;
        struct proc_stat stat;

        if (pid <= 0 || u64map_get(o->by_pid, (uint64_t)pid))
                return !e;
        int r = proc_get_stat(pid, &stat);

        if (r == 0 && stat.parent == getpid())
                meet(o, pid);
        else if (r < 0 && r != -ESRCH)
                o->is_incomplete = true;
        return false;
}

static bool read_some(struct orphans *o)
{
        if (o->source == CHILDREN_ALL)
                return read_some_processes(o);
        if (o->source == CHILDREN_UNSEEN) {
                wait_for_any(o);
                return true;
        }
        for (int i = 0; i < CHECKS_A_TIME; i++) {
                pid_t pid;
                int r = proc_children_next(&o->children, &pid);

                if (r < 0)
                        o->is_incomplete = true;
                if (r <= 0)
                        return true;
                meet(o, pid);
        }
        return false;
}

static bool sort_one(struct orphans *o)
{
        struct orphan *x = CONTAINER_OF(o->unsorted.next, struct orphan, todo);

        if (list_is_empty(&o->unsorted))
                return true;
        // If it cannot be examined, it moves to the end of the list, and the next look tries again.
        if (orphans_sort(o, x) && x->state == ORPHAN_UNSORTED)
                return true;
        return false;
}

static bool reap_some(struct orphans *o)
{
        if (o->is_incomplete)
                return true;
        for (int i = 0; i < CHECKS_A_TIME; i++) {
                struct orphan *x = CONTAINER_OF(o->ended.next, struct orphan, todo);

                // In the order in which they ended.
                if (list_is_empty(&o->ended) || x->died >= o->n_begun)
                        return true;
                (void)waitid(P_PID, (id_t)x->pid, &(siginfo_t){0}, WEXITED | WNOHANG);
                orphans_remove(o, x);
        }
        return false;
}

// ---- reports to owners

static bool is_same(const struct proc_uids *a, const struct proc_uids *b)
{
        return a->real == b->real && a->effective == b->effective && a->saved == b->saved;
}

// The kinds of users that the unsorted orphans have: these may still turn out to have an owner.
static void list_suspects(struct orphans *o)
{
        struct suspects *s = &o->suspects;

        s->n = 0; // the array need not be cleared
        s->is_any = !list_is_empty(&o->unsorted);
        LIST_FOREACH (&o->asked, node) {
                const struct orphan *x = CONTAINER_OF(node, struct orphan, todo);
                bool is_of_hung = orphans_has_hung(o, x->uids.real), is_listed = x->is_mute;

                for (size_t i = 0; i < s->n && !is_listed; i++)
                        is_listed = is_same(&s->items[i].uids, &x->uids) &&
                                    s->items[i].is_of_hung == is_of_hung;
                if (is_listed)
                        continue;
                if (s->n == SUSPECTS_MAX) {
                        s->is_any = true;
                        return;
                }
                s->items[s->n++] = (struct suspect){x->uids, is_of_hung};
        }
}

static enum orphans_state state_of(struct orphans *o, const void *owner)
{
        const struct brood *brood = u64map_get(o->by_owner, (uintptr_t)owner);
        const struct suspects *s = &o->suspects;

        if (!owner)
                return ORPHANS_NONE;
        if (brood && brood->n_living > 0)
                return ORPHANS_SOME;
        if (brood || s->is_any) // orphans that ended meanwhile may have left further ones
                return ORPHANS_UNKNOWN;
        for (size_t i = 0; i < s->n; i++)
                if (o->hooks.may_own(o->hooks.data, owner, &s->items[i].uids,
                                     s->items[i].is_of_hung))
                        return ORPHANS_UNKNOWN;
        return ORPHANS_NONE;
}

static void begin_telling(struct orphans *o)
{
        o->phase = LOOK_TELL;
        o->has_news = false;
        list_suspects(o);
        LIST_FOREACH (&o->waits, node) {
                list_remove(node);
                list_append(&o->telling, node);
        }
}

static bool tell_one(struct orphans *o)
{
        struct orphans_wait *w = CONTAINER_OF(o->telling.next, struct orphans_wait, node);

        if (list_is_empty(&o->telling))
                return true;
        enum orphans_state state =
                w->since < o->n_complete ? state_of(o, w->owner) : ORPHANS_UNKNOWN;

        list_remove(&w->node);
        if (state == ORPHANS_UNKNOWN)
                list_append(&o->waits, &w->node);
        else
                w->on_known(w, state);
        return false;
}

// ---- one look

static void on_time(struct timer *t, usec_t now);

static void set_timer(struct orphans *o, usec_t when)
{
        // If the timer cannot be set, the next SIGCHLD tries again.
        if (!timer_is_set(&o->timer) || o->timer.node.key > when)
                (void)timer_set(o->events, &o->timer, when, on_time);
}

static bool is_look_wanted(const struct orphans *o)
{
        return o->has_ended_since || o->is_incomplete || o->n_wanted > o->n_complete ||
               !list_is_empty(&o->ended);
}

static void plan_look(struct orphans *o)
{
        bool is_awaited = !list_is_empty(&o->waits) || !list_is_empty(&o->telling);
        usec_t gap = MAX(is_awaited ? GAP_AWAITED : GAP_IDLE, GAP_FACTOR * o->cost);

        if (o->phase == LOOK_IDLE && is_look_wanted(o))
                set_timer(o, usec_add(o->ended_at, gap));
}

static void begin_look(struct orphans *o)
{
        o->phase = LOOK_CHECK;
        o->cursor = o->all.next;
        o->spent = 0;
        o->is_incomplete = false;
        if (!list_is_empty(&o->asked))
                orphans_ask_soon(o, 0);
}

static void end_look(struct orphans *o)
{
        o->ended_at = clock_now();
        o->cost = o->spent;
        // If something could not be read, zombies are kept: their pids may be its session.
        if (!o->is_incomplete) {
                o->n_complete = o->n_begun;
                o->batch = events_batch(o->events);
        }
        o->phase = LOOK_IDLE;
        if (!list_is_empty(&o->waits))
                o->has_news = true;
}

static void begin_next_phase(struct orphans *o)
{
        switch (o->phase) {
        case LOOK_CHECK:
                o->phase = begin_reading(o) < 0 ? LOOK_SORT : LOOK_READ;
                o->is_incomplete |= o->phase == LOOK_SORT;
                break;
        case LOOK_READ:
                o->phase = LOOK_SORT;
                break;
        case LOOK_SORT:
                o->phase = LOOK_REAP;
                break;
        case LOOK_REAP:
                end_look(o);
                break;
        case LOOK_TELL:
        case LOOK_IDLE:
                o->phase = LOOK_IDLE;
                break;
        }
}

static size_t count_children(const struct orphans *o)
{
        return reaper_count(o->reaper) + u64map_size(o->by_pid);
}

static void go_on(struct orphans *o, usec_t until)
{
        static bool (*const go_on_a_little[])(struct orphans * o) = {
                [LOOK_CHECK] = check_some, [LOOK_READ] = read_some, [LOOK_SORT] = sort_one,
                [LOOK_REAP] = reap_some,   [LOOK_TELL] = tell_one,
        };
        // The clock is read by a system call, so only where the sum is needed.
        bool is_measured = o->source == CHILDREN_ALL || count_children(o) > CHILDREN_UNMEASURED;
        usec_t before = is_measured ? clock_cpu() : 0;

        while (o->phase != LOOK_IDLE && clock_now() < until) {
                if (!go_on_a_little[o->phase](o))
                        continue;
                if (o->phase == LOOK_REAP &&
                    is_measured) { // the look ends, and takes the sum as its cost
                        usec_t now = clock_cpu();

                        o->spent += now - before;
                        before = now;
                }
                begin_next_phase(o);
        }
        if (o->phase != LOOK_IDLE && is_measured)
                o->spent += clock_cpu() - before;
}

static void on_time(struct timer *t, usec_t now UNUSED)
{
        struct orphans *o = CONTAINER_OF(t, struct orphans, timer);

        if (o->phase == LOOK_IDLE && o->has_news)
                begin_telling(o);
        else if (o->phase == LOOK_IDLE && is_look_wanted(o)) {
                o->has_ended_since = false;
                reaper_listen(o->reaper);
                begin_look(o);
        }
        go_on(o, usec_add(clock_now(), ORPHANS_SLICE));
        if (o->phase != LOOK_IDLE || o->has_news)
                set_timer(o, usec_add(clock_now(), ORPHANS_SLICE));
        else
                plan_look(o);
}

// ---- requests for a look

// False: there is too much to do, or something could not be read. SIGCHLD is not listened to again:
// if it came since the last look from the timer, the next one is due soon, and many such looks cost
// the system calls for that only once.
static bool look_at_once(struct orphans *o)
{
        if (o->phase != LOOK_IDLE || count_children(o) > CHILDREN_AT_ONCE)
                return false;
        begin_look(o);
        go_on(o, usec_add(clock_now(), AT_ONCE_MAX));
        if (o->phase != LOOK_IDLE || o->has_news)
                set_timer(o, clock_now());
        else
                plan_look(o);
        return o->phase == LOOK_IDLE && !o->is_incomplete;
}

enum orphans_state orphans_look(struct orphans *o, const void *owner)
{
        uint64_t batch = events_batch(o->events);
        bool is_fresh = batch > 0 && o->batch == batch;

        if (!is_fresh && !look_at_once(o))
                return ORPHANS_UNKNOWN;
        list_suspects(o);
        return state_of(o, owner);
}

void orphans_meet_all(struct orphans *o, bool is_at_once)
{
        if (is_at_once && look_at_once(o))
                return;
        o->n_wanted = MAX(o->n_wanted, o->n_begun + 1);
        plan_look(o);
}

void orphans_wait(struct orphans *o, struct orphans_wait *w, const void *owner, bool is_urgent,
                  void (*on_known)(struct orphans_wait *w, enum orphans_state state))
{
        list_remove(&w->node);
        w->owner = owner;
        w->since = o->n_begun;
        w->on_known = on_known;
        list_append(&o->waits, &w->node);
        if (is_urgent)
                o->n_wanted = MAX(o->n_wanted, w->since + 1);
        plan_look(o);
}

void orphans_wait_stop(struct orphans_wait *w)
{
        list_remove(&w->node);
}

void orphans_tell(struct orphans *o)
{
        o->has_news = true;
        set_timer(o, clock_now());
}

void orphans_on_sigchld(struct orphans *o)
{
        o->has_ended_since = true;
        plan_look(o);
}

void orphans_look_done(struct orphans *o)
{
        timer_stop(o->events, &o->timer);
        proc_children_close(&o->children);
        if (o->processes)
                closedir(o->processes);
        LIST_FOREACH (&o->waits, node)
                list_remove(node);
        LIST_FOREACH (&o->telling, node)
                list_remove(node);
}
