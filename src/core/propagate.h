// What a state change of one unit does to others, beside its own job: Requires=, BindsTo=,
// Conflicts=, OnFailure= and their kin when nobody asked for the change; StopWhenUnneeded=,
// Upholds=. Called by unit_notify() and by jobs that fail.
#pragma once

#include "core/unit.h"

// The unit changed without a job having asked for it: start or stop what goes with it.
void propagate_unexpected(struct unit *u, enum active_state old, enum active_state now);
// OnFailure= or OnSuccess= (d: DEP_ON_FAILURE, DEP_ON_SUCCESS).
void propagate_outcome(struct unit *u, enum dependency d);
// Look soon whether the unit, or those that lean on it, should be stopped or started again.
void propagate_check_later(struct unit *u, enum active_state now);
// Sockets of this service look at it.
void propagate_trigger(struct unit *u);
