#include "core/start/kill_queue.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/map.h"
#include "base/proc.h"
#include "core/start/orphans.h"
#include "spawn/kill.h"

#include <signal.h>

#define SLICE USEC_PER_MSEC // of loop time
// Within each AT_ONCE_SPAN, orders may take this much loop time directly; further ones are queued.
#define AT_ONCE_MAX (2 * USEC_PER_MSEC)
#define AT_ONCE_SPAN (10 * USEC_PER_MSEC)
// A process that is forked while the others are signalled is found by the next pass.
#define PASSES_MAX 16
#define N_CHILDREN ARRAY_SIZE(((struct kill_order *)NULL)->children)

struct kill_queue {
        struct events *events;
        struct orphans *orphans;
        struct list_node orders; // struct task
        struct list_node ended;  // struct task: finished ones, kept for kill_queue_signal_missed()
        struct u64map *by_owner; // struct task: of the two lists, and the one being made
        struct timer timer;
        usec_t span_begin, spent; // by orders that were not queued
};

struct tally {
        int n;     // signalled
        int error; // of the first child that could not be signalled
};

struct task {
        struct list_node node;
        struct kill_queue *queue;
        struct kill_order order;
        pid_t pids[N_CHILDREN]; // of the children when the order was given
        pid_t *roots;           // the orphans
        size_t n_roots, roots_capacity;
        struct kill_walk walk;
        size_t next; // index in roots, then in the processes that were found
        bool is_found;
        struct tally tally;
        unsigned n_passes;
        bool has_news;          // this pass signalled a process that it had not reached before
        struct u64map *reached; // pid -> start time; NULL: no memory
        bool has_ended;         // later passes are for the processes that it missed
        bool is_queued;
        // Processes created after the end are not its business; while the owner of some orphan is
        // not known, whose children they may be, there is no end.
        bool is_open;
        struct proc_moment end;
};

static bool is_remembered(const struct task *t)
{
        return u64map_get(t->queue->by_owner, (uintptr_t)t->order.owner) == t;
}

static void task_free(struct task *t)
{
        if (is_remembered(t))
                u64map_remove(t->queue->by_owner, (uintptr_t)t->order.owner);
        list_remove(&t->node);
        kill_walk_done(&t->walk);
        u64map_free(t->reached);
        free(t->roots);
        free(t);
}

// ---- signals

static bool is_followed_by_cont(const struct kill_order *o)
{
        return o->sends_cont && o->signo != SIGKILL && o->signo != SIGCONT;
}

static int signal_child(const struct kill_order *o, const struct child *c)
{
        if (o->on_signal)
                o->on_signal(o->owner, c->pid, o->signo);
        int r = kill_process(c->pid, c->pidfd, o->signo);

        if (r < 0) {
                if (r != -ESRCH && o->on_failure)
                        o->on_failure(o->owner, c->pid, -r);
                return r;
        }
        if (is_followed_by_cont(o))
                (void)kill_process(c->pid, c->pidfd, SIGCONT);
        if (o->sends_hup)
                (void)kill_process(c->pid, c->pidfd, SIGHUP);
        return 0;
}

static bool signal_found(const struct kill_order *o, const struct kill_found *f)
{
        if (o->on_signal)
                o->on_signal(o->owner, f->pid, o->signo);
        if (kill_found(f, o->signo) < 0)
                return false;
        if (is_followed_by_cont(o))
                (void)kill_found(f, SIGCONT);
        if (o->sends_hup)
                (void)kill_found(f, SIGHUP);
        return true;
}

static void count(struct tally *t, int r)
{
        if (r == 0)
                t->n++;
        else if (r != -ESRCH && t->error == 0)
                t->error = r;
}

static int result_of(const struct tally *t)
{
        return t->n > 0 ? t->n : t->error;
}

// ---- one order

static bool is_reached(const struct task *t, pid_t pid)
{
        return t->reached && u64map_get(t->reached, (uint64_t)pid);
}

static int add_root(pid_t pid, void *data)
{
        struct task *t = data;

        // A process that appeared after the order was not missed by it.
        if (t->has_ended && (is_reached(t, pid) || (!t->is_open && !proc_is_before(pid, &t->end))))
                return 0;
        if (ARRAY_RESERVE(t->roots, t->n_roots, t->roots_capacity, 16) < 0)
                return -ENOMEM;
        t->roots[t->n_roots++] = pid;
        return 0;
}

// The child, unless it has been replaced since the order was given: NULL then.
static const struct child *child_of(const struct task *t, size_t i)
{
        const struct child *c = t->order.children[i];

        return c && c->pid > 0 && c->pid == t->pids[i] ? c : NULL;
}

static int begin_pass(struct task *t)
{
        int r = 0;

        kill_walk_done(&t->walk);
        t->n_roots = t->next = 0;
        t->is_found = t->has_news = false;
        for (size_t i = 0; i < N_CHILDREN && r == 0; i++)
                if (!t->has_ended && child_of(t, i))
                        r = kill_walk_add(&t->walk, t->pids[i]);
        return r < 0 ? r : orphans_foreach(t->queue->orphans, t->order.owner, add_root, t);
}

