// Time: timeouts of states, the watchdog, the maximum run time.
#include "base/clock.h"
#include "base/log.h"
#include "core/service/service_priv.h"

#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

static const struct {
        enum service_state terminate, abort, kill;
} ladders[] = {
        // up to ExecStop=
        [false] = {SERVICE_STOP_SIGTERM, SERVICE_STOP_WATCHDOG, SERVICE_STOP_SIGKILL},
        // after ExecStopPost=
        [true] = {SERVICE_FINAL_SIGTERM, SERVICE_FINAL_WATCHDOG, SERVICE_FINAL_SIGKILL},
};

// SIGKILL, or, if that may not be sent, the state after it
static void kill_or_skip(struct run *run, const char *what, bool is_final)
{
        if (run->conf->kill->send_sigkill) {
                run_log(run, LOG_WARNING, 0, "%s timed out. Killing.", what);
                service_enter_signal(run, ladders[is_final].kill, SERVICE_FAILURE_TIMEOUT);
                return;
        }
        run_log(run, LOG_WARNING, 0, "%s timed out. Skipping SIGKILL.", what);
        if (is_final)
                service_enter_dead(run, SERVICE_FAILURE_TIMEOUT, false);
        else
                service_enter_stop_post(run, SERVICE_FAILURE_TIMEOUT);
}

// A command of a state took too long: acts as Timeout*FailureMode= says.
static void on_command_timeout(struct run *run, int mode, const char *what, bool is_final)
{
        switch ((enum timeout_failure_mode)mode) {
        case TIMEOUT_TERMINATE:
                run_log(run, LOG_WARNING, 0, "%s timed out. Terminating.", what);
                service_enter_signal(run, ladders[is_final].terminate, SERVICE_FAILURE_TIMEOUT);
                break;
        case TIMEOUT_ABORT:
                run_log(run, LOG_WARNING, 0, "%s timed out. Aborting.", what);
                service_enter_signal(run, ladders[is_final].abort, SERVICE_FAILURE_TIMEOUT);
                break;
        case TIMEOUT_KILL:
                kill_or_skip(run, what, is_final);
                break;
        }
}

// The first signal was not sufficient.
static void on_signal_timeout(struct run *run, const char *what, bool is_final)
{
        bool is_first = run->state == SERVICE_STOP_SIGTERM || run->state == SERVICE_FINAL_SIGTERM;

        if (is_first && run_conf(run)->timeout_stop_failure_mode == TIMEOUT_ABORT)
                on_command_timeout(run, TIMEOUT_ABORT, what, is_final);
        else
                kill_or_skip(run, what, is_final);
}

static void on_reload_timeout(struct run *run)
{
        run_log(run, LOG_WARNING, 0, "Reload operation timed out. Killing reload process.");
        service_kill_control(run, SIGKILL);
        run_unwatch_control(run);
        if (run->cold) {
                run->cold->reload_result = SERVICE_FAILURE_TIMEOUT;
                if (run->cold->notify_state == NOTIFY_STATE_RELOADING)
                        run->cold->notify_state = NOTIFY_STATE_READY;
        }
        service_enter_running(run, SERVICE_SUCCESS);
}

