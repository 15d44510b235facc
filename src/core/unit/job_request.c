// From a request to installed jobs: see core/unit/transaction.h for the steps in between.
#include "base/clock.h"
#include "base/log.h"
#include "core/unit/job_priv.h"
#include "core/unit/job_type.h"
#include "core/unit/manager.h"
#include "core/unit/transaction.h"

#include <stdio.h>

// ---- installing

static struct job *new_job(struct job_queue *q, const struct tx_job *from, bool is_irreversible)
{
        struct job *j = calloc(1, sizeof(*j));

        if (!j)
                return NULL;
        j->id = ++q->last_id;
        if (u64map_set(q->by_id, j->id, j) < 0) {
                free(j);
                return NULL;
        }
        j->type = from->type;
        j->unit = from->unit;
        j->ignore_order = from->ignore_order;
        j->irreversible = is_irreversible;
        j->begin = clock_now();
        return j;
}

// A compatible pending job of the unit absorbs the new one.
static struct job *merge_into_pending(const struct tx_job *from, bool is_irreversible)
{
        struct job *j = from->unit->job;
        bool is_covered = from->type != JOB_RELOAD && job_type_covers(j->type, from->type);
        enum job_type type;

        if (job_type_merge(j->type, from->type, unit_active_state(from->unit), &type) < 0)
                return NULL;
        j->irreversible |= is_irreversible;
        j->ignore_order |= from->ignore_order;
        // A running job that does not do what the request asks for has to run again.
        if (j->state == JOB_RUNNING && !is_covered) {
                j->state = JOB_WAITING;
                j->begin_running = 0;
        }
        j->type = type;
        return j;
}

static struct job *install(struct transaction *t, uint32_t index, struct job **spare)
{
        struct job_queue *q = t->manager->jobs;
        const struct tx_job *from = &t->jobs[index];
        bool is_irreversible = t->mode == JOB_REPLACE_IRREVERSIBLY;
        struct unit *u = from->unit;
        struct job *j = NULL;

        if (from->type != JOB_NOP && u->job) {
                j = merge_into_pending(from, is_irreversible);
                if (!j)
                        job_replace(u->job);
        }
        if (!j) {
                j = TAKE(spare[index]);
                list_append(&q->jobs, &j->node);
                q->n++;
                if (j->type != JOB_NOP)
                        u->job = j;
                for (struct core_observer *o = t->manager->observers; o; o = o->next)
                        if (o->on_job_new)
                                o->on_job_new(o, j);
        }
        unit_changed(u);
        job_queue_run(j);
        job_arm_timer(j);
        return j;
}

// Isolate and flush: pending jobs that are not part of this transaction are dropped.
static void cancel_others(struct transaction *t)
{
        for (struct job *next, *j = job_next(t->manager, NULL); j; j = next) {
                next = job_next(t->manager, j);
                if (transaction_find(t, j->unit) == TX_NONE)
                        job_replace(j);
        }
}

// All memory is allocated first: applying must not stop half-way.
static enum request_error apply(struct transaction *t, const uint32_t *order, uint32_t n,
                                struct job **ret)
{
        struct job_queue *q = t->manager->jobs;
        bool is_irreversible = t->mode == JOB_REPLACE_IRREVERSIBLY;
        CLEANUP(free) struct job **spare = calloc(t->n_jobs, sizeof(struct job *));
        bool is_complete = spare;

        for (uint32_t i = 0; i < n && is_complete; i++) {
                spare[order[i]] = new_job(q, &t->jobs[order[i]], is_irreversible);
                is_complete = spare[order[i]];
        }
        if (is_complete && (t->mode == JOB_ISOLATE || t->mode == JOB_FLUSH))
                cancel_others(t);
        for (uint32_t i = 0; i < n && is_complete; i++) {
                struct job *j = install(t, order[i], spare);

                if (order[i] == t->anchor && ret)
                        *ret = j;
        }
        for (uint32_t i = 0; i < t->n_jobs && spare; i++)
                if (spare[i]) {
                        u64map_remove(q->by_id, spare[i]->id);
                        free(spare[i]);
                }
        return is_complete ? REQUEST_OK
                           : transaction_refuse(t, REQUEST_FAILED, "%s", strerror(ENOMEM));
}

// ---- requests

static enum request_error settle(struct transaction *t, struct job **ret)
{
        CLEANUP(free) uint32_t *order = NULL;
        uint32_t n = 0;
        enum request_error error = transaction_settle(t, &order, &n);

        return error == REQUEST_OK ? apply(t, order, n, ret) : error;
}

