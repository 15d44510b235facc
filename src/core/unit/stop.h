// The end of a supervisor, and what FailureAction= and its kin ask for. manager_stop() is in
// core/unit/manager.h.
#pragma once

#include "conf/enums.h"
#include "core/unit/manager.h"

// Do what a unit's *Action= says; unit, what: "foo.service" "failed", for the log. status: exit
// status where the action is one; -1: the usual. The stop begins when the callback that runs has
// returned (WORK_CHANGES); may be called from anywhere.
void stop_act(struct manager *m, int action, int status, const char *unit, const char *what);
