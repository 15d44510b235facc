// The way up: condition -> start-pre -> start -> start-post -> running, and reload.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "core/service/processes.h"
#include "core/service/service_priv.h"
#include "core/unit/job.h"
#include "spawn/kill.h"
#include "spawn/spawn.h"

#include <signal.h>

#define IDLE_WAIT_MAX (5 * USEC_PER_SEC)
#define IDLE_LOOK (50 * USEC_PER_MSEC) // the interval between looks at the job queue

static void reset_cold(struct run_cold *cold)
{
        free(TAKE(cold->status_text));
        strv_free(TAKE(cold->monitored));
        cold->status_errno = 0;
        cold->notify_state = NOTIFY_STATE_UNKNOWN;
        cold->notify_access_override = NOTIFY_ACCESS_UNSET;
        cold->watchdog_override = USEC_INFINITY;
        cold->reload_result = SERVICE_SUCCESS;
        cold->runtime_until = cold->idle_until = 0;
}

int run_begin_life(struct run *run)
{
        int r = run_reset_life(run);

        if (r < 0)
                return r;
        service_forget_exec(run); // a process of the last life may never have reached its exec
        if (run->cold)
                reset_cold(run->cold);
        struct service *s = run->service;

        if (!s)
                return 0;
        run_set_conf(run, s->unit.conf);
        s->unit.invocation_id = run->invocation_id;
        if (s->flush_n_restarts)
                s->n_restarts = 0;
        s->flush_n_restarts = false;
        return service_note_monitored(run);
}

void service_enter_condition(struct run *run)
{
        assert(service_state_may_start(run->state));
        if (run_conf(run)->exec_condition.n == 0) {
                service_enter_start_pre(run);
                return;
        }
        run_begin_control(run);
        service_run_control(run, SERVICE_CONDITION);
}

void service_enter_start_pre(struct run *run)
{
        assert(service_state_may_start(run->state) || run->state == SERVICE_CONDITION);
        if (run_conf(run)->exec_start_pre.n == 0) {
                service_enter_start(run);
                return;
        }
        run_begin_control(run);
        service_run_control(run, SERVICE_START_PRE);
}

// ---- the main command

static void start_main(struct run *run)
{
        const struct service_group *g = run_conf(run);
        int r = service_start_main(run);

        if (r < 0) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
                return;
        }
        bool is_waited_for = r > 0 || (g->type != SERVICE_SIMPLE && g->type != SERVICE_IDLE);

        if (is_waited_for) {
                run_set_timeout(run, run_start_limit(run, g->timeout_start_sec));
                if (run->state != SERVICE_START)
                        service_set_state(run, SERVICE_START);
                return;
        }
        run_set_timeout(run, USEC_INFINITY);
        service_enter_start_post(run);
}

static void on_idle_timer(struct timer *t, usec_t now)
{
        struct run_cold *cold = CONTAINER_OF(t, struct run_cold, idle_timer);
        struct run *run = cold->run;

        if (run->state != SERVICE_START || run->main.pid > 0 || cold->idle_until == 0)
                return;
        // Waits for running jobs; its own job ends once the state counts as active.
        if (now < cold->idle_until && job_count(run->manager) > 0 &&
            timer_set(run->manager->events, t, usec_add(now, IDLE_LOOK), on_idle_timer) == 0)
                return;
        start_main(run);
}

// Type=idle: false when there is nothing to wait for.
static bool wait_idle(struct run *run)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold || job_count(run->manager) == 0)
                return false;
        cold->idle_until = usec_add(clock_now(), IDLE_WAIT_MAX);
        if (timer_set(run->manager->events, &cold->idle_timer, usec_add(clock_now(), IDLE_LOOK),
                      on_idle_timer) < 0)
                return false;
        run_set_timeout(run, USEC_INFINITY);
        service_set_state(run, SERVICE_START);
        return true;
}

void service_enter_start(struct run *run)
{
        const struct service_group *g = run_conf(run);

        assert(service_state_may_start(run->state) || run->state <= SERVICE_START_PRE);
        run_begin_main(run);
        if (g->exec_start.n == 0) {
                // Only a oneshot may have none. It passes through start, so that observers see it.
                run_set_timeout(run, USEC_INFINITY);
                service_set_state(run, SERVICE_START);
                service_enter_start_post(run);
                return;
        }
        if (g->type == SERVICE_FORKING) {
                service_run_control(run, SERVICE_START);
                return;
        }
        if (g->type == SERVICE_IDLE && wait_idle(run))
                return;
        start_main(run);
}

