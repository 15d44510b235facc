#include "core/loop/events.h"

#include "base/clock.h"
#include "base/fd.h"

#include <poll.h>
#include <sys/epoll.h>

// The most of each kind that one turn handles.
#define BATCH_EVENTS 64
#define BATCH_TIMERS 256
#define BATCH_WORK 512

struct events {
        sd_event *sd;
        sd_event_source *source;
        int epoll_fd;
        struct heap timers;
        struct list_node queues[_WORK_QUEUE_MAX];
        struct list_node caused; // queued by the running item of WORK_CHANGES
        bool is_changing;        // an item is running
        // The batch that is being dispatched: a handler may remove a watch further back in it.
        struct epoll_event batch[BATCH_EVENTS];
        int batch_next, batch_size;
        uint64_t n_batches;
};

// ---- queued work

void work_queue(struct events *e, enum work_queue queue, struct work *w,
                void (*run)(struct work *w))
{
        bool is_caused = queue == WORK_CHANGES && e->is_changing;

        if (list_is_linked(&w->node) && !is_caused)
                return;
        list_remove(&w->node);
        w->run = run;
        list_append(is_caused ? &e->caused : &e->queues[queue], &w->node);
}

void work_cancel(struct work *w)
{
        list_remove(&w->node);
}

static void run_changes(struct events *e)
{
        struct list_node *queue = &e->queues[WORK_CHANGES];

        assert(!e->is_changing);
        e->is_changing = true;
        while (!list_is_empty(queue)) {
                struct work *w = CONTAINER_OF(queue->next, struct work, node);

                list_remove(&w->node);
                w->run(w);
                list_prepend_all(queue, &e->caused);
        }
        e->is_changing = false;
}

static struct work *next_work(struct events *e)
{
        for (int i = 0; i < _WORK_QUEUE_MAX; i++)
                if (!list_is_empty(&e->queues[i]))
                        return CONTAINER_OF(e->queues[i].next, struct work, node);
        return NULL;
}

static void run_work(struct events *e)
{
        run_changes(e);
        for (int i = 0; i < BATCH_WORK; i++) {
                struct work *w = next_work(e);

                if (!w)
                        return;
                list_remove(&w->node);
                w->run(w);
                run_changes(e);
        }
}

// ---- the nested epoll

static int dispatch_watches(struct events *e)
{
        int n = epoll_wait(e->epoll_fd, e->batch, BATCH_EVENTS, 0);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        e->batch_size = n;
        e->n_batches++;
        for (e->batch_next = 0; e->batch_next < e->batch_size;) {
                const struct epoll_event *event = &e->batch[e->batch_next++];
                struct watch *w = event->data.ptr;

                if (!w)
                        continue;
                w->on_event(w, event->events);
                run_changes(e);
        }
        e->batch_size = 0;
        return 0;
}

static int on_readable(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED,
                       void *data)
{
        return dispatch_watches(data);
}

int events_new(struct events **ret)
{
        CLEANUP(events) struct events *e = calloc(1, sizeof(*e));

        if (!e)
                return -ENOMEM;
        for (int i = 0; i < _WORK_QUEUE_MAX; i++)
                list_init(&e->queues[i]);
        list_init(&e->caused);
        e->epoll_fd = fd_move_up(epoll_create1(EPOLL_CLOEXEC));
        if (e->epoll_fd < 0)
                return e->epoll_fd;
        int r = sd_event_new(&e->sd);

        if (r < 0)
                return r;
        r = sd_event_add_io(e->sd, &e->source, e->epoll_fd, EPOLLIN, on_readable, e);
        if (r < 0)
                return r;
        *ret = TAKE(e);
        return 0;
}

void events_free(struct events *e)
{
        if (!e)
                return;
        sd_event_source_disable_unref(e->source);
        sd_event_unref(e->sd);
        if (e->epoll_fd > 0)
                fd_close(e->epoll_fd);
        heap_done(&e->timers);
        free(e);
}