static enum request_error refuse(struct request_failure *failure, enum request_error error,
                                 const char *text)
{
        failure->error = error;
        snprintf(failure->text, sizeof(failure->text), "%s", text);
        return error;
}

static enum request_error check_mode(enum job_type type, const struct unit *u, enum job_mode mode,
                                     struct request_failure *failure)
{
        if (mode == JOB_ISOLATE && type != JOB_START)
                return refuse(failure, REQUEST_NOT_APPLICABLE, "Isolate is only valid for start.");
        if (mode == JOB_ISOLATE && !u->conf->unit->allow_isolate)
                return refuse(failure, REQUEST_NO_ISOLATION,
                              "Operation refused, unit may not be isolated.");
        if (mode == JOB_TRIGGERING && type != JOB_STOP)
                return refuse(failure, REQUEST_NOT_APPLICABLE,
                              "--job-mode=triggering is only valid for stop.");
        return REQUEST_OK;
}

enum request_error job_request(struct manager *m, enum job_type type, struct unit *u,
                               enum job_mode mode, struct job **ret_job,
                               struct request_failure *failure)
{
        NOT_NESTED();
        struct request_failure unwanted;
        struct transaction t;
        enum request_error error;

        if (!failure)
                failure = &unwanted;
        *failure = (struct request_failure){.error = REQUEST_OK};
        error = check_mode(type, u, mode, failure);
        if (error != REQUEST_OK)
                return error;
        if (transaction_init(&t, m, mode, failure) < 0)
                return refuse(failure, REQUEST_FAILED, strerror(ENOMEM));
        type = job_type_collapse(type, unit_active_state(u));
        error = transaction_pull(&t, u, type);
        if (error == REQUEST_OK)
                error = settle(&t, ret_job);
        transaction_done(&t);
        if (error != REQUEST_OK)
                log_unit(u->id, LOG_DEBUG, 0, "%s refused: %s", job_type_name(type), failure->text);
        return error;
}

enum request_error job_request_stops(struct manager *m, struct unit *const *units, size_t n,
                                     struct request_failure *failure)
{
        NOT_NESTED();
        struct transaction t;

        *failure = (struct request_failure){.error = REQUEST_OK};
        if (transaction_init(&t, m, JOB_REPLACE, failure) < 0)
                return refuse(failure, REQUEST_FAILED, strerror(ENOMEM));
        enum request_error error = transaction_pull_stops(&t, units, n);

        if (error == REQUEST_OK)
                error = settle(&t, NULL);
        transaction_done(&t);
        return error;
}

// There is nothing to stop.
static bool is_absent(const struct unit *u)
{
        enum load_state state = u->conf->load_state;

        return (state == LOAD_NOT_FOUND || state == LOAD_ERROR || state == LOAD_BAD_SETTING) &&
               unit_active_state(u) == ACTIVE_INACTIVE;
}

enum request_error job_request_manual(struct manager *m, enum job_type type, struct unit *u,
                                      enum job_mode mode, struct job **ret_job,
                                      struct request_failure *failure)
{
        const struct unit_group *g = u->conf->unit;
        struct request_failure unwanted;

        if (!failure)
                failure = &unwanted;
        if ((type == JOB_RELOAD_OR_START || type == JOB_TRY_RELOAD) && !unit_can_reload(u))
                type = type == JOB_TRY_RELOAD ? JOB_TRY_RESTART : JOB_RESTART;
        if (type == JOB_STOP && is_absent(u)) {
                failure->error = REQUEST_NO_SUCH_UNIT;
                snprintf(failure->text, sizeof(failure->text), "Unit %s not loaded.", u->id);
                return failure->error;
        }
        if (m->is_stopping && type != JOB_STOP)
                return refuse(failure, REQUEST_SHUTTING_DOWN, "The supervisor is shutting down.");
        bool starts = type == JOB_START || type == JOB_RESTART || type == JOB_TRY_RESTART ||
                      type == JOB_RELOAD_OR_START;
        bool stops = type == JOB_STOP || type == JOB_RESTART || type == JOB_TRY_RESTART;

        if ((starts && g->refuse_manual_start) || (stops && g->refuse_manual_stop)) {
                failure->error = REQUEST_ONLY_BY_DEPENDENCY;
                snprintf(failure->text, sizeof(failure->text),
                         "Operation refused, unit %s may be requested by dependency only (it is "
                         "configured to refuse manual start/stop).",
                         u->id);
                return failure->error;
        }
        return job_request(m, type, u, mode, ret_job, failure);
}
