#include "core/unit/stop.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"

#include <signal.h>

// Connections have no job that reports their end; poll at this interval.
#define LOOK_AGAIN (50 * USEC_PER_MSEC)
// After a second request: SIGKILL everything, then wait at most this long.
#define HURRY_MAX (5 * USEC_PER_SEC)

static bool is_up(const struct unit *u)
{
        return !active_state_is_inactive_or_failed(unit_active_state(u));
}

// Units that do not conflict with shutdown.target (DefaultDependencies=no) are left; they are
// stopped last, in one transaction. Repeated, so that a unit that cannot be stopped now is stopped
// later.
static bool stop_leftovers(struct manager *m)
{
        struct request_failure failure = {.error = REQUEST_FAILED, .text = "no memory"};
        CLEANUP(free)
        struct unit **units = reallocarray(NULL, map_size(m->units) + 1, sizeof(*units));
        size_t n = 0;
        bool any = false;

        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                if (!is_up(u) || u->conf->type == UNIT_TARGET)
                        continue;
                any = true;
                if (units && !(u->job && u->job->type == JOB_STOP))
                        units[n++] = u;
        }
        if (any && (!units || (n > 0 && job_request_stops(m, units, n, &failure) != REQUEST_OK)))
                log_write(LOG_WARNING, "What is left cannot be stopped now: %s", failure.text);
        return any;
}

// Is the ordered stop in progress? A start that has not ended does not count: it is stopped with
// the units that are left.
static bool is_stopping_in_order(struct manager *m)
{
        for (struct job *j = job_next(m, NULL); j; j = job_next(m, j))
                if (j->type == JOB_STOP || j->unit->conf->type == UNIT_TARGET)
                        return true;
        return false;
}

static void check_stopped(struct manager *m);

static void on_stop_timer(struct timer *timer, usec_t now UNUSED)
{
        check_stopped(CONTAINER_OF(timer, struct manager, stop_timer));
}

static void check_stopped(struct manager *m)
{
        bool is_busy = is_stopping_in_order(m);

        if (m->is_hurrying && clock_now() >= usec_add(m->stop_begin, HURRY_MAX)) {
                log_write(LOG_WARNING, "Some processes would not end: leaving them.");
                events_exit(m->events, m->exit_code);
                return;
        }
        if (!is_busy)
                is_busy = stop_leftovers(m);
        if (m->ops)
                is_busy |= m->ops->stop_connections(m, m->is_hurrying);
        if (!is_busy)
                events_exit(m->events, m->exit_code);
        else if (timer_set(m->events, &m->stop_timer, usec_add(clock_now(), LOOK_AGAIN),
                           on_stop_timer) < 0)
                events_exit(m->events, m->exit_code);
}

static void hurry(struct manager *m)
{
        if (m->is_hurrying)
                return;
        log_write(LOG_NOTICE, "Asked to stop again: killing the remaining processes.");
        m->is_hurrying = true;
        m->stop_begin = clock_now();
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                if (is_up(u) && u->ops->kill)
                        u->ops->kill(u, "all", SIGKILL);
        check_stopped(m);
}

void manager_stop(struct manager *m, int exit_code)
{
        struct request_failure failure = {.error = REQUEST_OK};
        struct unit *u;

        if (m->is_stopping) {
                hurry(m);
                return;
        }
        m->is_stopping = true;
        m->exit_code = exit_code;
        m->stop_begin = clock_now();
        int r = registry_load_unit(m, "shutdown.target", &u);

        if (r < 0)
                log_write(LOG_WARNING, "shutdown.target: %s", strerror(-r));
        else if (job_request(m, JOB_START, u, JOB_REPLACE_IRREVERSIBLY, NULL, &failure) !=
                 REQUEST_OK)
                log_unit(u->id, LOG_WARNING, 0, "Stopping without order: %s", failure.text);
        check_stopped(m);
}

static void on_stop(struct work *w)
{
        struct manager *m = CONTAINER_OF(w, struct manager, stop_work);

        if (!m->is_stopping)
                manager_stop(m, m->exit_code);
}

static void stop_later(struct manager *m, int exit_code)
{
        m->exit_code = exit_code;
        work_queue(m->events, WORK_CHANGES, &m->stop_work, on_stop);
}

void stop_act(struct manager *m, int action, int status, const char *unit, const char *what)
{
        bool is_decided = m->is_stopping || list_is_linked(&m->stop_work.node);

        if (action == EMERGENCY_NONE || is_decided)
                return;
        switch (action) {
        case EMERGENCY_EXIT:
                log_unit(unit, LOG_WARNING, 0, "It %s: exiting.", what);
                stop_later(m, status >= 0 ? status : EXIT_FAILURE);
                break;
        case EMERGENCY_EXIT_FORCE:
                log_unit(unit, LOG_WARNING, 0, "It %s: exiting at once.", what);
                m->exit_code = status >= 0 ? status : EXIT_FAILURE;
                events_exit(m->events, m->exit_code);
                break;
        default:
                // Reboot and the like: the exit of PID 1 ends the container.
                if (m->options.is_pid1) {
                        log_unit(unit, LOG_WARNING, 0, "It %s: shutting down.", what);
                        stop_later(m, EXIT_SUCCESS);
                } else {
                        log_unit(unit, LOG_ERR, 0,
                                 "It %s, but usherd is not PID 1: %s is not done.", what,
                                 choices_name(&choices_emergency_action, action));
                }
                break;
        }
}

void stop_act_on_failure(struct manager *m, int action, int status, const char *unit,
                         const char *what)
{
        if (action != EMERGENCY_NONE && m->ignores_watchdogs)
                log_unit(unit, LOG_WARNING, 0,
                         "It %s, and its action is left out: service-watchdogs is off.", what);
        else
                stop_act(m, action, status, unit, what);
}
