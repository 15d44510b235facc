// What a state change of one unit, or the end of its job, does to others: jobs that cannot do
// without it fail, Requires=, BindsTo=, Conflicts= and their kin when nobody asked for the change,
// OnFailure=, the sockets of a service, FailureAction=; StopWhenUnneeded=, Upholds=.
//
// None of it is done at once. unit_notify() and the end of a job note in the unit what is to
// follow, and WORK_CHANGES does it when the callback that runs has returned, one step after the
// other and before anything else happens. What a step brings about is done before what was noted
// earlier. So the order of events is the one that nested calls would have (systemd's), but nothing
// is on the stack twice, however long a chain of units is, and no call changes another unit than
// its own.
//
// A step looks at the units as they are when its turn comes. Changes that follow one another in a
// single callback share their steps: each is done once.
#pragma once

#include "core/unit/unit.h"

// The steps, in the order in which they are done for one unit.
enum propagation {
        // The end of its job.
        PROPAGATE_FAIL_NEEDING,    // starts of those that need u fail
        PROPAGATE_FAIL_CONFLICTED, // starts of those that u is stopped for fail
        PROPAGATE_FAIL_REQUISITE,  // starts of those that need u to be active already fail
        PROPAGATE_JOB_ON_FAILURE,  // OnFailure=
        PROPAGATE_JOB_TRIGGER,     // units that trigger u look at it
        PROPAGATE_JOB_WAKE,        // jobs of those ordered before or behind u are looked at
        PROPAGATE_JOB_COUNT,       // was it the last that start-up waited for?
        // A change of state.
        PROPAGATE_START_NEEDED, // u is up and nobody asked for it: what it needs is started
        PROPAGATE_STOP_BOUND, // u is going down and nobody asked for it: what is bound to it stops
        PROPAGATE_ON_FAILURE, // OnFailure=
        PROPAGATE_ON_SUCCESS, // OnSuccess=
        PROPAGATE_TRIGGER,    // units that trigger u look at it
        PROPAGATE_FAILURE_ACTION,
        PROPAGATE_SUCCESS_ACTION,
        PROPAGATE_CHECK, // StopWhenUnneeded=, BindsTo=, Upholds= of u and of those that lean on it
        _PROPAGATE_MAX,
};

#define PROPAGATE_BIT(p) (UINT32_C(1) << (p))

// Note that these steps (PROPAGATE_BIT(...) | ...) are to be done for u.
void propagate_later(struct unit *u, uint32_t steps);
