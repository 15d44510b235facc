// What kinds of jobs mean to each other and to a unit's state: pure tables. Called by core/unit/job
// and core/unit/transaction.
#pragma once

#include "core/unit/job.h"

// One job that does what both ask for. 0, or -EEXIST: they contradict each other.
int job_type_merge(enum job_type a, enum job_type b, enum active_state state,
                   enum job_type *ret_type);
bool job_type_conflicts(enum job_type a, enum job_type b);
// Would a job of type b add nothing to one of type a?
bool job_type_covers(enum job_type a, enum job_type b);
// Requests that depend on the state (try-restart, ...) become what is to be done: JOB_NOP where
// that is nothing.
enum job_type job_type_collapse(enum job_type type, enum active_state state);
// Is the unit where such a job would bring it?
bool job_type_is_redundant(enum job_type type, enum active_state state);
// a is the job of a unit that is ordered Before= the one of b: -1 a goes first, 1 b goes first, 0
// it does not matter. Whatever stops goes before what starts.
int job_type_order(enum job_type a, enum job_type b);
