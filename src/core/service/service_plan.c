// What a command of a run needs before its process: a spawn plan, which is made at the first start,
// made anew when a file behind it has changed, and shared by the connections of a template; and the
// files of OpenFile=. Both may have to wait for name services or for a file system.
#include "base/log.h"
#include "core/service/service_priv.h"
#include "core/socket/sock.h"
#include "core/start/spawner.h"
#include "spawn/plan.h"

void run_plan_drop(struct run *run)
{
        spawn_plan_unref(TAKE(run->plan));
}

void run_prepare_end(struct run *run)
{
        struct run_cold *cold = run->cold;

        if (!cold)
                return;
        errand_done(&cold->errand);
        spawn_lookup_free(TAKE(cold->lookup));
        inquiry_free(TAKE(cold->opened));
        unit_conf_unref(TAKE(cold->opened_conf));
        cold->prepare_error = 0;
        cold->is_plan_fresh = false;
        if (run->service)
                removal_forget(run->service->removal);
}

bool run_is_preparing(const struct run *run)
{
        const struct run_cold *cold = run->cold;

        return cold && (errand_is_out(&cold->errand) ||
                        (cold->awaits_removal && run->service && run->service->removal));
}

const char *run_prepare_text(const struct run *run)
{
        if (!run_is_preparing(run))
                return NULL;
        return errand_is_out(&run->cold->errand) ? errand_text(&run->cold->errand)
                                                 : removal_text(run->service->removal);
}

// ---- waiting

static void on_over(struct errand *e, int error)
{
        struct run_cold *cold = CONTAINER_OF(e, struct run_cold, errand);
        struct run *run = cold->run;

        cold->prepare_error = error;
        if (error == -ETIMEDOUT)
                run_set_result(run, SERVICE_FAILURE_TIMEOUT);
        service_resume(run);
}

// Where the state has a time limit of its own, that counts.
static usec_t limit_of(const struct run *run, enum service_state state)
{
        bool is_stop = state == SERVICE_STOP || state == SERVICE_STOP_POST;
        usec_t own = is_stop ? run_stop_timeout(run) : run_conf(run)->timeout_start_sec;

        return own != USEC_INFINITY ? USEC_INFINITY : errand_limit(run->manager->errands, own);
}

static int await(struct run *run, enum service_state state, struct inquiry *inquiry)
{
        int r = errand_await(run->manager->errands, &run->cold->errand, inquiry, run_unit_id(run),
                             limit_of(run, state), on_over);

        if (r < 0)
                return r;
        run->waits_in = state;
        run_changed(run);
        return 1;
}

// What the last life has left behind is being removed: not under the feet of this one.
static void on_removed(void *data)
{
        struct run *run = data;

        run->cold->awaits_removal = false;
        service_resume(run);
}

static int await_removal(struct run *run, enum service_state state)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        cold->awaits_removal = true;
        removal_await(run->service->removal, on_removed, run);
        run->waits_in = state;
        run_changed(run);
        return 1;
}

// ---- the plan

static int make_plan(struct run *run, enum service_state state, const char *name,
                     struct spawn_plan **ret)
{
        struct spawn_lookup *lookup = run->cold ? TAKE(run->cold->lookup) : NULL;
        struct fail why = {0};
        char text[512];
        int r = spawn_plan_new(spawner_settings(run->manager->spawner), run->conf, name, &lookup,
                               ret, &why);

        if (r == SPAWN_PLAN_NEEDS_LOOKUP && run_cold_get(run)) {
                run->cold->lookup = lookup;
                return await(run, state, spawn_lookup_inquiry(lookup));
        }
        spawn_lookup_free(lookup);
        if (r > 0)
                return -ENOMEM;
        if (r < 0 && !fail_is_exhaustion(r))
                run_log(run, LOG_WARNING, 0, "Failed to prepare its start: %s",
                        fail_format(&why, text, sizeof(text)));
        if (r == 0 && run->cold)
                run->cold->is_plan_fresh = true;
        return r;
}

// 0 run->plan is fresh, 1 waits, -errno (logged).
static int get_plan(struct run *run, enum service_state state)
{
        struct sock *s = run->sock;
        bool is_shared =
                !run->service && s && s->template_conf == run->conf && !run->conf->needs_own_plan;
        CLEANUP(free) char *buffer = NULL;
        struct spawn_plan *plan = NULL;

        if (run->plan &&
            ((run->cold && run->cold->is_plan_fresh) || !spawn_plan_is_stale(run->plan)))
                return 0;
        if (is_shared && s->template_plan && s->template_plan != run->plan &&
            !(run->cold && run->cold->lookup) && !spawn_plan_is_stale(s->template_plan)) {
                run_plan_drop(run);
                run->plan = spawn_plan_ref(s->template_plan);
                return 0;
        }
        int r = make_plan(run, state, is_shared ? run->conf->id : run_name(run, &buffer), &plan);

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

// ---- OpenFile=

static int get_opened(struct run *run, enum service_state state)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        // Asked for under the settings of before a reload: that does not count.
        if (cold->opened && cold->opened_conf != run->conf)
                inquiry_free(TAKE(cold->opened));
        if (cold->opened)
                return 0;
        unit_conf_unref(cold->opened_conf);
        cold->opened_conf = unit_conf_ref(run->conf);
        int r = inquiry_try(service_open_files, &run_conf(run)->open_file, &cold->opened);

        return r > 0 ? await(run, state, cold->opened) : r;
}

// ---- both

int run_prepare(struct run *run, enum service_state state, bool is_main)
{
        struct run_cold *cold = run->cold;

        if (run_is_preparing(run))
                return 1;
        if (cold && cold->prepare_error < 0)
                return cold->prepare_error;
        if (run->service && run->service->removal)
                return await_removal(run, state);
        int r = get_plan(run, state);

        if (r == 0 && is_main && run_conf(run)->open_file.n > 0)
                r = get_opened(run, state);
        return r;
}