static int task_new(struct kill_queue *q, const struct kill_order *order, struct task **ret)
{
        struct task *t = calloc(1, sizeof(*t));

        if (!t)
                return -ENOMEM;
        t->queue = q;
        t->order = *order;
        t->reached = u64map_new(); // without it there is only one pass
        for (size_t i = 0; i < N_CHILDREN; i++)
                t->pids[i] = order->children[i] ? order->children[i]->pid : 0;
        int r = begin_pass(t);

        if (r < 0)
                task_free(t);
        else
                *ret = t;
        return r;
}

// Until the keeper knows what an ended orphan left behind, its zombie keeps the pid from being
// reused. That may be over by now, so look the orphan up again.
static int add_next_root(struct task *t)
{
        struct orphan_facts facts;
        pid_t pid = t->roots[t->next++];

        if (!orphans_find(t->queue->orphans, pid, &facts) || facts.owner.self != t->order.owner)
                return 0;
        return kill_walk_add(&t->walk, pid);
}

static void signal_children(struct task *t)
{
        for (size_t i = 0; i < N_CHILDREN; i++) {
                const struct child *c = child_of(t, i);

                if (c)
                        count(&t->tally, signal_child(&t->order, c));
        }
}

// False: this process has already been signalled.
static bool note_reached(struct task *t, const struct kill_found *f)
{
        void *start = (void *)(uintptr_t)(f->start + 1); // never NULL

        if (!t->reached)
                return true;
        if (u64map_get(t->reached, (uint64_t)f->pid) == start)
                return false;
        if (u64map_set(t->reached, (uint64_t)f->pid, start) < 0) {
                u64map_free(TAKE(t->reached));
                return true;
        }
        t->has_news = true;
        return true;
}

static void signal_next(struct task *t)
{
        const struct kill_found *f = &t->walk.items[t->next++];

        if (!note_reached(t, f))
                return;
        for (size_t i = 0; i < N_CHILDREN; i++)
                if (t->pids[i] == f->pid)
                        return;
        if (signal_found(&t->order, f))
                count(&t->tally, 0);
}

// 1: more to do; 0: done. Out of memory: the processes found so far are signalled.
static int go_on_with_pass(struct task *t, usec_t until)
{
        int r = 0;

        while (!t->is_found && t->next < t->n_roots && r == 0) {
                r = add_next_root(t);
                if (clock_now() >= until)
                        return 1;
        }
        if (!t->is_found) {
                if (kill_walk_step(&t->walk, until) > 0)
                        return 1;
                t->is_found = true;
                t->next = 0;
                if (t->n_passes == 0 && !t->has_ended)
                        signal_children(t);
        }
        while (t->next < t->walk.n) {
                signal_next(t);
                if (clock_now() >= until && t->next < t->walk.n)
                        return 1;
        }
        return 0;
}

static bool has_unreached_root(const struct task *t)
{
        for (size_t i = 0; i < t->n_roots; i++)
                if (!is_reached(t, t->roots[i]))
                        return true;
        return false;
}

// Passes follow until one reaches nobody new, and a look after it finds nobody either: a process
// whose parent has died since the walk is an orphan by then, and in the walk it was before.
static int go_on(struct task *t, usec_t until)
{
        bool has_more;

        do {
                if (go_on_with_pass(t, until) > 0)
                        return 1;
                has_more = t->has_news;
                if (!t->reached || ++t->n_passes >= PASSES_MAX)
                        return 0;
                if (!has_more)
                        orphans_meet_all(t->queue->orphans, t->queue->spent < AT_ONCE_MAX);
                if (begin_pass(t) < 0)
                        return 0;
        } while (has_more || has_unreached_root(t));
        return 0;
}

static void close_task(struct task *t)
{
        if (!t->is_open || orphans_has_unknown(t->queue->orphans))
                return;
        t->is_open = false;
        proc_moment_now(&t->end);
}

// Keeps the task if missed processes can be told apart from new ones later.
static void end_task(struct task *t)
{
        struct kill_queue *q = t->queue;

        if (!t->reached || !is_remembered(t)) {
                task_free(t);
                return;
        }
        kill_walk_done(&t->walk);
        free(TAKE(t->roots));
        t->n_roots = t->roots_capacity = 0;
        t->is_queued = false;
        list_remove(&t->node);
        list_append(&q->ended, &t->node);
        if (!t->has_ended)
                t->is_open = true;
        close_task(t);
        t->has_ended = true;
}

// ---- the queue

