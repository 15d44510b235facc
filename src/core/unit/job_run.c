#include "base/clock.h"
#include "base/log.h"
#include "core/unit/job_priv.h"
#include "core/unit/job_type.h"
#include "core/unit/manager.h"

// ---- order

#define ORDER_KINDS (DEP_BIT(DEP_BEFORE) | DEP_BIT(DEP_AFTER))

// Does j have to wait for this job, given that j's unit has an edge of these kinds to the job's
// unit?
static bool waits_for(const struct job *j, uint32_t kinds, const struct job *other)
{
        if (j->type == JOB_NOP || j->ignore_order)
                return false;
        return (kinds & DEP_BIT(DEP_AFTER) && job_type_order(other->type, j->type) < 0) ||
               (kinds & DEP_BIT(DEP_BEFORE) && job_type_order(j->type, other->type) > 0);
}

// The next job that this one has to wait for, from edge *position on; *position is set after it.
// NULL: there is none.
static struct job *next_awaited(const struct job *j, uint32_t *position)
{
        const struct dependency_list *deps = &j->unit->deps;
        uint32_t i = dependency_next(deps, *position, ORDER_KINDS);

        for (; i < deps->n; i = dependency_next(deps, i + 1, ORDER_KINDS)) {
                struct job *other = deps->items[i].unit->job;

                if (!other || !waits_for(j, deps->items[i].kinds, other))
                        continue;
                *position = i + 1;
                return other;
        }
        return NULL;
}

// The search begins at the job that was awaited last, so that each of the thousands that a job may
// wait for is examined about once, and not each time one of them ends.
static struct job *find_awaited(struct job *j)
{
        uint32_t position = j->awaited;
        struct job *other = next_awaited(j, &position);

        if (!other) {
                position = 0;
                other = next_awaited(j, &position);
        }
        j->awaited = other ? position - 1 : 0;
        return other;
}

// A transaction has no cycle. But a restart begins as a stop, which waits for other jobs than the
// start that it becomes, and the change may close a cycle; there is no other way to get one. Stop
// jobs wait only for other stop jobs, so they are in no cycle.
bool job_waits_for_itself(struct job *j)
{
        uint32_t walk = ++j->unit->manager->jobs->last_walk;
        struct job *pending = j, *next;

        j->next_pending = NULL;
        while (pending) {
                const struct job *top = pending;

                pending = top->next_pending;
                for (uint32_t position = 0; (next = next_awaited(top, &position));) {
                        if (next == j)
                                return true;
                        if (next->walk == walk || next->type == JOB_STOP ||
                            next->type == JOB_RESTART)
                                continue;
                        next->walk = walk;
                        next->next_pending = pending;
                        pending = next;
                }
        }
        return false;
}

static bool must_wait(struct job *j)
{
        const struct job *awaited = find_awaited(j);

        if (!awaited || !j->closes_cycle)
                return awaited;
        log_unit(j->unit->id, LOG_WARNING, 0,
                 "Found ordering cycle with %s/%s, starting without waiting for it",
                 awaited->unit->id, job_type_name(awaited->type));
        return false;
}

// BindsTo= together with After=: the other unit must be active.
static const struct unit *find_missing_bound(const struct unit *u)
{
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_BINDS_TO), other)
                if (u->deps.items[other_i].kinds & DEP_BIT(DEP_AFTER) &&
                    !active_state_is_up(unit_active_state(other)))
                        return other;
        return NULL;
}

static enum unit_verdict verify_active(struct unit *u)
{
        enum active_state state = unit_active_state(u);

        if (active_state_is_up(state))
                return UNIT_ALREADY;
        return state == ACTIVE_ACTIVATING ? UNIT_RETRY : UNIT_INACTIVE;
}

static enum unit_verdict start(struct unit *u)
{
        enum active_state state = unit_active_state(u);
        const struct unit *missing;

