// The loop: sd-event for the few (signals, bus, notify, inotify), one nested epoll and one timer
// heap for the many (listeners, pidfds, per-run timers). No threads.
//
// One turn: wait no longer than the first timer, dispatch one sd-event source (the nested epoll is
// one of them), then due timers, then queued work; each bounded, so that no flood of one kind
// starves the others. What follows from a change of state (WORK_CHANGES) is no flood but the rest
// of a step: it is done to its end as soon as the callback that caused it has returned, so that no
// callback meets a change that is half done.
//
// Owns the epoll, the heap and the queues. Does not own watches or timers: they are embedded in
// the objects they belong to and must be removed before those go.
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

// Work to be done soon, once, outside the current call chain. Zero-initialise.
struct work {
        struct list_node node;
        void (*run)(struct work *w);
};

enum work_queue {
        WORK_CHANGES, // what follows from a change of state (core/unit/propagate.h)
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
int events_run(struct events *e);      // until events_exit; its code, or -errno
void events_exit(struct events *e, int code);
// One turn of it, waiting at most `limit`. 1: goes on, 0: events_exit was called, -errno.
// Public for tests.
int events_turn(struct events *e, usec_t limit);
// Between the steps of something long that a source of sd-event has asked for: the watches that are
// ready, due timers and queued work have a turn. Not to be called by one of these. 0 or -errno.
int events_serve(struct events *e);

// The number of the batch of watches that is being dispatched: what the kernel tells of a process
// whose end is in it does not change until the next. 0: none is.
uint64_t events_batch(const struct events *e);

// Register, or change the mask of, a watch (events 0: remove). 0 or -errno.
int watch_set(struct events *e, struct watch *w, uint32_t events);
void watch_remove(struct events *e, struct watch *w);

// Arm (or re-arm) for an absolute CLOCK_MONOTONIC time; USEC_INFINITY disarms. 0 or -ENOMEM.
int timer_set(struct events *e, struct timer *t, usec_t when,
              void (*on_timer)(struct timer *t, usec_t now));
void timer_stop(struct events *e, struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
        return t->node.index != 0;
}

// Queue (nothing happens when it is queued already). Queues run in enum order, each until empty,
// after the events of one loop turn (what is queued meanwhile, too), with a bound on a turn's work.
// WORK_CHANGES has rules of its own: it is emptied after each callback, and what one of its items
// queues comes before all that was queued earlier (also an item that waits further behind), as if
// the item had called it.
void work_queue(struct events *e, enum work_queue queue, struct work *w,
                void (*run)(struct work *w));
void work_cancel(struct work *w);
