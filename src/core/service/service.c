// The unit type: operations for jobs and the bus, and the same for runs of connections.
#include "core/service/service.h"

#include "base/log.h"
#include "core/service/processes.h"
#include "core/service/service_log.h"
#include "core/service/service_priv.h"
#include "core/start/kill_queue.h"

// ---- runs

void service_run_done(struct run *run)
{
        work_cancel(&run->work);
        timer_stop(run->manager->events, &run->timer);
        kill_queue_forget(run->manager->kills, run);
        run_unwatch_main(run);
        run_unwatch_control(run);
        run_forget_pid_file(run);
        orphans_disown(run->manager->orphans, run);
        run_cold_free(run);
        run_drop_plan(run);
        run_drop_log(run);
}

int service_run_start(struct run *run)
{
        int r = run_watch_bus_name(run);

        if (r == 0)
                r = run_begin_life(run);
        if (r < 0)
                return r;
        service_enter_condition(run);
        return 0;
}

static enum unit_verdict stop_run(struct run *run)
{
        switch (run->state) {
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
                run_forbid_restart(run, true);
                service_enter_stop(run, SERVICE_SUCCESS);
                return UNIT_STARTED;
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
        case SERVICE_STOP_WATCHDOG:
                // A process is running already: no further command is started.
                run_forbid_restart(run, true);
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
                return UNIT_STARTED;
        case SERVICE_STOP:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_STOP_POST:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                run_forbid_restart(run, true);
                return UNIT_STARTED;
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
                service_give_up_restart(run);
                return UNIT_STARTED;
        case SERVICE_CLEANING:
                service_end_cleaning(run->service);
                return UNIT_STARTED;
        case SERVICE_DEAD:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case _SERVICE_STATE_MAX:
                break;
        }
        return UNIT_ALREADY;
}

void service_run_stop(struct run *run)
{
        (void)stop_run(run); // if the run is over already, nothing is left to stop
}

// ---- operations of the unit type

static int service_init(struct unit *u)
{
        struct service *s = service_of(u);

        s->run.service = s;
        run_init(&s->run, u->manager, u->conf);
        return 0;
}

static void service_done(struct unit *u)
{
        struct service *s = service_of(u);

        service_run_done(&s->run);
        removal_abandon(&s->removal);
        service_free_cleaning(s);
        unit_conf_unref(s->run.conf);
}

// A reload: the life continues with the new settings (for the next command and time limit). If the
// file is gone or bad, the old ones are kept until the end.
static void service_reconfigure(struct unit *u, struct unit_conf *old UNUSED)
{
        struct run *run = &service_of(u)->run;

        if (u->conf->load_state != LOAD_LOADED || !u->conf->service || run->conf == u->conf)
                return;
        struct unit_conf *former = unit_conf_ref(run->conf);

        service_move_commands(run, former->service, u->conf->service);
        run_set_conf(run, u->conf);
        run_change_runtime(run, former->service);
        unit_conf_unref(former);
        if (run->cold && run->cold->bus_name.name)
                (void)run_watch_bus_name(run);
}

// Processes of the last life that must not be killed would mix with those of the new one.
static bool has_leftovers(struct run *run)
{
        const struct kill_group *k = run->conf->kill;

        return !k->send_sigkill &&
               (k->kill_mode == KILL_CONTROL_GROUP || k->kill_mode == KILL_MIXED) &&
               !sd_id128_is_null(run->invocation_id) && run_look_for_strays(run) == ORPHANS_SOME;
}

static enum unit_verdict begin(struct unit *u)
{
        struct run *run = &service_of(u)->run;

        if (u->conf->load_state != LOAD_LOADED || !u->conf->service)
                return UNIT_NOT_LOADED;
        if (!unit_start_limit_test(u)) {
                run_log(run, LOG_WARNING, 0, "Start request repeated too quickly.");
                service_enter_dead(run, SERVICE_FAILURE_START_LIMIT_HIT, false);
                return UNIT_LIMIT;
        }
        if (has_leftovers(run)) {
                run_log(run, LOG_ERR, 0,
                        "Will not start SendSIGKILL=no service of type KillMode=control-group or "
                        "mixed while processes exist");
                service_enter_dead(run, SERVICE_FAILURE_RESOURCES, false);
                return UNIT_FAILED;
        }
        int r = run_begin_life(run);