sd_event *events_sd(struct events *e)
{
        return e->sd;
}

uint64_t events_batch(const struct events *e)
{
        return e->batch_size > 0 ? e->n_batches : 0;
}

// ---- watches

int watch_set(struct events *e, struct watch *w, uint32_t events)
{
        struct epoll_event event = {.events = events, .data.ptr = w};

        if (events == 0) {
                watch_remove(e, w);
                return 0;
        }
        if (w->events == events)
                return 0;
        if (epoll_ctl(e->epoll_fd, w->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, w->fd, &event) < 0)
                return -errno;
        w->events = events;
        return 0;
}

void watch_remove(struct events *e, struct watch *w)
{
        if (w->events == 0)
                return;
        w->events = 0;
        epoll_ctl(e->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
        for (int i = e->batch_next; i < e->batch_size; i++)
                if (e->batch[i].data.ptr == w)
                        e->batch[i].data.ptr = NULL;
}

// ---- timers

int timer_set(struct events *e, struct timer *t, usec_t when,
              void (*on_timer)(struct timer *t, usec_t now))
{
        if (when == USEC_INFINITY) {
                timer_stop(e, t);
                return 0;
        }
        t->on_timer = on_timer;
        return heap_set(&e->timers, &t->node, when);
}

void timer_stop(struct events *e, struct timer *t)
{
        heap_remove(&e->timers, &t->node);
}

static void run_timers(struct events *e)
{
        usec_t now = clock_now();

        for (int i = 0; i < BATCH_TIMERS; i++) {
                struct heap_node *n = heap_first(&e->timers);

                if (!n || n->key > now)
                        return;
                struct timer *t = CONTAINER_OF(n, struct timer, node);

                heap_remove(&e->timers, n);
                t->on_timer(t, now);
                run_changes(e);
        }
}

// ---- the loop

static usec_t get_wait(struct events *e, usec_t limit)
{
        const struct heap_node *first = heap_first(&e->timers);

        if (next_work(e))
                return 0;
        return first ? MIN(limit, usec_sub(first->key, clock_now())) : limit;
}

// sd-event waits in whole milliseconds, so the wait is rounded up.
static void wait_precisely(struct events *e, usec_t wait)
{
        struct pollfd fd = {.fd = sd_event_get_fd(e->sd), .events = POLLIN};
        struct timespec ts = {.tv_nsec = (long)wait * 1000};

        (void)ppoll(&fd, 1, &ts, NULL);
}

static int run_sd(struct events *e, usec_t wait)
{
        int r = sd_event_prepare(e->sd);

        if (r == 0) {
                if (wait > 0 && wait < USEC_PER_MSEC) {
                        wait_precisely(e, wait);
                        wait = 0;
                }
                r = sd_event_wait(e->sd, wait);
        }
        if (r > 0)
                r = sd_event_dispatch(e->sd);
        run_changes(e);
        return r;
}

int events_turn(struct events *e, usec_t limit)
{
        if (sd_event_get_state(e->sd) == SD_EVENT_FINISHED)
                return 0;
        int r = run_sd(e, get_wait(e, limit));

        if (r < 0)
                return r;
        run_timers(e);
        run_work(e);
        return sd_event_get_state(e->sd) != SD_EVENT_FINISHED;
}

int events_serve(struct events *e)
{
        int r = dispatch_watches(e);

        if (r < 0)
                return r;
        run_timers(e);
        run_work(e);
        return 0;
}

int events_run(struct events *e)
{
        int r, code = 0;

        do
                r = events_turn(e, USEC_INFINITY);
        while (r > 0);
        if (r < 0)
                return r;
        r = sd_event_get_exit_code(e->sd, &code);
        return r < 0 ? r : code;
}

void events_exit(struct events *e, int code)
{
        sd_event_exit(e->sd, code);
}
