// The way down: stop -> signals -> stop-post -> final signals -> dead, failed or a restart.
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/service/folders.h"
#include "core/service/processes.h"
#include "core/service/service_log.h"
#include "core/service/service_priv.h"
#include "core/start/kill_queue.h"
#include "core/unit/job.h"
#include "spawn/plan.h"

#include <stdio.h>

void service_enter_stop(struct run *run, enum service_result result)
{
        assert(service_state_may_start(run->state) || run->state <= SERVICE_STOP);
        run_set_result(run, result);
        run_unwatch_control(run);
        if (run_conf(run)->exec_stop.n == 0) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_SUCCESS);
                return;
        }
        run_begin_control(run);
        service_run_control(run, SERVICE_STOP);
}

void service_enter_stop_by_notify(struct run *run)
{
        run_set_timeout(run, run_stop_timeout(run));
        // It exits by itself: no signal is sent before the timeout.
        service_set_state(run, SERVICE_STOP_SIGTERM);
}

void service_enter_stop_post(struct run *run, enum service_result result)
{
        assert(service_state_may_start(run->state) || run->state < SERVICE_STOP_POST);
        run_set_result(run, result);
        run_unwatch_control(run);
        if (run_conf(run)->exec_stop_post.n == 0) {
                service_enter_signal(run, SERVICE_FINAL_SIGTERM, SERVICE_SUCCESS);
                return;
        }
        run_begin_control(run);
        service_run_control(run, SERVICE_STOP_POST);
}

// ---- signals

static enum kill_operation operation_of(enum service_state state)
{
        if (state == SERVICE_STOP_SIGKILL || state == SERVICE_FINAL_SIGKILL)
                return KILL_OPERATION_KILL;
        if (state == SERVICE_STOP_WATCHDOG || state == SERVICE_FINAL_WATCHDOG)
                return KILL_OPERATION_ABORT;
        return KILL_OPERATION_TERMINATE;
}

void service_enter_signal(struct run *run, enum service_state state, enum service_result result)
{
        const struct service_group *g = run_conf(run);
        enum kill_operation operation = operation_of(state);
        bool sends_sigkill = run->conf->kill->send_sigkill;

        // States are skipped if no process is left to signal.
        for (;;) {
                run_set_result(run, result);
                result = SERVICE_SUCCESS;
                if (run_kill(run, operation)) {
                        bool is_abort = operation == KILL_OPERATION_ABORT;

                        run_set_timeout(run,
                                        is_abort ? g->timeout_abort_sec : run_stop_timeout(run));
                        service_set_state(run, state);
                        run_await_strays(run);
                        return;
                }
                bool is_final = state >= SERVICE_FINAL_WATCHDOG;

                if (operation != KILL_OPERATION_KILL && sends_sigkill) {
                        state = is_final ? SERVICE_FINAL_SIGKILL : SERVICE_STOP_SIGKILL;
                        operation = KILL_OPERATION_KILL;
                } else if (is_final) {
                        service_enter_dead(run, SERVICE_SUCCESS, true);
                        return;
                } else {
                        service_enter_stop_post(run, SERVICE_SUCCESS);
                        return;
                }
        }
}

void service_on_processes_gone(struct run *run, enum service_result result)
{
        switch (run->state) {
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                service_enter_stop_post(run, result);
                break;
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                service_enter_dead(run, result, true);
                break;
        case SERVICE_RUNNING:
                service_enter_running(run, result);
                break;
        case SERVICE_DEAD:
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
        case SERVICE_EXITED:
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
        case SERVICE_STOP:
        case SERVICE_STOP_POST:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                break;
        }
}

// ---- the end

static struct restart_policy policy_of(const struct run *run)
{
        const struct service_group *g = run_conf(run);

        return (struct restart_policy){
                .restart = (enum service_restart)g->restart,
                .prevent = &g->restart_prevent_exit_status,
                .force = &g->restart_force_exit_status,
                .sec = g->restart_sec,
                .max_delay = g->restart_max_delay_sec,
                .steps = g->restart_steps,
        };
}

