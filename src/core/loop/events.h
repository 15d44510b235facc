// The loop: sd-event for the few (signals, bus, notify, inotify), one nested epoll and one timer
// heap for the many (listeners, pidfds, per-run timers). No threads.
//
// One turn: wait no longer than the first timer, dispatch one sd-event source (the nested epoll is
// one of them), then due timers, then queued work; each bounded, so that no flood of one kind
// starves the others. The consequences of a state change (WORK_CHANGES) are not bounded: they are
// the rest of one step, and are all processed as soon as the callback that caused them has
// returned, so that no callback sees a change half done.
//
// Owns the epoll, the heap and the queues. Does not own watches or timers: they are embedded in the
// objects they belong to and must be removed before those are freed.
#pragma once

#include "base/heap.h"
#include "base/list.h"

#include <sys/epoll.h>
#include <systemd/sd-event.h>

struct events;

// One descriptor in the nested epoll. Zero-initialise with fd = -1.
struct watch {
        int fd;          // not owned
        uint32_t events; // EPOLLIN ...; 0: not registered
        void (*on_event)(struct watch *w, uint32_t revents);
};

// One timer. Zero-initialise.
struct timer {
        struct heap_node node;
        void (*on_timer)(struct timer *t, usec_t now);
};

// Work to be run soon, once, outside the current call chain. Zero-initialise.
struct work {
        struct list_node node;
        void (*run)(struct work *w);
};

enum work_queue {
        WORK_CHANGES, // consequences of a state change (core/unit/propagate.h)
        WORK_JOBS,    // runnable jobs
        WORK_STATE,   // follow-ups of state changes (re-listen, restart, stop when unneeded)
        WORK_COLLECT, // free what is no longer needed
        WORK_NOTIFY,  // notify observers, once for all changes of a unit
        _WORK_QUEUE_MAX,
};

int events_new(struct events **ret);
void events_free(struct events *e);
DEFINE_CLEANUP(events, struct events *, events_free)

sd_event *events_sd(struct events *e); // for signal, bus, inotify sources; borrowed
int events_run(struct events *e);      // runs until events_exit(); its code, or -errno
void events_exit(struct events *e, int code);
// Runs one turn, waiting at most `limit`. 1: continue, 0: events_exit() was called, -errno. Public
// for tests.
int events_turn(struct events *e, usec_t limit);
// Called between the steps of a long operation that runs in an sd-event callback: serves the ready
// watches, due timers and queued work. Must not be called from one of these. 0 or -errno.
int events_serve(struct events *e);

// The number of the batch of watches that is being dispatched. What the kernel reports about a
// process whose exit is part of the batch stays the same until the next batch. 0: no batch.
uint64_t events_batch(const struct events *e);

// Registers a watch or changes its mask (events 0: removes it). 0 or -errno.
int watch_set(struct events *e, struct watch *w, uint32_t events);
void watch_remove(struct events *e, struct watch *w);

// Arms (or re-arms) a timer for an absolute CLOCK_MONOTONIC time; USEC_INFINITY disarms it. 0 or
// -ENOMEM.
int timer_set(struct events *e, struct timer *t, usec_t when,
              void (*on_timer)(struct timer *t, usec_t now));
void timer_stop(struct events *e, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
        return t->node.index != 0;
}

// Queues an item; an item that is queued already stays in its place. The queues run in enum order
// after the events of each turn, each until it is empty (including items queued meanwhile), with a
// bound on the work of one turn. WORK_CHANGES differs: it is emptied after each callback, and what
// one of its items queues runs before everything queued earlier (even an item that was already
// waiting further back), as if the item had called it.
void work_queue(struct events *e, enum work_queue queue, struct work *w,
                void (*run)(struct work *w));
void work_cancel(struct work *w);
