#include "core/unit/job.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/unit/collect.h"
#include "core/unit/job_priv.h"
#include "core/unit/job_type.h"
#include "core/unit/manager.h"
#include "core/unit/propagate.h"
#include "core/unit/stop.h"
#include "core/unit/transaction.h"

// ---- the queue

int job_queue_new(struct manager *m, struct job_queue **ret)
{
        struct job_queue *q = calloc(1, sizeof(*q));

        if (!q)
                return -ENOMEM;
        q->manager = m;
        list_init(&q->jobs);
        q->by_id = u64map_new();
        if (!q->by_id) {
                free(q);
                return -ENOMEM;
        }
        *ret = q;
        return 0;
}

static void remove_job(struct job_queue *q, struct job *j)
{
        if (j->unit->job == j) {
                j->unit->job = NULL;
                unit_forget_checks(j->unit);
        }
        u64map_remove(q->by_id, j->id);
        list_remove(&j->node);
        work_cancel(&j->run_work);
        timer_stop(q->manager->events, &j->timer);
        q->n--;
}

void job_queue_free(struct job_queue *q)
{
        if (!q)
                return;
        LIST_FOREACH (&q->jobs, node) {
                struct job *j = CONTAINER_OF(node, struct job, node);

                remove_job(q, j);
                free(j);
        }
        u64map_free(q->by_id);
        free(q);
}

struct job *job_find(struct manager *m, uint32_t id)
{
        return u64map_get(m->jobs->by_id, id);
}

struct job *job_next(struct manager *m, struct job *after)
{
        struct list_node *node = after ? after->node.next : m->jobs->jobs.next;

        return node == &m->jobs->jobs ? NULL : CONTAINER_OF(node, struct job, node);
}

size_t job_count(struct manager *m)
{
        return m->jobs->n;
}

uint32_t job_take_id(struct manager *m)
{
        return ++m->jobs->last_id;
}

bool job_is_stop_pending(const struct unit *u)
{
        return u->job && (u->job->type == JOB_STOP || u->job->type == JOB_RESTART);
}

void job_queue_run(struct job *j)
{
        work_queue(j->unit->manager->events, WORK_JOBS, &j->run_work, job_on_run);
}

// ---- time limits

static void on_timeout(struct timer *timer, usec_t now UNUSED)
{
        struct job *j = CONTAINER_OF(timer, struct job, timer);
        struct unit *u = j->unit;

        log_unit(u->id, LOG_WARNING, 0, "Job %s/%s timed out.", u->id, job_type_name(j->type));
        job_finish(j, JOB_TIMEOUT);
        stop_act_on_failure(u->manager, u->conf->unit->job_timeout_action, -1, u->id,
                            "had a job time out");
}

void job_arm_timer(struct job *j)
{
        const struct unit_group *g = j->unit->conf->unit;
        usec_t until = usec_add(j->begin, g->job_timeout_sec);

        if (j->begin_running != 0)
                until = MIN(until, usec_add(j->begin_running, g->job_running_timeout_sec));
        if (timer_set(j->unit->manager->events, &j->timer, until, on_timeout) < 0)
                log_unit(j->unit->id, LOG_WARNING, ENOMEM, "Job has no time limit");
}

// ---- the end of a job

// The units whose jobs fail together with this one.
static uint32_t find_failing(const struct unit *u, enum job_type type, enum job_result result)
{
        // A start that ExecCondition= skips satisfies the units that require it.
        bool is_done = result == JOB_DONE || (result == JOB_SKIPPED && type == JOB_START);

        if (!is_done && (type == JOB_START || type == JOB_VERIFY_ACTIVE))
                return PROPAGATE_BIT(PROPAGATE_FAIL_NEEDING);
        if (!is_done && type == JOB_STOP)
                return PROPAGATE_BIT(PROPAGATE_FAIL_CONFLICTED);
        // It started and became inactive at once (oneshot): this does not satisfy units that
        // require it to be active.
        if (is_done && (type == JOB_START || type == JOB_RELOAD) &&
            !active_state_is_up(unit_active_state(u)))
                return PROPAGATE_BIT(PROPAGATE_FAIL_REQUISITE);
        return 0;
}

void job_run_again(struct job *j)
{
        j->state = JOB_WAITING;
        j->begin_running = 0;
        job_queue_run(j);
}

void job_look_again(struct unit *u)
{
        if (u->job)
                job_queue_run(u->job);
}

void job_wake_neighbours(struct unit *u)
{
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_BEFORE) | DEP_BIT(DEP_AFTER), other)
                if (other->job)
                        job_queue_run(other->job);
}

