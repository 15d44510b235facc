#include "core/unit/transaction.h"

#include "base/log.h"
#include "core/unit/job_type.h"

// ---- redundant jobs

static bool contradicts_pending(const struct tx_job *j)
{
        return j->unit->job && job_type_conflicts(j->unit->job->type, j->type);
}

// If all jobs of a unit would leave it as it is, it needs none of them.
static void drop_redundant(struct transaction *t)
{
        TX_FOREACH (t, i) {
                bool is_redundant = true;

                for (uint32_t k = transaction_find(t, t->jobs[i].unit); k != TX_NONE;
                     k = transaction_next_of_unit(t, k))
                        is_redundant &= k != t->anchor && !contradicts_pending(&t->jobs[k]) &&
                                        job_type_is_redundant(t->jobs[k].type,
                                                              unit_active_state(t->jobs[k].unit));
                if (is_redundant)
                        transaction_delete(t, i, false);
        }
}

static bool stops_something(const struct tx_job *j)
{
        enum active_state state = unit_active_state(j->unit);

        return j->type == JOB_STOP && (active_state_is_up(state) || state == ACTIVE_ACTIVATING);
}

// Mode fail: drops jobs that would stop an active unit or reverse a pending job.
static void minimize_impact(struct transaction *t)
{
        TX_FOREACH (t, i) {
                const struct tx_job *j = &t->jobs[i];

                if (j->matters || (!stops_something(j) && !contradicts_pending(j)))
                        continue;
                log_unit(j->unit->id, LOG_DEBUG, 0, "Job %s dropped to minimize the impact.",
                         job_type_name(j->type));
                transaction_delete(t, i, true);
        }
}

static void mark_what_matters(struct transaction *t)
{
        uint32_t pending = t->anchor;

        t->jobs[t->anchor].matters = true;
        t->jobs[t->anchor].next_pending = TX_NONE;
        while (pending != TX_NONE) {
                const struct tx_job *j = &t->jobs[pending];

                pending = j->next_pending;
                for (uint32_t e = j->first_by; e != TX_NONE; e = t->edges[e].next_by) {
                        struct tx_job *other = &t->jobs[t->edges[e].job];

                        if (t->edges[e].is_gone || !t->edges[e].matters || other->matters)
                                continue;
                        other->matters = true;
                        other->next_pending = pending;
                        pending = t->edges[e].job;
                }
        }
}

// ---- several jobs of one unit

static bool is_conflicted(const struct transaction *t, const struct tx_job *j)
{
        for (uint32_t e = j->first_of; e != TX_NONE; e = t->edges[e].next_of)
                if (!t->edges[e].is_gone && t->edges[e].conflicts)
                        return true;
        return false;
}

// Which of two contradicting jobs can be dropped? TX_NONE: both are required. If neither is
// required, the stop is dropped, unless a Conflicts= asked for it.
static uint32_t choose_lesser(const struct transaction *t, uint32_t a, uint32_t b)
{
        const struct tx_job *x = &t->jobs[a], *y = &t->jobs[b];

        if (x->matters && y->matters)
                return TX_NONE;
        if (x->matters != y->matters)
                return x->matters ? b : a;
        if (x->type == JOB_STOP)
                return is_conflicted(t, x) ? b : a;
        return is_conflicted(t, y) ? a : b;
}

static enum request_error merge_pair(struct transaction *t, uint32_t a, uint32_t b)
{
        struct unit *u = t->jobs[a].unit;
        enum job_type type;

        if (job_type_merge(t->jobs[a].type, t->jobs[b].type, unit_active_state(u), &type) == 0) {
                transaction_merge(t, a, b, type);
                return REQUEST_OK;
        }
        uint32_t lesser = choose_lesser(t, a, b);

        if (lesser == TX_NONE)
                return transaction_refuse(
                        t, REQUEST_CONFLICTING,
                        "Transaction contains conflicting jobs '%s' and '%s' for %s. Probably "
                        "contradicting requirement dependencies configured.",
                        job_type_name(t->jobs[a].type), job_type_name(t->jobs[b].type), u->id);
        log_unit(u->id, LOG_DEBUG, 0, "Fixing conflicting jobs by deleting job %s",
                 job_type_name(t->jobs[lesser].type));
        transaction_delete(t, lesser, true);
        transaction_drop_orphans(t);
        return REQUEST_OK;
}

static enum request_error merge_all(struct transaction *t)
{
        TX_FOREACH (t, i)
                for (;;) {
                        uint32_t a = transaction_find(t, t->jobs[i].unit);
                        uint32_t b = a == TX_NONE ? a : transaction_next_of_unit(t, a);

                        if (b == TX_NONE)
                                break;
                        enum request_error error = merge_pair(t, a, b);

                        if (error != REQUEST_OK)
                                return error;
                }
        return REQUEST_OK;
}

// ---- all together

// Would it reverse a pending job that must not be reversed?
static enum request_error check_destructive(struct transaction *t)
{
        const struct tx_job *anchor = &t->jobs[t->anchor];

        TX_FOREACH (t, i) {
                const struct tx_job *j = &t->jobs[i];

                if (t->mode == JOB_LENIENT && stops_something(j))
                        return transaction_refuse(
                                t, REQUEST_DESTRUCTIVE,
                                "Transaction for %s/%s is destructive (%s is up, and would be "
                                "stopped).",
                                anchor->unit->id, job_type_name(anchor->type), j->unit->id);
                if (!contradicts_pending(j) ||
                    (t->mode != JOB_FAIL && t->mode != JOB_LENIENT && !j->unit->job->irreversible))
                        continue;
                return transaction_refuse(
                        t, REQUEST_DESTRUCTIVE,
                        "Transaction for %s/%s is destructive (%s has '%s' job queued, but '%s' is "
                        "included in transaction).",
                        anchor->unit->id, job_type_name(anchor->type), j->unit->id,
                        job_type_name(j->unit->job->type), job_type_name(j->type));
        }
        return REQUEST_OK;
}

enum request_error transaction_settle(struct transaction *t, uint32_t **ret_order, uint32_t *ret_n)
{
        mark_what_matters(t);
        if (t->mode == JOB_FAIL)
                minimize_impact(t);
        drop_redundant(t);
        transaction_drop_orphans(t);
        enum request_error error = merge_all(t);

        if (error != REQUEST_OK)
                return error;
        drop_redundant(t);
        transaction_drop_orphans(t);
        error = check_destructive(t);
        return error == REQUEST_OK ? transaction_order(t, ret_order, ret_n) : error;
}
