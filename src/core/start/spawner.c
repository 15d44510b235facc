#include "core/start/spawner.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/rate.h"
#include "core/loop/trim.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

// When to check whether children have released their copies: first the delay where a peer waits for
// that, then the one where none does; each further delay is doubled, since a child may hang for
// ever.
#define RECLAIM_SOON 40
#define RECLAIM_LATER (USEC_PER_MSEC)
#define RECLAIM_LAST (60 * USEC_PER_SEC)
#define TRIM_AFTER \
        (USEC_PER_SEC) // children that hang longer than this do not keep the others' memory
// A connection needs one for its move above the low window, its start one for a pidfd and perhaps
// two for a pipe.
#define RESERVE_FDS 4
// Pauses before an exhausted resource is tried again.
#define ROOM_WAIT_FIRST (50 * USEC_PER_MSEC)
#define ROOM_WAIT_MAX (USEC_PER_SEC)
#define ROOM_BATCH 64 // waiting callers tried at a time
#define COMPLAINT_INTERVAL (10 * USEC_PER_SEC)

struct spawner {
        struct events *events;
        struct trim *trim;
        struct spawn_settings settings;
        struct timer reclaim_timer;
        usec_t reclaim_wait;
        int reserve[RESERVE_FDS]; // -1: released for a start
        // Callers that wait for resources.
        struct list_node queues[_SPAWNER_QUEUE_MAX];
        struct timer room_timer;
        struct work room_work;
        usec_t room_wait, last_try;
        bool is_trying, has_failed; // has_failed: the one being tried met with exhaustion again
        int lacking;                // errno of the last start that waits
        struct rate complaints;
};

// ---- the reserve

bool spawner_has_reserve(struct spawner *s)
{
        for (size_t i = 0; i < RESERVE_FDS; i++) {
                if (s->reserve[i] >= 0)
                        continue;
                // An open file of its own, since ENFILE counts these, and one that needs no path.
                s->reserve[i] = fd_move_up(eventfd(0, EFD_CLOEXEC));
                if (s->reserve[i] < 0)
                        return false;
        }
        return true;
}

static void release_reserve(struct spawner *s)
{
        for (size_t i = 0; i < RESERVE_FDS; i++)
                s->reserve[i] = fd_close(s->reserve[i]);
}

// ---- waiting for resources

static void try_again(struct spawner *s, usec_t now);

static void on_room_timer(struct timer *t, usec_t now)
{
        try_again(CONTAINER_OF(t, struct spawner, room_timer), now);
}

static void on_room_work(struct work *w)
{
        try_again(CONTAINER_OF(w, struct spawner, room_work), clock_now());
}

static bool someone_waits(const struct spawner *s)
{
        return !list_is_empty(&s->queues[SPAWNER_STARTS]) ||
               !list_is_empty(&s->queues[SPAWNER_INTAKE]);
}

// If resources are exhausted again soon after the last try, the pause grows.
static void arm(struct spawner *s, usec_t now)
{
        if (timer_is_set(&s->room_timer))
                return;
        bool is_calm =
                s->last_try == 0 || now > usec_add(s->last_try, MAX(s->room_wait, ROOM_WAIT_FIRST));

        s->room_wait = is_calm ? ROOM_WAIT_FIRST : MIN(2 * s->room_wait, ROOM_WAIT_MAX);
        // If the timer cannot be set, the end of a connection or the next waiting caller tries
        // again.
        (void)timer_set(s->events, &s->room_timer, usec_add(now, s->room_wait), on_room_timer);
}

static struct work *take_first(struct list_node *queue)
{
        if (list_is_empty(queue))
                return NULL;
        struct work *w = CONTAINER_OF(queue->next, struct work, node);

        list_remove(&w->node);
        return w;
}

// Starts come first: they hold what has been accepted. Nothing more is accepted before all of them
// have been tried.
static void try_again(struct spawner *s, usec_t now)
{
        struct work *w = NULL;

        timer_stop(s->events, &s->room_timer);
        s->last_try = now;
        s->is_trying = true;
        s->has_failed = false;
        for (int i = 0; i < ROOM_BATCH && !s->has_failed; i++) {
                w = take_first(&s->queues[SPAWNER_STARTS]);
                if (!w)
                        w = take_first(&s->queues[SPAWNER_INTAKE]);
                if (!w)
                        break;
                w->run(w);
        }
        s->is_trying = false;
        if (s->has_failed)
                arm(s, now);
        else if (someone_waits(s))
                spawner_try_again(s);
}

