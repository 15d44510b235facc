// The consequences that a state change of one unit, or the end of its job, has for others:
// dependent jobs fail; Requires=, BindsTo=, Conflicts= and their like when the change was not
// requested; OnFailure=, the sockets of a service, FailureAction=; StopWhenUnneeded=, Upholds=.
//
// None of this happens at once. unit_notify() and the end of a job record the pending steps in the
// unit, and WORK_CHANGES runs them after the current callback has returned, one after the other and
// before anything else. The consequences of a step run before steps recorded earlier. So events
// have the order that nested calls would give (systemd's), but no function is on the stack twice,
// however long a chain of units is, and no call changes a unit other than its own.
//
// A step sees the units as they are when it runs. Changes that follow one another in a single
// callback share their steps: each runs once.
#pragma once

#include "core/unit/unit.h"

// The steps, in the order in which they run for one unit.
enum propagation {
        // The end of its job.
        PROPAGATE_FAIL_NEEDING,    // starts of units that need u fail
        PROPAGATE_FAIL_CONFLICTED, // starts for which u was to be stopped fail
        PROPAGATE_FAIL_REQUISITE,  // starts of units that need u to be active already fail
        PROPAGATE_JOB_ON_FAILURE,  // OnFailure=
        PROPAGATE_JOB_TRIGGER,     // units that trigger u are notified
        PROPAGATE_JOB_WAKE,        // jobs of units ordered before or after u are looked at
        PROPAGATE_JOB_COUNT,       // was it the last job that start-up waited for?
        // A change of state.
        PROPAGATE_START_NEEDED, // u is up and this was not requested: the units that it needs are
                                // started
        PROPAGATE_STOP_BOUND, // u is going down and this was not requested: units bound to it stop
        PROPAGATE_ON_FAILURE, // OnFailure=
        PROPAGATE_ON_SUCCESS, // OnSuccess=
        PROPAGATE_TRIGGER,    // units that trigger u are notified
        PROPAGATE_FAILURE_ACTION,
        PROPAGATE_SUCCESS_ACTION,
        PROPAGATE_CHECK, // StopWhenUnneeded=, BindsTo=, Upholds= of u and of units that depend on
                         // it
        _PROPAGATE_MAX,
};

#define PROPAGATE_BIT(p) (UINT32_C(1) << (p))

// Records that these steps (PROPAGATE_BIT(...) | ...) are to run for u.
void propagate_later(struct unit *u, uint32_t steps);