void service_run_next_main(struct run *run)
{
        run_next_main(run);
        start_main(run);
}

void service_forget_exec(struct run *run)
{
        struct run_cold *cold = run->cold;

        if (!cold || cold->exec_watch.fd < 0)
                return;
        watch_remove(run->manager->events, &cold->exec_watch);
        cold->exec_watch.fd = fd_close(cold->exec_watch.fd);
}

void service_check_exec(struct run *run)
{
        struct run_cold *cold = run->cold;
        struct fail why = {0};

        if (!cold || cold->exec_watch.fd < 0)
                return;
        int r = spawn_exec_result(cold->exec_watch.fd, &why);

        if (r == -EAGAIN)
                return;
        service_forget_exec(run);
        // If it failed, the process has exited, and its exit status tells why.
        if (r > 0 && run->state == SERVICE_START && run_conf(run)->type == SERVICE_EXEC)
                service_enter_start_post(run);
}

void service_on_exec_event(struct watch *w, uint32_t revents UNUSED)
{
        service_check_exec(CONTAINER_OF(w, struct run_cold, exec_watch)->run);
}

void service_enter_start_post(struct run *run)
{
        assert(service_state_may_start(run->state) || run->state <= SERVICE_START);
        run_watchdog_reset(run);
        if (run_conf(run)->exec_start_post.n == 0) {
                service_enter_running(run, SERVICE_SUCCESS);
                return;
        }
        run_begin_control(run);
        service_run_control(run, SERVICE_START_POST);
}

void service_enter_running(struct run *run, enum service_result result)
{
        enum notify_state told = run->cold ? run->cold->notify_state : NOTIFY_STATE_UNKNOWN;

        assert(service_state_may_start(run->state) || run->state <= SERVICE_RELOAD_NOTIFY);
        run_set_result(run, result);
        if (run->result != SERVICE_SUCCESS) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
        } else if (run_is_good(run)) {
                // Messages that the service sent while it was starting take effect now.
                if (told == NOTIFY_STATE_RELOADING) {
                        service_enter_reload_by_notify(run);
                } else if (told == NOTIFY_STATE_STOPPING) {
                        service_enter_stop_by_notify(run);
                } else {
                        run_running_timeout(run);
                        service_set_state(run, SERVICE_RUNNING);
                        if (!run->main_pid_known)
                                run_await_strays(run);
                }
        } else if (run_conf(run)->remain_after_exit) {
                service_set_state(run, SERVICE_EXITED);
        } else {
                service_enter_stop(run, SERVICE_SUCCESS);
        }
}

// ---- reload

void service_enter_reload_by_notify(struct run *run)
{
        run_set_timeout(run, run_conf(run)->timeout_start_sec);
        service_set_state(run, SERVICE_RELOAD_NOTIFY);
}

void service_enter_reload(struct run *run)
{
        const struct service_group *g = run_conf(run);
        struct run_cold *cold = run_cold_get(run);
        bool is_signalled = false;

        assert(run->state == SERVICE_RUNNING || run->state == SERVICE_EXITED);
        if (!cold) {
                run_log(run, LOG_WARNING, ENOMEM, "Cannot reload");
                return;
        }
        cold->reload_result = SERVICE_SUCCESS;
        cold->reload_begin = clock_now();
        if (g->type == SERVICE_NOTIFY_RELOAD && run->main.pid > 0) {
                int r = kill_process(run->main.pid, run->main.pidfd, g->reload_signal);

                if (r < 0) {
                        run_log(run, LOG_WARNING, -r, "Failed to send the reload signal");
                        cold->reload_result = SERVICE_FAILURE_RESOURCES;
                        service_enter_running(run, SERVICE_SUCCESS);
                        return;
                }
                is_signalled = true;
        }
        if (g->exec_reload.n > 0) {
                run_begin_control(run);
                service_run_control(run, SERVICE_RELOAD);
        } else if (is_signalled) {
                run_set_timeout(run, g->timeout_start_sec);
                service_set_state(run, SERVICE_RELOAD_SIGNAL);
        } else {
                service_enter_running(run, SERVICE_SUCCESS);
        }
}

// ---- after a wait: for a look-up of users, or for resources

void service_resume(struct run *run)
{
        bool is_main = run->state == SERVICE_START && run_conf(run)->type != SERVICE_FORKING;

        if (is_main && run->main.pid == 0)
                start_main(run);
        else if (!is_main && run->control.pid == 0 && service_control_list(run, run->state))
                service_run_control(run, run->state);
}
