// Starting a supervisor, the counterpart of manager_start() (core/unit/manager.h).
#pragma once

#include "core/unit/manager.h"

// Stands for everything that is started if no target lists it.
#define BOOT_TARGET "usher-start.target"

// A job has ended: was it the last one that start-up waited for? Then inherited sockets that no
// unit has taken are closed, and observers are notified.
void boot_on_job_removed(struct manager *m);
