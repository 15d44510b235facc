// How kinds of jobs combine with each other and with a unit's state: pure tables. Called by
// core/unit/job and core/unit/transaction.
#pragma once

#include "core/unit/job.h"

// One job that does what both ask for. 0, or -EEXIST: they contradict each other.
int job_type_merge(enum job_type a, enum job_type b, enum active_state state,
                   enum job_type *ret_type);
bool job_type_conflicts(enum job_type a, enum job_type b);
// Is a job of type b redundant beside one of type a?
bool job_type_covers(enum job_type a, enum job_type b);
// Resolves requests that depend on the state (try-restart, ...) to a plain job type: JOB_NOP if
// there is nothing to do.
enum job_type job_type_collapse(enum job_type type, enum active_state state);
// Is the unit already in the state that such a job leads to?
bool job_type_is_redundant(enum job_type type, enum active_state state);
// a is the job of a unit that is ordered Before= the one of b: -1: a runs first, 1: b runs first,
// 0: the order does not matter. A stop runs before a start.
int job_type_order(enum job_type a, enum job_type b);