void spawner_wait(struct spawner *s, enum spawner_queue queue, struct work *w,
                  void (*run)(struct work *w), int error)
{
        if (list_is_linked(&w->node))
                return;
        w->run = run;
        if (queue == SPAWNER_STARTS)
                s->lacking = abs(error);
        // One that was tried in vain keeps its place.
        if (s->is_trying && queue == SPAWNER_STARTS)
                list_prepend(&s->queues[queue], &w->node);
        else
                list_append(&s->queues[queue], &w->node);
        s->has_failed = true;
        if (!s->is_trying)
                arm(s, clock_now());
}

int spawner_exhaustion(const struct spawner *s)
{
        return list_is_empty(&s->queues[SPAWNER_STARTS]) ? 0 : s->lacking;
}

void spawner_try_again(struct spawner *s)
{
        if (someone_waits(s))
                work_queue(s->events, WORK_STATE, &s->room_work, on_room_work);
}

bool spawner_may_complain(struct spawner *s)
{
        return rate_below(&s->complaints, clock_now());
}

// ---- starting

int spawner_new(const struct spawner_options *options, struct spawner **ret)
{
        struct fail why = {0};
        char text[512];
        int r = spawn_init(options->method, &why);

        if (r < 0) {
                log_write(LOG_ERR, "Cannot start processes: %s",
                          fail_format(&why, text, sizeof(text)));
                return r;
        }
        CLEANUP(spawner) struct spawner *s = calloc(1, sizeof(*s));

        if (!s) {
                spawn_done();
                return -ENOMEM;
        }
        s->events = options->events;
        s->trim = options->trim;
        memset(s->reserve, -1, sizeof(s->reserve));
        for (int i = 0; i < _SPAWNER_QUEUE_MAX; i++)
                list_init(&s->queues[i]);
        s->complaints = (struct rate){.interval = COMPLAINT_INTERVAL, .burst = 1};
        (void)spawner_has_reserve(s); // on failure, the first connection tries again
        s->settings.is_user = options->is_user;
        s->settings.environment = options->environment;
        memcpy(s->settings.limits, options->limits, sizeof(s->settings.limits));
        *ret = TAKE(s);
        return 0;
}

void spawner_free(struct spawner *s)
{
        if (!s)
                return;
        timer_stop(s->events, &s->reclaim_timer);
        timer_stop(s->events, &s->room_timer);
        work_cancel(&s->room_work);
        release_reserve(s);
        free(s);
        spawn_done();
}

const struct spawn_settings *spawner_settings(const struct spawner *s)
{
        return &s->settings;
}

static void on_reclaim(struct timer *t, usec_t now)
{
        struct spawner *s = CONTAINER_OF(t, struct spawner, reclaim_timer);
        enum spawn_pending pending = spawn_reclaim();

        if (pending != SPAWN_HOLDS_NOTHING) {
                // Memory is less urgent: no peer waits for it.
                s->reclaim_wait =
                        MAX(2 * s->reclaim_wait, pending == SPAWN_HOLDS_FDS ? 0 : RECLAIM_LATER);
                s->reclaim_wait = MIN(s->reclaim_wait, RECLAIM_LAST);
                (void)timer_set(s->events, t, usec_add(now, s->reclaim_wait), on_reclaim);
        }
        if (pending == SPAWN_HOLDS_NOTHING || s->reclaim_wait >= TRIM_AFTER)
                trim_later(s->trim);
}

static void reclaim_within(struct spawner *s, usec_t wait)
{
        usec_t when = usec_add(clock_now(), wait);

        if (timer_is_set(&s->reclaim_timer) && s->reclaim_timer.node.key <= when)
                return;
        s->reclaim_wait = wait;
        (void)timer_set(s->events, &s->reclaim_timer, when, on_reclaim);
}

int spawner_start(struct spawner *s, struct spawn_plan *plan, struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why)
{
        bool is_handed_over = params->given_fd != NULL;

        params->is_calm =
                params->is_calm && is_handed_over && spawn_reclaim() == SPAWN_HOLDS_NOTHING;
        int r = spawn_start(plan, params, ret, why);

        if (r == -EMFILE || r == -ENFILE) {
                release_reserve(s);
                r = spawn_start(plan, params, ret, why);
        }
        // Only a handed-over connection has a peer waiting for EOF, so only that needs prompt
        // reclaiming.
        if (r == 0)
                reclaim_within(s,
                               is_handed_over && !params->is_calm ? RECLAIM_SOON : RECLAIM_LATER);
        return r;
}
