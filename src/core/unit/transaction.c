#include "core/unit/transaction.h"

#include "base/array.h"
#include "base/log.h"
#include "core/unit/job_type.h"

#include <stdio.h>

int transaction_init(struct transaction *t, struct manager *m, enum job_mode mode,
                     struct request_failure *failure)
{
        *t = (struct transaction){
                .manager = m,
                .mode = mode,
                .anchor = TX_NONE,
                .first_doubted = TX_NONE,
                .failure = failure,
        };
        t->by_unit = u64map_new();
        return t->by_unit ? 0 : -ENOMEM;
}

void transaction_done(struct transaction *t)
{
        free(t->jobs);
        free(t->edges);
        u64map_free(t->by_unit);
}

enum request_error transaction_refuse(struct transaction *t, enum request_error error,
                                      const char *fmt, ...)
{
        va_list ap;

        if (!t->failure)
                return error;
        t->failure->error = error;
        va_start(ap, fmt);
        vsnprintf(t->failure->text, sizeof(t->failure->text), fmt, ap);
        va_end(ap);
        return error;
}

// ---- jobs

static uint32_t skip_gone(const struct transaction *t, uint32_t i)
{
        while (i != TX_NONE && t->jobs[i].is_gone)
                i = t->jobs[i].next_of_unit;
        return i;
}

uint32_t transaction_find(const struct transaction *t, const struct unit *u)
{
        uintptr_t first = (uintptr_t)u64map_get(t->by_unit, (uintptr_t)u);

        return first == 0 ? TX_NONE : skip_gone(t, (uint32_t)first - 1);
}

uint32_t transaction_next_of_unit(const struct transaction *t, uint32_t job)
{
        return skip_gone(t, t->jobs[job].next_of_unit);
}

int transaction_add_job(struct transaction *t, struct unit *u, enum job_type type, uint32_t *ret)
{
        uintptr_t first = (uintptr_t)u64map_get(t->by_unit, (uintptr_t)u);

        for (uint32_t i = transaction_find(t, u); i != TX_NONE; i = transaction_next_of_unit(t, i))
                if (t->jobs[i].type == type) {
                        *ret = i;
                        return 0;
                }
        if (ARRAY_RESERVE(t->jobs, t->n_jobs, t->jobs_capacity, 16) < 0 ||
            u64map_set(t->by_unit, (uintptr_t)u, (void *)((uintptr_t)t->n_jobs + 1)) < 0)
                return -ENOMEM;
        t->jobs[t->n_jobs] = (struct tx_job){
                .unit = u,
                .type = type,
                .next_of_unit = first == 0 ? TX_NONE : (uint32_t)first - 1,
                .first_by = TX_NONE,
                .first_of = TX_NONE,
        };
        *ret = t->n_jobs++;
        return 1;
}

int transaction_add_edge(struct transaction *t, uint32_t by, uint32_t job, bool matters,
                         bool conflicts)
{
        struct tx_job *subject = &t->jobs[by], *object = &t->jobs[job];

        if (ARRAY_RESERVE(t->edges, t->n_edges, t->edges_capacity, 16) < 0)
                return -ENOMEM;
        t->edges[t->n_edges] = (struct tx_edge){
                .by = by,
                .job = job,
                .matters = matters,
                .conflicts = conflicts,
                .next_by = subject->first_by,
                .next_of = object->first_of,
        };
        subject->first_by = object->first_of = t->n_edges++;
        object->n_wanting += by != job;
        return 0;
}

static void doubt(struct transaction *t, uint32_t job)
{
        struct tx_job *j = &t->jobs[job];

        if (j->n_wanting > 0 || j->is_doubted)
                return;
        j->is_doubted = true;
        j->next_doubted = t->first_doubted;
        t->first_doubted = job;
}

static void drop_edge(struct transaction *t, uint32_t e)
{
        struct tx_edge *edge = &t->edges[e];

        if (edge->is_gone)
                return;
        edge->is_gone = true;
        t->jobs[edge->job].n_wanting -= edge->by != edge->job;
        doubt(t, edge->job);
}

// The stack of jobs to delete is linked through the jobs themselves, so that this cannot fail.
void transaction_delete(struct transaction *t, uint32_t job, bool with_dependants)
{
        uint32_t pending = job;

        if (t->jobs[job].is_gone)
                return;
        t->jobs[job].is_gone = true;
        t->jobs[job].next_pending = TX_NONE;
        while (pending != TX_NONE) {
                struct tx_job *j = &t->jobs[pending];

                pending = j->next_pending;
                for (uint32_t e = j->first_by; e != TX_NONE; e = t->edges[e].next_by)
                        drop_edge(t, e);
                for (uint32_t e = j->first_of; e != TX_NONE; e = t->edges[e].next_of) {
                        struct tx_edge *edge = &t->edges[e];
                        struct tx_job *by = &t->jobs[edge->by];

                        if (edge->is_gone)
                                continue;
                        drop_edge(t, e);
                        if (!with_dependants || !edge->matters || by->is_gone)
                                continue;
                        log_unit(by->unit->id, LOG_DEBUG, 0, "Job %s dropped with that of %s",
                                 job_type_name(by->type), j->unit->id);
                        by->is_gone = true;
                        by->next_pending = pending;
                        pending = edge->by;
                }
        }
}

void transaction_drop_orphans(struct transaction *t)
{
        while (t->first_doubted != TX_NONE) {
                uint32_t job = t->first_doubted;
                struct tx_job *j = &t->jobs[job];

                t->first_doubted = j->next_doubted;
                j->is_doubted = false;
                if (job != t->anchor && j->n_wanting == 0)
                        transaction_delete(t, job, false);
        }
}

// Edges between the two become edges of a job to itself, which do not count.
static void take_over_edges(struct transaction *t, uint32_t into, uint32_t from)
{
        struct tx_job *a = &t->jobs[into], *b = &t->jobs[from];

        for (uint32_t e = b->first_by; e != TX_NONE; e = t->edges[e].next_by) {
                struct tx_edge *edge = &t->edges[e];

                a->n_wanting -= !edge->is_gone && edge->job == into;
                edge->by = into;
        }
        for (uint32_t e = b->first_of; e != TX_NONE; e = t->edges[e].next_of) {
                struct tx_edge *edge = &t->edges[e];

                a->n_wanting += !edge->is_gone && edge->by != into;
                edge->job = into;
        }
}

void transaction_merge(struct transaction *t, uint32_t into, uint32_t from, enum job_type type)
{
        struct tx_job *a = &t->jobs[into], *b = &t->jobs[from];
        uint32_t *end;

        a->type = type;
        a->matters |= b->matters;
        a->ignore_order |= b->ignore_order;
        take_over_edges(t, into, from);
        for (end = &a->first_by; *end != TX_NONE; end = &t->edges[*end].next_by)
                ;
        *end = b->first_by;
        for (end = &a->first_of; *end != TX_NONE; end = &t->edges[*end].next_of)
                ;
        *end = b->first_of;
        b->first_by = b->first_of = TX_NONE;
        b->is_gone = true;
        if (t->anchor == from)
                t->anchor = into;
        doubt(t, into);
}
