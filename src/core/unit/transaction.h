// A transaction: all jobs that follow from one request, and the reason for each. Built, checked,
// and either applied as a whole or dropped. Split by step: transaction.c (the structure),
// transaction_pull.c (what a job pulls in), transaction_check.c (drop, merge), transaction_order.c
// and job_request.c, which installs the result. Only core/unit/job* and
// core/unit/transaction* include it.
#pragma once

#include "base/map.h"
#include "core/unit/job.h"

#define TX_NONE UINT32_MAX

struct tx_job {
        struct unit *unit;
        enum job_type type;
        bool ignore_order;
        bool matters;    // the anchor depends on it
        bool is_gone;    // deleted, or merged into another
        bool is_wrong;   // cannot be done; error and culprit give the reason
        bool is_doubted; // on the list of possible orphans
        enum request_error error;
        const struct unit *culprit;
        uint32_t next_of_unit;       // another job of the unit
        uint32_t next_pending;       // while jobs are deleted: the next to visit
        uint32_t next_doubted;       // next in the list of possible orphans
        uint32_t n_wanting;          // remaining edges from other jobs to this one
        uint32_t first_by, first_of; // edges: jobs that this one pulled in; jobs that pulled it in
};

// `by` pulled `job` in.
struct tx_edge {
        uint32_t by, job;
        uint32_t next_by, next_of; // further edges with the same `by`, the same `job`
        bool matters;              // `by` depends on it
        bool conflicts;            // it is here because of a Conflicts=
        bool is_gone;
};

struct transaction {
        struct manager *manager;
        struct tx_job *jobs;
        uint32_t n_jobs, jobs_capacity;
        struct tx_edge *edges;
        uint32_t n_edges, edges_capacity;
        struct u64map *by_unit; // struct unit -> index + 1 of its first job
        uint32_t anchor;
        uint32_t first_doubted; // jobs that may have become orphans
        enum job_mode mode;
        struct request_failure *failure; // filled when a step refuses the request
};

int transaction_init(struct transaction *t, struct manager *m, enum job_mode mode,
                     struct request_failure *failure);
void transaction_done(struct transaction *t);

// ---- transaction.c: the structure

// The unit's job of that type: existing (0) or new (1). *ret is its index. -ENOMEM.
int transaction_add_job(struct transaction *t, struct unit *u, enum job_type type, uint32_t *ret);
int transaction_add_edge(struct transaction *t, uint32_t by, uint32_t job, bool matters,
                         bool conflicts);
// Index of the first living job of a unit, TX_NONE.
uint32_t transaction_find(const struct transaction *t, const struct unit *u);
// The next living job of the same unit, TX_NONE.
uint32_t transaction_next_of_unit(const struct transaction *t, uint32_t job);
// Deletes a job; with_dependants: also those that depend on it.
void transaction_delete(struct transaction *t, uint32_t job, bool with_dependants);
// Deletes jobs that no remaining job has pulled in; the anchor stays.
void transaction_drop_orphans(struct transaction *t);
// `from` is merged into `into`, which gets this type.
void transaction_merge(struct transaction *t, uint32_t into, uint32_t from, enum job_type type);
// Fills t->failure; returns error.
enum request_error transaction_refuse(struct transaction *t, enum request_error error,
                                      const char *fmt, ...) PRINTF(3, 4);

#define TX_FOREACH(t, i)                           \
        for (uint32_t i = 0; i < (t)->n_jobs; i++) \
                if (!(t)->jobs[i].is_gone)

// ---- transaction_pull.c: what a job pulls in

// The anchor and all jobs that it pulls in. REQUEST_OK or the reason.
enum request_error transaction_pull(struct transaction *t, struct unit *u, enum job_type type);
// Stops these units (at least one) and the units that depend on them, as far as each can be
// stopped.
enum request_error transaction_pull_stops(struct transaction *t, struct unit *const *units,
                                          size_t n);

// ---- transaction_check.c: from the jobs pulled in to the jobs executed

// Drops, merges and orders jobs. *ret_order: a new array of the indices of the remaining jobs, in
// the order of execution. REQUEST_OK or the reason.
enum request_error transaction_settle(struct transaction *t, uint32_t **ret_order, uint32_t *ret_n);
// ---- transaction_order.c: the order among these jobs and pending ones

// As transaction_settle(); breaks a cycle where one of its jobs is not required.
enum request_error transaction_order(struct transaction *t, uint32_t **ret_order, uint32_t *ret_n);