static void on_stop_timeout(struct run *run, const char *what)
{
        switch (run->state) {
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
                on_signal_timeout(run, what, false);
                break;
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
                on_signal_timeout(run, what, true);
                break;
        case SERVICE_STOP_SIGKILL:
                run_log(run, LOG_WARNING, 0, "Processes still around after SIGKILL. Ignoring.");
                service_enter_stop_post(run, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_FINAL_SIGKILL:
                run_log(run, LOG_WARNING, 0,
                        "Processes still around after final SIGKILL. Entering failed mode.");
                service_enter_dead(run, SERVICE_FAILURE_TIMEOUT, true);
                break;
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

static void on_timeout(struct timer *t, usec_t now UNUSED)
{
        struct run *run = CONTAINER_OF(t, struct run, timer);
        const struct service_group *g = run_conf(run);
        char what[64];

        snprintf(what, sizeof(what), "State '%s'", service_state_name(run->state));
        switch (run->state) {
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_START:
        case SERVICE_START_POST:
                snprintf(what, sizeof(what), "%s operation", service_state_name(run->state));
                on_command_timeout(run, g->timeout_start_failure_mode, what, false);
                break;
        case SERVICE_RUNNING:
                run_log(run, LOG_WARNING, 0, "Service reached runtime time limit. Stopping.");
                service_enter_stop(run, SERVICE_FAILURE_TIMEOUT);
                break;
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
                on_reload_timeout(run);
                break;
        case SERVICE_STOP:
                on_command_timeout(run, g->timeout_stop_failure_mode, "Stopping", false);
                break;
        case SERVICE_STOP_POST:
                on_command_timeout(run, g->timeout_stop_failure_mode, what, true);
                break;
        case SERVICE_AUTO_RESTART:
                service_enter_restart(run);
                break;
        case SERVICE_DEAD:
        case SERVICE_EXITED:
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART_QUEUED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                on_stop_timeout(run, what);
                break;
        }
}

void run_set_timeout(struct run *run, usec_t after)
{
        usec_t when = usec_add(clock_now(), after);

        if (run->cold && run->cold->extend_until > when)
                when = run->cold->extend_until;
        if (timer_set(run->manager->events, &run->timer, when, on_timeout) < 0)
                run_log(run, LOG_ERR, ENOMEM, "Cannot set a timeout");
}

void run_extend_timeout(struct run *run, usec_t after)
{
        struct run_cold *cold = run_cold_get(run);
        usec_t when = usec_add(clock_now(), after);

        // The deadline only moves back; a state without a limit has nothing to extend.
        if (!cold || !timer_is_set(&run->timer) || run->timer.node.key >= when ||
            run->state == SERVICE_AUTO_RESTART)
                return;
        cold->extend_until = when;
        if (cold->runtime_until && run->state == SERVICE_RUNNING)
                cold->runtime_until = when;
        (void)timer_set(run->manager->events, &run->timer, when, on_timeout);
}

// The end of its run time, counted from `begin`.
static usec_t choose_runtime_end(const struct run *run, usec_t begin)
{
        const struct service_group *g = run_conf(run);
        uint64_t random = 0;
        usec_t end = usec_add(begin, g->runtime_max_sec);

        if (g->runtime_randomized_extra_sec == 0)
                return end;
        if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
                random = 0;
        return usec_add(end, random % g->runtime_randomized_extra_sec);
}

static bool has_runtime_limit(const struct service_group *g)
{
        return g->type != SERVICE_ONESHOT && g->runtime_max_sec != USEC_INFINITY;
}

void run_running_timeout(struct run *run)
{
        struct run_cold *cold = has_runtime_limit(run_conf(run)) ? run_cold_get(run) : NULL;

        if (!cold) {
                timer_stop(run->manager->events, &run->timer);
                return;
        }
        // Counted from when it first ran: a reload of the service does not extend it.
        if (cold->runtime_until == 0)
                cold->runtime_until = choose_runtime_end(run, clock_now());
        run_set_timeout(run, usec_sub(cold->runtime_until, clock_now()));
}

void run_change_runtime(struct run *run, const struct service_group *old)
{
        const struct service_group *g = run_conf(run);
        bool is_running = run->state == SERVICE_RUNNING;

        if (!(is_running || service_state_is_reloading(run->state)) ||
            (g->runtime_max_sec == old->runtime_max_sec &&
             g->runtime_randomized_extra_sec == old->runtime_randomized_extra_sec))
                return;
        struct run_cold *cold = has_runtime_limit(g) ? run_cold_get(run) : run->cold;

        if (cold)
                cold->runtime_until =
                        has_runtime_limit(g)
                                ? choose_runtime_end(run, run->service->unit.active_enter)
                                : 0;
        if (is_running)
                run_running_timeout(run);
}

// ---- watchdog

usec_t run_watchdog_usec(const struct run *run)
{
        usec_t own = run_conf(run)->watchdog_sec;

        if (run->cold && run->cold->watchdog_override != USEC_INFINITY)
                own = run->cold->watchdog_override;
        return own == USEC_INFINITY ? 0 : own;
}

void run_watchdog_trigger(struct run *run)
{
        if (run->manager->ignores_watchdogs) {
                run_log(run, LOG_WARNING, 0, "This is ignored: service-watchdogs is off.");
                return;
        }
        if (run->state == SERVICE_START_POST || run->state == SERVICE_RUNNING ||
            service_state_is_reloading(run->state))
                service_enter_signal(run, SERVICE_STOP_WATCHDOG, SERVICE_FAILURE_WATCHDOG);
}

static void on_watchdog(struct timer *t, usec_t now UNUSED)
{
        struct run *run = CONTAINER_OF(t, struct run_cold, watchdog_timer)->run;
        char span[USEC_SPAN_MAX];

        run_log(run, LOG_ERR, 0, "Watchdog timeout (limit %s)!",
                usec_format_span(run_watchdog_usec(run), 1, span, sizeof(span)));
        run_watchdog_trigger(run);
}

void run_watchdog_reset(struct run *run)
{
        usec_t limit = run_watchdog_usec(run);

        if (limit == 0) {
                run_watchdog_stop(run);
                return;
        }
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return;
        cold->watchdog_stamp = clock_now();
        (void)timer_set(run->manager->events, &cold->watchdog_timer,
                        usec_add(cold->watchdog_stamp, limit), on_watchdog);
}

void run_watchdog_stop(struct run *run)
{
        if (!run->cold)
                return;
        timer_stop(run->manager->events, &run->cold->watchdog_timer);
}