        if (r < 0)
                run_log(run, LOG_ERR, -r, "Cannot start");
        else
                r = run_watch_bus_name(run);
        if (r < 0) {
                service_enter_dead(run, SERVICE_FAILURE_RESOURCES, false);
                return UNIT_FAILED;
        }
        service_enter_condition(run);
        return UNIT_STARTED;
}

static enum unit_verdict service_start(struct unit *u)
{
        switch (service_of(u)->run.state) {
        case SERVICE_DEAD:
        case SERVICE_FAILED:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART_QUEUED:
                return begin(u);
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
                return UNIT_STARTED;
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
                return UNIT_ALREADY;
        case SERVICE_STOP:
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_STOP_POST:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART: // RestartSec= has not passed
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                break;
        }
        return UNIT_RETRY;
}

static enum unit_verdict service_stop(struct unit *u)
{
        return stop_run(&service_of(u)->run);
}

static bool service_can_reload(const struct unit *u)
{
        const struct service_group *g = u->conf->service;

        return g && (g->exec_reload.n > 0 || g->type == SERVICE_NOTIFY_RELOAD);
}

static enum unit_verdict service_reload(struct unit *u)
{
        struct run *run = &service_of(u)->run;

        if (run->state != SERVICE_RUNNING && run->state != SERVICE_EXITED)
                return UNIT_RETRY;
        service_enter_reload(run);
        return UNIT_STARTED;
}

static int service_kill(struct unit *u, const char *who, int signo)
{
        return service_run_kill(&service_of(u)->run, who, signo);
}

static enum active_state active_state(const struct unit *u)
{
        return service_active_state(service_of(u));
}

static const char *sub_state(const struct unit *u)
{
        enum service_state state = service_of(u)->run.state;

        // systemd has had a name of its own for this since v253.
        if (state == SERVICE_RELOAD_NOTIFY &&
            !manager_differs(u->manager, DIFFERENCE_NEWER_SYSTEMD))
                state = SERVICE_RELOAD;
        return service_state_name(state);
}

static const char *result(const struct unit *u)
{
        return service_result_name(service_of(u)->run.result);
}

static void service_reset_failed(struct unit *u)
{
        struct service *s = service_of(u);

        if (s->run.state == SERVICE_FAILED)
                service_set_state(&s->run, SERVICE_DEAD);
        run_clear_result(&s->run);
        if (s->run.cold)
                s->run.cold->reload_result = SERVICE_SUCCESS;
        s->n_restarts = 0;
        s->flush_n_restarts = false;
        s->clean_result = SERVICE_SUCCESS;
}

// It serves a connection, or stores descriptors.
static bool service_is_needed(const struct unit *u)
{
        const struct service *s = service_of(u);
        const struct run *run = &s->run;

        // That cleaning has failed can be read until it is reset.
        return run->client || run->main.pid > 0 || run->control.pid > 0 ||
               run->state == SERVICE_DEAD_RESOURCES_PINNED || s->clean_result != SERVICE_SUCCESS;
}

// A process that was killed by a signal has no exit status.
static int service_exit_status(const struct unit *u)
{
        const struct run *run = &service_of(u)->run;

        return run->main_code == CLD_EXITED ? run->main_status : -1;
}

const struct unit_ops service_ops = {
        .type = UNIT_SERVICE,
        .size = sizeof(struct service),
        .init = service_init,
        .done = service_done,
        .reconfigure = service_reconfigure,
        .start = service_start,
        .stop = service_stop,
        .reload = service_reload,
        .can_reload = service_can_reload,
        .can_clean = service_can_clean,
        .clean = service_clean,
        .kill = service_kill,
        .active_state = active_state,
        .sub_state = sub_state,
        .result = result,
        .reset_failed = service_reset_failed,
        .handle = service_handle,
        .is_needed = service_is_needed,
        .exit_status = service_exit_status,
};