static bool restarts(const struct run *run, bool may_restart)
{
        struct restart_policy policy = policy_of(run);
        bool is_connection =
                run->client && manager_differs(run->manager, DIFFERENCE_CONNECTION_COPY);
        struct restart_cause cause = {
                .result = run->result,
                .main_code = run->main_code,
                .main_status = run->main_status,
                .is_manual_stop = run->forbid_restart || !may_restart || is_connection ||
                                  run_stop_is_pending(run),
        };

        return restart_is_due(&policy, &cause);
}

bool service_comes_back(const struct run *run)
{
        switch (run->state) {
        case SERVICE_STOP:
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_STOP_POST:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                return restarts(run, true);
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
                return true;
        case SERVICE_DEAD:
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
        case SERVICE_FAILED:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                break;
        }
        return false;
}

static void log_end(const struct run *run)
{
        if (run->result == SERVICE_SUCCESS)
                run_log(run, run->service ? LOG_INFO : LOG_DEBUG, 0, "Deactivated successfully.");
        else if (run->result == SERVICE_SKIP_CONDITION)
                run_log(run, LOG_INFO, 0, "Skipped due to '%s'.", service_result_name(run->result));
        else
                run_log(run, run->is_refused ? LOG_DEBUG : LOG_WARNING, 0,
                        "Failed with result '%s'.", service_result_name(run->result));
}

struct leftovers {
        struct spawn_plan *plan; // reference: of RuntimeDirectory=; NULL: they stay
        char **kept;             // those of them that others use
        char *pid_file;          // NULL: there is none
};

static void leftovers_free(void *question)
{
        struct leftovers *l = question;

        if (!l)
                return;
        spawn_plan_unref(l->plan);
        strv_free(l->kept);
        free(l->pid_file);
        free(l);
}

static void put_failure(struct inquiry_answer *answer, const char *what, int error,
                        const char *detail)
{
        char text[FAIL_DETAIL_MAX + 128];

        snprintf(text, sizeof(text), "Cannot remove its %s: %s%s%s", what, detail,
                 error ? ": " : "", error ? strerror(error) : "");
        inquiry_put_field(answer, text);
}

static void remove_leftovers(struct inquiry_answer *answer, const void *question)
{
        const struct leftovers *l = question;
        char text[FAIL_DETAIL_MAX + 128];
        struct fail why = {0};

        if (l->plan && spawn_plan_remove_runtime(l->plan, l->kept, &why) < 0)
                put_failure(answer, "runtime folder", 0, fail_format(&why, text, sizeof(text)));
        int r = l->pid_file ? fs_unlink(l->pid_file, NULL) : 0;

        if (r < 0 && r != -ENOENT)
                put_failure(answer, "PID file", -r, l->pid_file);
}

// Removes RuntimeDirectory= and the PID file.
static void remove_files(struct run *run, bool is_restarting)
{
        const struct exec_group *g = run->conf->exec;
        bool keeps = g->runtime_directory.n == 0 || g->runtime_directory_preserve == PRESERVE_YES ||
                     (g->runtime_directory_preserve == PRESERVE_RESTART && is_restarting);
        const char *pid_file = run_conf(run)->pid_file;
        struct leftovers *l;

        folders_release(run);
        if ((keeps || !run->plan) && !pid_file)
                return;
        l = calloc(1, sizeof(*l));
        if (!l || str_set(&l->pid_file, pid_file) < 0 || folders_in_use(run, &l->kept) < 0) {
                run_log(run, LOG_WARNING, ENOMEM, "Cannot remove what it leaves behind");
                leftovers_free(l);
                return;
        }
        l->plan = keeps || !run->plan ? NULL : spawn_plan_ref(run->plan);
        struct removal_task task = {.id = run_unit_id(run),
                                    .work = remove_leftovers,
                                    .question = l,
                                    .question_free = leftovers_free};

        (void)removal_begin(run->manager->removals, run_removal(run), &task);
}

