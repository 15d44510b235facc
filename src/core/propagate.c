#include "core/propagate.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/job.h"
#include "core/manager.h"

// Starts and stops that nobody asked for: more than these in the interval is a loop.
#define AUTO_INTERVAL (10 * USEC_PER_SEC)
#define AUTO_BURST 16

static bool is_down_or_going(enum active_state s)
{
        return s == ACTIVE_INACTIVE || s == ACTIVE_FAILED || s == ACTIVE_DEACTIVATING;
}

static bool is_up_or_coming(enum active_state s)
{
        return s == ACTIVE_ACTIVE || s == ACTIVE_RELOADING || s == ACTIVE_ACTIVATING;
}

// Other units may be loaded, jobs finished and units notified by a request, so that the edges of a
// unit may change while they are walked: UNIT_FOREACH_DEPENDENCY looks at each index anew.
static void request(struct unit *u, enum job_type type, enum job_mode mode, const char *why)
{
        struct request_failure failure;

        if (job_request(u->manager, type, u, mode, NULL, &failure) != REQUEST_OK)
                log_unit(u->id, LOG_WARNING, 0, "Cannot queue a %s job%s: %s", job_type_name(type),
                         why, failure.text);
}

static void start_along(struct unit *u, uint32_t mask, enum job_mode mode)
{
        UNIT_FOREACH_DEPENDENCY(u, mask, other)
        if (!unit_has_dependency(u, DEP_AFTER, other) && !is_up_or_coming(unit_active_state(other)))
                request(other, JOB_START, mode, "");
}

static void stop_along(struct unit *u, uint32_t mask)
{
        UNIT_FOREACH_DEPENDENCY(u, mask, other)
        if (!is_down_or_going(unit_active_state(other)))
                request(other, JOB_STOP, JOB_REPLACE, "");
}

void propagate_unexpected(struct unit *u, enum active_state old, enum active_state now)
{
        if (active_state_is_inactive_or_failed(old) && is_up_or_coming(now)) {
                start_along(u, DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_BINDS_TO) | DEP_BIT(DEP_UPHOLDS),
                            JOB_REPLACE);
                start_along(u, DEP_BIT(DEP_WANTS), JOB_FAIL);
                stop_along(u, DEP_BIT(DEP_CONFLICTS) | DEP_BIT(DEP_CONFLICTED_BY));
        } else if (is_up_or_coming(old) && is_down_or_going(now)) {
                stop_along(u, DEP_BIT(DEP_BOUND_BY) | DEP_BIT(DEP_PROPAGATES_STOP_TO));
        }
}

void propagate_outcome(struct unit *u, enum dependency d)
{
        const struct unit_group *g = u->conf->unit;
        int mode = d == DEP_ON_FAILURE ? g->on_failure_job_mode : g->on_success_job_mode;

        if (u->manager->is_stopping)
                return;
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(d), other)
        {
                log_unit(u->id, LOG_DEBUG, 0, "Triggering %s= dependency %s.", dependency_name(d),
                         other->id);
                request(other, JOB_START, (enum job_mode)mode,
                        d == DEP_ON_FAILURE ? " for OnFailure=" : " for OnSuccess=");
        }
}

void propagate_trigger(struct unit *u)
{
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_TRIGGERED_BY), other)
        if (other->ops->trigger_notify)
                other->ops->trigger_notify(other, u);
}

// ---- continuous wishes, looked at from the work queue

static void on_state(struct work *w);

static void check(struct unit *u)
{
        work_queue(u->manager->events, WORK_STATE, &u->state_work, on_state);
}

// The time is over for at least one of those that had to wait.
static void on_auto_timer(struct timer *timer, usec_t now UNUSED)
{
        struct manager *m = CONTAINER_OF(timer, struct manager, auto_timer);

        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u))
                if (u->auto_limit.count >= AUTO_BURST)
                        check(u);
}

static bool may_act(struct unit *u)
{
        struct manager *m = u->manager;
        usec_t now = clock_now();

        u->auto_limit.interval = AUTO_INTERVAL;
        u->auto_limit.burst = AUTO_BURST;
        if (rate_below(&u->auto_limit, now))
                return true;
        log_unit(u->id, LOG_WARNING, 0,
                 "Not started or stopped by itself for now: it was too often.");
        if (!timer_is_set(&m->auto_timer) &&
            timer_set(m->events, &m->auto_timer, rate_window_end(&u->auto_limit, now) + 1,
                      on_auto_timer) < 0)
                log_unit(u->id, LOG_WARNING, ENOMEM, "It stays as it is");
        return false;
}

static bool is_unneeded(const struct unit *u)
{
        static const uint32_t pins = DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_REQUISITE_OF) |
                                     DEP_BIT(DEP_WANTED_BY) | DEP_BIT(DEP_BOUND_BY) |
                                     DEP_BIT(DEP_UPHELD_BY);

        if (!u->conf->unit->stop_when_unneeded || u->job || !is_up_or_coming(unit_active_state(u)))
                return false;
        UNIT_FOREACH_DEPENDENCY(u, pins, other)
        if (other->job || !active_state_is_inactive_or_failed(unit_active_state(other)))
                return false;
        return true;
}

static const struct unit *find_gone_bound(const struct unit *u)
{
        const struct unit *gone = NULL;

        if (u->job || !active_state_is_up(unit_active_state(u)))
                return NULL;
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_BINDS_TO), other)
        {
                if (other->job)
                        return NULL; // not settled
                if (active_state_is_inactive_or_failed(unit_active_state(other)))
                        gone = other;
        }
        return gone;
}

static const struct unit *find_upholder(const struct unit *u)
{
        if (u->job || !active_state_is_inactive_or_failed(unit_active_state(u)))
                return NULL;
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_UPHELD_BY), other)
        if (!other->job && active_state_is_up(unit_active_state(other)))
                return other;
        return NULL;
}

static void on_state(struct work *w)
{
        struct unit *u = CONTAINER_OF(w, struct unit, state_work);
        const struct unit *other;

        if (u->manager->is_stopping)
                return;
        if (is_unneeded(u) && may_act(u)) {
                log_unit(u->id, LOG_INFO, 0, "Unit not needed anymore. Stopping.");
                request(u, JOB_STOP, JOB_FAIL, "");
        } else if ((other = find_gone_bound(u)) && may_act(u)) {
                log_unit(u->id, LOG_INFO, 0, "Unit is bound to inactive unit %s. Stopping, too.",
                         other->id);
                request(u, JOB_STOP, JOB_REPLACE, "");
        } else if ((other = find_upholder(u)) && may_act(u)) {
                log_unit(u->id, LOG_INFO, 0,
                         "Unit is upheld by %s. Starting it because it is inactive.", other->id);
                request(u, JOB_START, JOB_FAIL, "");
        }
}

void propagate_check_later(struct unit *u, enum active_state now)
{
        static const uint32_t leaned_on = DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_REQUISITE) |
                                          DEP_BIT(DEP_WANTS) | DEP_BIT(DEP_BINDS_TO) |
                                          DEP_BIT(DEP_UPHOLDS);

        if (active_state_is_inactive_or_failed(now)) {
                UNIT_FOREACH_DEPENDENCY(u, leaned_on | DEP_BIT(DEP_BOUND_BY), other)
                check(other);
                check(u);
        } else if (active_state_is_up(now)) {
                UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_UPHOLDS), other)
                check(other);
                check(u);
        }
}
