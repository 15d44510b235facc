#include "core/unit/propagate.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/unit/boot.h"
#include "core/unit/dependency.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/stop.h"

// Unrequested starts and stops: more than this number in the interval count as a loop.
#define AUTO_INTERVAL (10 * USEC_PER_SEC)
#define AUTO_BURST 16

#define FAIL_STEPS                                                                          \
        (PROPAGATE_BIT(PROPAGATE_FAIL_NEEDING) | PROPAGATE_BIT(PROPAGATE_FAIL_CONFLICTED) | \
         PROPAGATE_BIT(PROPAGATE_FAIL_REQUISITE))

// ---- the end of a job

// Fails jobs that depend on a start (or stop) that failed: one at a time, so that all consequences
// of the first are over before the second fails.
static void fail_next(struct unit *u, uint32_t mask, enum propagation step)
{
        uint32_t i = dependency_next(&u->deps, u->fail_position, mask);

        for (; i < u->deps.n; i = dependency_next(&u->deps, i + 1, mask)) {
                struct job *j = u->deps.items[i].unit->job;

                if (!j || (j->type != JOB_START && j->type != JOB_VERIFY_ACTIVE))
                        continue;
                u->fail_position = i + 1;
                u->consequences |= PROPAGATE_BIT(step);
                job_finish(j, JOB_DEPENDENCY);
                return;
        }
        u->fail_position = 0;
}

static void fail_needing(struct unit *u)
{
        fail_next(u, DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_REQUISITE_OF) | DEP_BIT(DEP_BOUND_BY),
                  PROPAGATE_FAIL_NEEDING);
}

static void fail_conflicted(struct unit *u)
{
        fail_next(u, DEP_BIT(DEP_CONFLICTED_BY), PROPAGATE_FAIL_CONFLICTED);
}

static void fail_requisite(struct unit *u)
{
        fail_next(u, DEP_BIT(DEP_REQUISITE_OF), PROPAGATE_FAIL_REQUISITE);
}

static void count_job(struct unit *u)
{
        boot_on_job_removed(u->manager);
}

// ---- a change of state

static void request(struct unit *u, enum job_type type, enum job_mode mode, const char *why)
{
        struct request_failure failure;

        if (job_request(u->manager, type, u, mode, NULL, &failure) != REQUEST_OK)
                log_unit(u->id, LOG_WARNING, 0, "Cannot queue a %s job%s: %s", job_type_name(type),
                         why, failure.text);
}

static void start_along(struct unit *u, uint32_t mask, enum job_mode mode)
{
        UNIT_FOREACH_DEPENDENCY (u, mask, other)
                if (!dependency_exists(u, DEP_AFTER, other) &&
                    !active_state_is_up_or_coming(unit_active_state(other)))
                        request(other, JOB_START, mode, "");
}

static void stop_along(struct unit *u, uint32_t mask)
{
        UNIT_FOREACH_DEPENDENCY (u, mask, other)
                if (!active_state_is_down_or_going(unit_active_state(other)))
                        request(other, JOB_STOP, JOB_REPLACE, "");
}

static void start_needed(struct unit *u)
{
        start_along(u, DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_BINDS_TO) | DEP_BIT(DEP_UPHOLDS),
                    JOB_REPLACE);
        start_along(u, DEP_BIT(DEP_WANTS), JOB_FAIL);
        stop_along(u, DEP_BIT(DEP_CONFLICTS) | DEP_BIT(DEP_CONFLICTED_BY));
}

static void stop_bound(struct unit *u)
{
        stop_along(u, DEP_BIT(DEP_BOUND_BY) | DEP_BIT(DEP_PROPAGATES_STOP_TO));
}

static void start_outcome(struct unit *u, enum dependency d)
{
        const struct unit_group *g = u->conf->unit;
        int mode = d == DEP_ON_FAILURE ? g->on_failure_job_mode : g->on_success_job_mode;

        if (u->manager->is_stopping)
                return;
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(d), other) {
                log_unit(u->id, LOG_DEBUG, 0, "Triggering %s= dependency %s.", dependency_name(d),
                         other->id);
                if (other->ops->handle)
                        other->ops->handle(other, u);
                request(other, JOB_START, (enum job_mode)mode,
                        d == DEP_ON_FAILURE ? " for OnFailure=" : " for OnSuccess=");
        }
}

static void start_on_failure(struct unit *u)
{
        start_outcome(u, DEP_ON_FAILURE);
}

static void start_on_success(struct unit *u)
{
        start_outcome(u, DEP_ON_SUCCESS);
}

static void notify_triggering(struct unit *u)
{
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERED_BY), other)
                if (other->ops->trigger_notify)
                        other->ops->trigger_notify(other, u);
}

// The exit status of an action: the configured one, else that of the unit's own process.
static int choose_status(const struct unit *u, int wanted, int usual)
{
        int status = wanted;

        if (status < 0 && u->ops->exit_status)
                status = u->ops->exit_status(u);
        return status < 0 ? usual : status;
}

static void act_on_failure(struct unit *u)
{
        const struct unit_group *g = u->conf->unit;

        stop_act_on_failure(u->manager, g->failure_action,
                            choose_status(u, g->failure_action_exit_status, EXIT_FAILURE), u->id,
                            "failed");
}