// Removes what a finished life leaves behind. This precedes the state change, so that observers of
// the end find everything clean.
static void clean_up(struct run *run, bool is_restarting)
{
        const struct service_group *g = run_conf(run);

        run_forget_main(run);
        kill_queue_forget(run->manager->kills, run);
        run_unwatch_main(run);
        run_unwatch_control(run);
        remove_files(run, is_restarting);
        if (run->cold) {
                run->cold->notify_access_override = NOTIFY_ACCESS_UNSET;
                if (g->file_descriptor_store_preserve == PRESERVE_NO ||
                    (g->file_descriptor_store_preserve == PRESERVE_RESTART && !is_restarting))
                        fdstore_clear(&run->cold->fdstore);
        }
        run_drop_log(run);
}

// Is this end the stop part of a restart job? Then what is kept over restarts is kept.
static bool is_job_restart(const struct run *run)
{
        const struct job *j = run_job(run);

        return j && (j->type == JOB_RESTART || j->type == JOB_START);
}

void service_give_up_restart(struct run *run)
{
        if (!is_job_restart(run))
                clean_up(run, false);
        service_set_state(run, SERVICE_DEAD);
}

static void begin_restart(struct run *run, bool is_failed)
{
        struct restart_policy policy = policy_of(run);
        unsigned n = run->service->n_restarts;

        clean_up(run, true);
        if (run_conf(run)->restart_mode != RESTART_MODE_DIRECT)
                service_set_state(run, is_failed ? SERVICE_FAILED_BEFORE_AUTO_RESTART
                                                 : SERVICE_DEAD_BEFORE_AUTO_RESTART);
        run_set_timeout(run, restart_delay(&policy, n));
        service_set_state(run, SERVICE_AUTO_RESTART);
}

void service_enter_dead(struct run *run, enum service_result result, bool may_restart)
{
        run_set_result(run, result);

        bool is_failed = run->result != SERVICE_SUCCESS && run->result != SERVICE_SKIP_CONDITION;

        log_end(run);
        if (restarts(run, may_restart)) {
                begin_restart(run, is_failed);
        } else {
                clean_up(run, is_job_restart(run));
                if (run->service)
                        run->service->flush_n_restarts = true;
                bool is_pinned = !is_failed && run->cold && run->cold->fdstore.n > 0;

                service_set_state(run, is_failed   ? SERVICE_FAILED
                                       : is_pinned ? SERVICE_DEAD_RESOURCES_PINNED
                                                   : SERVICE_DEAD);
        }
        run_forbid_restart(run, false);
}

void service_enter_restart(struct run *run)
{
        struct service *s = run->service; // runs of connections are not restarted
        struct request_failure why = {0};

        assert(run->state == SERVICE_AUTO_RESTART);
        if (run_stop_is_pending(run)) {
                run_log(run, LOG_INFO, 0, "Stop job pending for unit, skipping automatic restart.");
                return;
        }
        enum job_type type =
                run_conf(run)->restart_mode == RESTART_MODE_DIRECT ? JOB_START : JOB_RESTART;

        s->n_restarts++;
        s->flush_n_restarts = false;
        service_set_state(run, SERVICE_AUTO_RESTART_QUEUED);
        // With RestartMode=direct it counts as never stopped, so the first start is still in
        // progress.
        if (s->unit.job && s->unit.job->type == JOB_START && s->unit.job->state == JOB_RUNNING)
                job_run_again(s->unit.job);
        if (job_request(run->manager, type, &s->unit, JOB_REPLACE, NULL, &why) != REQUEST_OK) {
                run_log(run, LOG_WARNING, 0, "Failed to schedule restart job: %s", why.text);
                service_enter_dead(run, SERVICE_FAILURE_RESOURCES, false);
                return;
        }
        run_log(run, LOG_INFO, 0, "Scheduled restart job, restart counter is at %u.",
                s->n_restarts);
        unit_changed(&s->unit);
}
