// The begin of a supervisor, beside manager_start() (core/unit/manager.h).
#pragma once

#include "core/unit/manager.h"

// Stands for all that is started where no target says it.
#define BOOT_TARGET "usher-start.target"

// A job is gone: was it the last that the start waited for? Then inherited sockets that no unit has
// taken are closed, and observers hear of it.
void boot_on_job_removed(struct manager *m);
