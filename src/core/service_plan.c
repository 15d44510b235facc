// The spawn plan of a run: made at the first start, made anew when a file behind it has changed,
// shared by the connections of a template.
#include "base/log.h"
#include "core/service_priv.h"
#include "core/sock.h"
#include "core/spawner.h"
#include "spawn/ids.h"
#include "spawn/plan.h"

void run_plan_drop(struct run *run)
{
        spawn_plan_unref(TAKE(run->plan));
}

static void on_lookup(struct watch *w, uint32_t revents UNUSED)
{
        struct run_cold *cold = CONTAINER_OF(w, struct run_cold, lookup_watch);

        if (!ids_lookup_is_over(cold->lookup))
                return;
        watch_remove(cold->run->manager->events, w);
        w->fd = -1;
        service_resume(cold->run);
}

// Users and groups are asked of the name services: go on when they have answered.
static int await_lookup(struct run *run, struct ids_lookup *lookup)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold) {
                ids_lookup_free(lookup);
                return -ENOMEM;
        }
        ids_lookup_free(cold->lookup);
        cold->lookup = lookup;
        cold->lookup_watch.fd = ids_lookup_fd(lookup);
        cold->lookup_watch.on_event = on_lookup;
        int r = watch_set(run->manager->events, &cold->lookup_watch, EPOLLIN);

        if (r < 0) {
                cold->lookup_watch.fd = -1;
                return r;
        }
        return 1;
}

static int make_plan(struct run *run, const char *name, struct spawn_plan **ret)
{
        struct ids_lookup *lookup = NULL, *answered = run->cold ? run->cold->lookup : NULL;
        struct fail why = {0};
        char text[512];
        int r = spawn_plan_new(spawner_settings(run->manager->spawner), run->conf, name, answered,
                               ret, &lookup, &why);

        if (r == SPAWN_PLAN_NEEDS_LOOKUP) {
                r = await_lookup(run, lookup);
                if (r < 0)
                        run_log(run, LOG_ERR, -r, "Cannot look up its user");
                return r;
        }
        if (r < 0)
                run_log(run, LOG_WARNING, 0, "Failed to prepare its start: %s",
                        fail_format(&why, text, sizeof(text)));
        if (answered) {
                ids_lookup_free(run->cold->lookup);
                run->cold->lookup = NULL;
        }
        return r;
}

int run_plan_get(struct run *run)
{
        struct sock *s = run->sock;
        bool is_shared = !run->service && s && s->template_conf == run->conf &&
                         !spawn_plan_needs_instance(run->conf);
        CLEANUP(free) char *buffer = NULL;
        struct spawn_plan *plan = NULL;

        if (run->plan && !spawn_plan_is_stale(run->plan))
                return 0;
        if (run->cold && run->cold->lookup_watch.fd >= 0)
                return 1;
        if (is_shared && s->template_plan && s->template_plan != run->plan &&
            !spawn_plan_is_stale(s->template_plan)) {
                run_plan_drop(run);
                run->plan = spawn_plan_ref(s->template_plan);
                return 0;
        }
        int r = make_plan(run, is_shared ? run->conf->id : run_name(run, &buffer), &plan);

        if (r != 0)
                return r;
        run_plan_drop(run);
        run->plan = plan;
        if (is_shared) {
                spawn_plan_unref(s->template_plan);
                s->template_plan = spawn_plan_ref(plan);
        }
        return 0;
}