static void act_on_success(struct unit *u)
{
        const struct unit_group *g = u->conf->unit;

        stop_act(u->manager, g->success_action,
                 choose_status(u, g->success_action_exit_status, EXIT_SUCCESS), u->id, "ended");
}

// ---- continuous dependencies, checked from the work queue

static void on_state(struct work *w);

static void check(struct unit *u)
{
        work_queue(u->manager->events, WORK_STATE, &u->state_work, on_state);
}

// At least one of the units that had to wait is due.
static void on_auto_timer(struct timer *timer, usec_t now UNUSED)
{
        struct manager *m = CONTAINER_OF(timer, struct manager, auto_timer);

        LIST_FOREACH (&m->auto_held, node) {
                list_remove(node);
                check(CONTAINER_OF(node, struct unit, state_work.node));
        }
}

// Until the timer expires nothing else causes a check, because its work item is linked already.
static void hold(struct unit *u, usec_t until)
{
        struct manager *m = u->manager;

        if (!timer_is_set(&m->auto_timer) &&
            timer_set(m->events, &m->auto_timer, until, on_auto_timer) < 0)
                log_unit(u->id, LOG_WARNING, ENOMEM, "It stays as it is");
        else
                list_append(&m->auto_held, &u->state_work.node);
}

static bool may_act(struct unit *u)
{
        usec_t now = clock_now();

        u->auto_limit.interval = AUTO_INTERVAL;
        u->auto_limit.burst = AUTO_BURST;
        if (rate_below(&u->auto_limit, now))
                return true;
        log_unit(u->id, LOG_WARNING, 0,
                 "Not started or stopped by itself for now: it was too often.");
        hold(u, rate_window_end(&u->auto_limit, now) + 1);
        return false;
}

static bool is_unneeded(const struct unit *u)
{
        static const uint32_t pins = DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_REQUISITE_OF) |
                                     DEP_BIT(DEP_WANTED_BY) | DEP_BIT(DEP_BOUND_BY) |
                                     DEP_BIT(DEP_UPHELD_BY);

        if (!u->conf->unit->stop_when_unneeded || u->job ||
            !active_state_is_up_or_coming(unit_active_state(u)))
                return false;
        UNIT_FOREACH_DEPENDENCY (u, pins, other)
                if (other->job || !active_state_is_inactive_or_failed(unit_active_state(other)))
                        return false;
        return true;
}

static const struct unit *find_gone_bound(const struct unit *u)
{
        const struct unit *gone = NULL;

        if (u->job || !active_state_is_up(unit_active_state(u)))
                return NULL;
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_BINDS_TO), other) {
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
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_UPHELD_BY), other)
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

static void check_all(struct unit *u)
{
        enum active_state now = unit_active_state(u);
        static const uint32_t leaned_on = DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_REQUISITE) |
                                          DEP_BIT(DEP_WANTS) | DEP_BIT(DEP_BINDS_TO) |
                                          DEP_BIT(DEP_UPHOLDS);

        if (active_state_is_inactive_or_failed(now)) {
                UNIT_FOREACH_DEPENDENCY (u, leaned_on | DEP_BIT(DEP_BOUND_BY), other)
                        check(other);
                check(u);
        } else if (active_state_is_up(now)) {
                UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_UPHOLDS), other)
                        check(other);
                check(u);
        }
}

// ---- running the steps

static void on_change(struct work *w)
{
        static void (*const steps[_PROPAGATE_MAX])(struct unit * u) = {
                [PROPAGATE_FAIL_NEEDING] = fail_needing,
                [PROPAGATE_FAIL_CONFLICTED] = fail_conflicted,
                [PROPAGATE_FAIL_REQUISITE] = fail_requisite,
                [PROPAGATE_JOB_ON_FAILURE] = start_on_failure,
                [PROPAGATE_JOB_TRIGGER] = notify_triggering,
                [PROPAGATE_JOB_WAKE] = job_wake_neighbours,
                [PROPAGATE_JOB_COUNT] = count_job,
                [PROPAGATE_START_NEEDED] = start_needed,
                [PROPAGATE_STOP_BOUND] = stop_bound,
                [PROPAGATE_ON_FAILURE] = start_on_failure,
                [PROPAGATE_ON_SUCCESS] = start_on_success,
                [PROPAGATE_TRIGGER] = notify_triggering,
                [PROPAGATE_FAILURE_ACTION] = act_on_failure,
                [PROPAGATE_SUCCESS_ACTION] = act_on_success,
                [PROPAGATE_CHECK] = check_all,
        };
        struct unit *u = CONTAINER_OF(w, struct unit, change_work);
        int step = __builtin_ctz(u->consequences);

        u->consequences &= ~PROPAGATE_BIT(step);
        steps[step](u);
        // Its remaining steps run after the consequences of this one.
        if (u->consequences != 0)
                work_queue(u->manager->events, WORK_CHANGES, &u->change_work, on_change);
}

void propagate_later(struct unit *u, uint32_t steps)
{
        u->consequences |= steps;
        if (steps & FAIL_STEPS)
                u->fail_position = 0; // all edges again, even if this step is in progress
        work_queue(u->manager->events, WORK_CHANGES, &u->change_work, on_change);
}