        if (active_state_is_up(state)) {
                if (u->ops->start_again)
                        u->ops->start_again(u);
                return UNIT_ALREADY;
        }
        if (state == ACTIVE_MAINTENANCE)
                return UNIT_RETRY;
        if (u->conf->load_state != LOAD_LOADED)
                return UNIT_NOT_LOADED;
        // It is starting already: this start may only cut short a wait, and conditions have been
        // tested.
        if (state != ACTIVE_ACTIVATING) {
                enum unit_verdict verdict = unit_test_conditions(u);

                if (verdict != UNIT_STARTED)
                        return verdict;
        }
        missing = find_missing_bound(u);
        if (missing) {
                log_unit(u->id, LOG_NOTICE, 0, "Bound to unit %s, but unit isn't active.",
                         missing->id);
                return UNIT_NO_GROUND;
        }
        return u->ops->start ? u->ops->start(u) : UNIT_UNSUPPORTED;
}

static enum unit_verdict stop(struct unit *u)
{
        if (active_state_is_inactive_or_failed(unit_active_state(u))) {
                if (u->ops->stop_again)
                        u->ops->stop_again(u);
                return UNIT_ALREADY;
        }
        return u->ops->stop ? u->ops->stop(u) : UNIT_UNSUPPORTED;
}

static enum unit_verdict reload(struct unit *u)
{
        enum active_state state = unit_active_state(u);

        if (u->conf->load_state != LOAD_LOADED && state == ACTIVE_INACTIVE)
                return UNIT_NOT_LOADED;
        if (state == ACTIVE_RELOADING)
                return UNIT_RETRY;
        if (state != ACTIVE_ACTIVE) {
                log_unit(u->id, LOG_WARNING, 0, "Unit cannot be reloaded because it is inactive.");
                return UNIT_INVALID;
        }
        if (u->ops->reload)
                return u->ops->reload(u);
        // A target: it only passes the reload on.
        unit_notify(u, state, state, 0);
        return UNIT_STARTED;
}

static enum unit_verdict perform(struct job *j)
{
        static enum unit_verdict (*const operations[_JOB_TYPE_MAX])(struct unit * u) = {
                [JOB_START] = start,   [JOB_VERIFY_ACTIVE] = verify_active,
                [JOB_STOP] = stop,     [JOB_RESTART] = stop,
                [JOB_RELOAD] = reload,
        };

        return operations[j->type] ? operations[j->type](j->unit) : UNIT_ALREADY;
}

static void conclude(struct job *j, enum unit_verdict verdict)
{
        static const enum job_result results[] = {
                [UNIT_ALREADY] = JOB_DONE,
                [UNIT_SKIPPED] = JOB_DONE,
                [UNIT_ASSERT] = JOB_ASSERT,
                [UNIT_NOT_LOADED] = JOB_FAILED,
                [UNIT_UNSUPPORTED] = JOB_UNSUPPORTED,
                [UNIT_FAILED] = JOB_FAILED,
                [UNIT_LIMIT] = JOB_FAILED,
                [UNIT_INACTIVE] = JOB_SKIPPED,
                [UNIT_INVALID] = JOB_INVALID,
                [UNIT_NO_GROUND] = JOB_DEPENDENCY,
                [UNIT_TIMEOUT] = JOB_TIMEOUT,
        };

        if (verdict == UNIT_STARTED)
                return;
        if (verdict == UNIT_RETRY || verdict == UNIT_WAITS) {
                j->state = JOB_WAITING;
                if (verdict == UNIT_RETRY) // JobRunningTimeoutSec= ends a wait for conditions, too
                        j->begin_running = 0;
                return;
        }
        j->is_quiet = verdict == UNIT_ALREADY || verdict == UNIT_SKIPPED;
        job_finish(j, results[verdict]);
}

void job_on_run(struct work *w)
{
        struct job *j = CONTAINER_OF(w, struct job, run_work);
        struct manager *m = j->unit->manager;
        uint32_t id = j->id;

        if (j->state != JOB_WAITING)
                return;
        if (must_wait(j)) {
                unit_forget_checks(j->unit); // they are tested when the job runs
                return;
        }
        if (j->type == JOB_START && unit_is_checking(j->unit))
                return;
        j->state = JOB_RUNNING;
        if (j->begin_running == 0)
                j->begin_running = clock_now();
        job_arm_timer(j);
        unit_changed(j->unit);
        job_log_begin(j);
        enum unit_verdict verdict = perform(j);

        // The unit's own notification may have ended the job, or turned a restart into a start.
        if (job_find(m, id) == j && j->state == JOB_RUNNING)
                conclude(j, verdict);
}
