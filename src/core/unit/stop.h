// The end of a supervisor, and the actions of FailureAction= and the like. manager_stop() is in
// core/unit/manager.h.
#pragma once

#include "conf/enums.h"
#include "core/unit/manager.h"

// Performs a unit's *Action=; unit, what: "foo.service" "failed", for the log. status: the exit
// status if the action is to exit; -1: the default. The stop begins after the running callback has
// returned (WORK_CHANGES); may be called from anywhere.
void stop_act(struct manager *m, int action, int status, const char *unit, const char *what);

// The same for a failure, or for a limit that was reached: nothing is done while the manager
// ignores watchdogs.
void stop_act_on_failure(struct manager *m, int action, int status, const char *unit,
                         const char *what);
