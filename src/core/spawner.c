#include "core/spawner.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/manager.h"

#include <fcntl.h>
#include <sys/resource.h>

// How long it is waited for a child to let go: at first, and at most.
#define RECLAIM_FIRST 40
#define RECLAIM_LAST (USEC_PER_MSEC)
// A connection is moved, its start needs a pidfd and may need a pipe.
#define RESERVE_FDS 4

struct spawner {
        struct manager *manager;
        struct spawn_settings settings;
        char **environment;
        struct timer reclaim_timer;
        usec_t reclaim_wait;
        bool is_calm;
        int reserve[RESERVE_FDS]; // -1: given up for a start
};

// ---- the reserve

bool spawner_has_reserve(struct spawner *s)
{
        for (size_t i = 0; i < RESERVE_FDS; i++) {
                if (s->reserve[i] >= 0)
                        continue;
                s->reserve[i] = fd_move_up(open("/dev/null", O_RDONLY | O_CLOEXEC));
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

// ---- starting

int spawner_new(struct manager *m, struct spawner **ret)
{
        struct fail why = {0};
        char text[512];
        int r = spawn_init(m->options.spawn_method, &why);

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
        s->manager = m;
        memset(s->reserve, -1, sizeof(s->reserve));
        (void)spawner_has_reserve(s); // without one: at the first connection again
        r = spawn_environment_base(m->options.is_user, m->options.environment, &s->environment);
        if (r < 0)
                return r;
        s->settings.is_user = m->options.is_user;
        s->settings.environment = s->environment;
        s->settings.own_environment = m->options.environment;
        memcpy(s->settings.limits, m->options.limits, sizeof(s->settings.limits));
        *ret = TAKE(s);
        return 0;
}

void spawner_free(struct spawner *s)
{
        if (!s)
                return;
        timer_stop(s->manager->events, &s->reclaim_timer);
        release_reserve(s);
        strv_free(s->environment);
        free(s);
        spawn_done();
}

const struct spawn_settings *spawner_settings(const struct spawner *s)
{
        return &s->settings;
}

void spawner_set_calm(struct spawner *s, bool is_calm)
{
        s->is_calm = is_calm && spawn_reclaim() == SPAWN_HOLDS_NOTHING;
}

static void on_reclaim(struct timer *t, usec_t now)
{
        struct spawner *s = CONTAINER_OF(t, struct spawner, reclaim_timer);
        struct events *events = s->manager->events;

        switch (spawn_reclaim()) {
        case SPAWN_HOLDS_FDS:
                s->reclaim_wait = MIN(2 * s->reclaim_wait, RECLAIM_LAST);
                (void)timer_set(events, t, usec_add(now, s->reclaim_wait), on_reclaim);
                break;
        case SPAWN_HOLDS_MEMORY:
                (void)timer_set(events, t, usec_add(now, RECLAIM_LAST), on_reclaim);
                break;
        case SPAWN_HOLDS_NOTHING:
                manager_trim_later(s->manager);
                break;
        }
}

static void reclaim_within(struct spawner *s, usec_t wait)
{
        usec_t when = usec_add(clock_now(), wait);

        if (timer_is_set(&s->reclaim_timer) && s->reclaim_timer.node.key <= when)
                return;
        s->reclaim_wait = wait;
        (void)timer_set(s->manager->events, &s->reclaim_timer, when, on_reclaim);
}

int spawner_start(struct spawner *s, struct spawn_plan *plan, struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why)
{
        bool is_handed_over = params->given_fd != NULL;

        params->is_calm = s->is_calm && is_handed_over;
        int r = spawn_start(plan, params, ret, why);

        if (r == -EMFILE || r == -ENFILE) {
                release_reserve(s);
                r = spawn_start(plan, params, ret, why);
        }
        // Only who was handed over has a peer that waits for its end.
        if (r == 0)
                reclaim_within(s, is_handed_over && !s->is_calm ? RECLAIM_FIRST : RECLAIM_LAST);
        return r;
}
