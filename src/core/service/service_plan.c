// What a command of a run needs before its process starts: a spawn plan, which is made at the first
// start, remade when a file behind it has changed, and shared by the connections of a template; and
// the files of OpenFile=. Both may have to wait for name services or a file system.
#include "core/service/client.h"
#include "core/service/service_priv.h"
#include "spawn/plan.h"

void run_prepare_end(struct run *run)
{
        struct run_cold *cold = run->cold;

        if (!cold)
                return;
        command_wait_end(&cold->wait);
        inquiry_free(TAKE(cold->opened));
        unit_conf_unref(TAKE(cold->opened_conf));
        if (run_is_removing(run))
                removal_forget(run->service->removal);
}

bool run_is_preparing(const struct run *run)
{
        const struct run_cold *cold = run->cold;

        return cold && (errand_is_out(&cold->wait.errand) ||
                        (cold->awaits_removal && run_is_removing(run)));
}

const char *run_prepare_text(const struct run *run)
{
        if (!run_is_preparing(run))
                return NULL;
        return errand_is_out(&run->cold->wait.errand) ? errand_text(&run->cold->wait.errand)
                                                      : removal_text(run->service->removal);
}

// ---- waiting

void run_on_known(struct command_wait *w)
{
        struct run *run = CONTAINER_OF(w, struct run_cold, wait)->run;

        if (w->error == -ETIMEDOUT)
                run_set_result(run, SERVICE_FAILURE_TIMEOUT);
        service_resume(run);
}

// The last life's leftovers are still being removed, which must not hit those of this one.
static void on_removed(void *data)
{
        struct run *run = data;

        run->cold->awaits_removal = false;
        service_resume(run);
}

static int await_removal(struct run *run)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        cold->awaits_removal = true;
        removal_await(run->service->removal, on_removed, run);
        return 1;
}

// ---- the plan

static int get_plan(const struct command_order *o, struct fail *why)
{
        struct run *run = o->self;
        struct spawn_plan **shared =
                run->client ? run->client->ops->shared_plan(run->client) : NULL;
        CLEANUP(free) char *buffer = NULL;

        if (shared && *shared && *shared != run->plan && !(run->cold && run->cold->wait.lookup) &&
            !command_plan_is_fresh(o) && !spawn_plan_is_stale(*shared)) {
                run_share_plan(run, *shared);
                return 0;
        }
        int r = command_prepare_plan(o, shared ? run->conf->id : run_name(run, &buffer), why);

        if (r == 0 && shared && *shared != run->plan) {
                spawn_plan_unref(*shared);
                *shared = spawn_plan_ref(run->plan);
        }
        return r;
}

// ---- OpenFile=

static int get_opened(const struct command_order *o)
{
        struct run *run = o->self;
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        // Opened with the settings from before a reload: not valid any longer.
        if (cold->opened && cold->opened_conf != run->conf)
                inquiry_free(TAKE(cold->opened));
        if (cold->opened)
                return 0;
        unit_conf_unref(cold->opened_conf);
        cold->opened_conf = unit_conf_ref(run->conf);
        int r = inquiry_try(service_open_files, &run_conf(run)->open_file, &cold->opened);

        return r > 0 ? command_await(o, cold->opened) : r;
}

// ---- both

int run_prepare(const struct command_order *o, struct fail *why)
{
        struct run *run = o->self;
        struct run_cold *cold = run->cold;

        if (run_is_preparing(run))
                return 1;
        if (cold && cold->wait.error < 0)
                return cold->wait.error;
        if (run_is_removing(run))
                return await_removal(run);
        int r = get_plan(o, why);

        if (r == 0 && o->is_main && run_conf(run)->open_file.n > 0)
                r = get_opened(o);
        return r;
}