// The first half of a restart is done.
static void turn_into_start(struct job *j)
{
        if (!j->is_quiet)
                job_log_end(j->unit, JOB_STOP, JOB_DONE);
        j->is_quiet = false;
        j->type = JOB_START;
        j->state = JOB_WAITING;
        j->begin_running = 0;
        j->is_told = false;
        j->closes_cycle = job_waits_for_itself(j);
        unit_changed(j->unit);
        job_queue_run(j);
        job_wake_neighbours(j->unit);
}

static void finish(struct job *j, enum job_result result, bool spreads)
{
        NOT_NESTED();
        uint32_t steps = PROPAGATE_BIT(PROPAGATE_JOB_TRIGGER) | PROPAGATE_BIT(PROPAGATE_JOB_COUNT);
        struct unit *u = j->unit;
        struct manager *m = u->manager;
        enum job_type type = j->type;

        log_unit(u->id, LOG_DEBUG, 0, "Job %u %s finished, result=%s", j->id, job_type_name(type),
                 job_result_name(result));
        if (!j->is_quiet)
                job_log_end(u, type, result);
        remove_job(m->jobs, j);
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_job_removed)
                        o->on_job_removed(o, j, job_result_name(result));
        free(j);
        // Dependent jobs fail first. If none does, the order of the run queue is kept: jobs that
        // waited come before those of the transaction that replaces this job.
        if (spreads)
                steps |= find_failing(u, type, result) | PROPAGATE_BIT(PROPAGATE_JOB_WAKE);
        else
                job_wake_neighbours(u);
        // The unit never began to start, so no state change would notify the units that uphold it.
        if (result == JOB_TIMEOUT || result == JOB_DEPENDENCY)
                steps |= PROPAGATE_BIT(PROPAGATE_JOB_ON_FAILURE) | PROPAGATE_BIT(PROPAGATE_CHECK);
        unit_changed(u);
        propagate_later(u, steps);
        collect_unit_later(u);
}

void job_finish(struct job *j, enum job_result result)
{
        if (result == JOB_DONE && j->type == JOB_RESTART)
                turn_into_start(j);
        else
                finish(j, result, true);
}

void job_replace(struct job *j)
{
        finish(j, JOB_CANCELED, false);
}

// ---- state changes of the unit

static bool on_start_change(struct job *j, enum active_state now, enum unit_notify_flags flags)
{
        if (active_state_is_up(now)) {
                job_finish(j, JOB_DONE);
                return false;
        }
        if (j->state != JOB_RUNNING || now == ACTIVE_ACTIVATING)
                return false;
        if (now == ACTIVE_FAILED)
                job_finish(j, JOB_FAILED);
        else if (now == ACTIVE_INACTIVE)
                job_finish(j, flags & UNIT_NOTIFY_SKIPPED ? JOB_SKIPPED : JOB_DONE);
        return true;
}

static bool on_reload_change(struct job *j, enum active_state now, enum unit_notify_flags flags)
{
        if (j->state != JOB_RUNNING || now == ACTIVE_ACTIVATING || now == ACTIVE_RELOADING)
                return false;
        if (now == ACTIVE_ACTIVE) {
                job_finish(j, flags & UNIT_NOTIFY_RELOAD_FAILURE ? JOB_FAILED : JOB_DONE);
                return false;
        }
        if (active_state_is_inactive_or_failed(now))
                job_finish(j, now == ACTIVE_FAILED ? JOB_FAILED : JOB_DONE);
        return true;
}

static bool on_stop_change(struct job *j, enum active_state now,
                           enum unit_notify_flags flags UNUSED)
{
        if (active_state_is_inactive_or_failed(now)) {
                job_finish(j, JOB_DONE);
                return false;
        }
        if (j->state != JOB_RUNNING || now == ACTIVE_DEACTIVATING)
                return false;
        job_finish(j, JOB_FAILED);
        return true;
}

bool job_on_unit_change(struct unit *u, enum active_state now, enum unit_notify_flags flags)
{
        static bool (*const on_change[_JOB_TYPE_MAX])(struct job * j, enum active_state now,
                                                      enum unit_notify_flags flags) = {
                [JOB_START] = on_start_change,   [JOB_VERIFY_ACTIVE] = on_start_change,
                [JOB_RELOAD] = on_reload_change, [JOB_STOP] = on_stop_change,
                [JOB_RESTART] = on_stop_change,
        };
        struct job *j = u->job;

        // Jobs that had to wait may be able to run now.
        if (j->state == JOB_WAITING)
                job_queue_run(j);
        return on_change[j->type] && on_change[j->type](j, now, flags);
}