static void on_time(struct timer *timer, usec_t now UNUSED)
{
        struct kill_queue *q = CONTAINER_OF(timer, struct kill_queue, timer);
        usec_t until = usec_add(clock_now(), SLICE);

        while (!list_is_empty(&q->orders) && clock_now() < until) {
                struct task *t = CONTAINER_OF(q->orders.next, struct task, node);

                if (go_on(t, until) == 0)
                        end_task(t);
        }
        // A timer that was just removed can be set again without allocating.
        if (!list_is_empty(&q->orders))
                (void)timer_set(q->events, &q->timer, usec_add(clock_now(), SLICE), on_time);
}

struct nearest {
        const struct kill_order *order;
        struct tally tally;
};

static int signal_orphan(pid_t pid, void *data)
{
        const struct child c = {.pid = pid, .pidfd = -1};
        struct nearest *n = data;

        count(&n->tally, signal_child(n->order, &c));
        return 0;
}

static int signal_the_nearest(struct kill_queue *q, const struct kill_order *order)
{
        struct nearest n = {.order = order};

        n.tally.error = kill_children(order);
        if (n.tally.error > 0)
                n.tally.n = n.tally.error;
        (void)orphans_foreach(q->orphans, order->owner, signal_orphan, &n);
        return result_of(&n.tally);
}

int kill_children(const struct kill_order *order)
{
        struct tally tally = {0};

        for (size_t i = 0; i < N_CHILDREN; i++)
                if (order->children[i] && order->children[i]->pid > 0)
                        count(&tally, signal_child(order, order->children[i]));
        return result_of(&tally);
}

// Takes over what earlier orders of the same owner have missed.
static void remember(struct kill_queue *q, struct task *t)
{
        struct task *earlier = u64map_get(q->by_owner, (uintptr_t)t->order.owner);

        if (earlier && earlier->has_ended)
                task_free(earlier);
        // Out of memory: processes that this order misses stay unsignalled.
        (void)u64map_set(q->by_owner, (uintptr_t)t->order.owner, t);
}

// 1: it continues later; 0: it is done; -errno: the order is lost.
static int begin_task(struct kill_queue *q, struct task *t, usec_t begin, int *ret_result)
{
        if (begin >= usec_add(q->span_begin, AT_ONCE_SPAN)) {
                q->span_begin = begin;
                q->spent = 0;
        }
        if (list_is_empty(&q->orders) && q->spent < AT_ONCE_MAX) {
                int r = go_on(t, usec_add(begin, SLICE));

                q->spent += clock_now() - begin;
                *ret_result = result_of(&t->tally);
                if (r == 0) {
                        end_task(t);
                        return 0;
                }
        }
        if (timer_set(q->events, &q->timer, begin, on_time) < 0) {
                task_free(t);
                return -ENOMEM;
        }
        t->is_queued = true;
        list_remove(&t->node);
        list_append(&q->orders, &t->node);
        *ret_result = t->tally.n + 1;
        return 1;
}

int kill_queue_signal(struct kill_queue *q, const struct kill_order *order)
{
        usec_t begin = clock_now();
        struct task *t;
        int result = 0;

        if (task_new(q, order, &t) < 0)
                return signal_the_nearest(q, order);
        if (order->is_for_all)
                remember(q, t);
        if (begin_task(q, t, begin, &result) < 0)
                return signal_the_nearest(q, order);
        return result;
}

void kill_queue_signal_missed(struct kill_queue *q, const void *owner)
{
        struct task *t = u64map_get(q->by_owner, (uintptr_t)owner);
        int ignored;

        if (!t || !t->has_ended || t->is_queued)
                return;
        t->n_passes = 0;
        if (begin_pass(t) == 0 && t->n_roots > 0)
                (void)begin_task(q, t, clock_now(), &ignored);
        else
                close_task(t);
}

static void forget(struct list_node *tasks, const void *owner)
{
        LIST_FOREACH (tasks, node) {
                struct task *t = CONTAINER_OF(node, struct task, node);

                if (t->order.owner == owner)
                        task_free(t);
        }
}

void kill_queue_forget(struct kill_queue *q, const void *owner)
{
        struct task *t = u64map_get(q->by_owner, (uintptr_t)owner);

        if (t)
                task_free(t);
        forget(&q->orders, owner);
}

int kill_queue_new(struct events *events, struct orphans *orphans, struct kill_queue **ret)
{
        CLEANUP(kill_queue) struct kill_queue *q = calloc(1, sizeof(*q));

        if (!q)
                return -ENOMEM;
        q->events = events;
        q->orphans = orphans;
        list_init(&q->orders);
        list_init(&q->ended);
        q->by_owner = u64map_new();
        if (!q->by_owner)
                return -ENOMEM;
        *ret = TAKE(q);
        return 0;
}

void kill_queue_free(struct kill_queue *q)
{
        if (!q)
                return;
        timer_stop(q->events, &q->timer);
        LIST_FOREACH (&q->orders, node)
                task_free(CONTAINER_OF(node, struct task, node));
        LIST_FOREACH (&q->ended, node)
                task_free(CONTAINER_OF(node, struct task, node));
        u64map_free(q->by_owner);
        free(q);
}
