#include "core/spawner.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/manager.h"

#include <sys/resource.h>

#define RECLAIM_WAIT (USEC_PER_MSEC)

struct spawner {
        struct manager *manager;
        struct spawn_settings settings;
        char **environment;
        struct timer reclaim_timer;
};

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
        r = spawn_environment_base(m->options.is_user, m->options.environment, &s->environment);
        if (r < 0)
                return r;
        s->settings.is_user = m->options.is_user;
        s->settings.environment = s->environment;
        s->settings.own_environment = m->options.environment;
        *ret = TAKE(s);
        return 0;
}

void spawner_free(struct spawner *s)
{
        if (!s)
                return;
        timer_stop(s->manager->events, &s->reclaim_timer);
        strv_free(s->environment);
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

        if (spawn_reclaim())
                (void)timer_set(s->manager->events, t, usec_add(now, RECLAIM_WAIT), on_reclaim);
}

int spawner_start(struct spawner *s, struct spawn_plan *plan, const struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why)
{
        int r = spawn_start(plan, params, ret, why);

        // Until the child has reached its exec, the supervisor holds copies of what it was given.
        if (r == 0 && !timer_is_set(&s->reclaim_timer))
                (void)timer_set(s->manager->events, &s->reclaim_timer,
                                usec_add(clock_now(), RECLAIM_WAIT), on_reclaim);
        return r;
}
