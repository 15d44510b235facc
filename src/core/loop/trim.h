// Returns free memory to the system: not after each burst, but once no burst has occurred for a
// second.
#pragma once

#include "core/loop/events.h"

struct trim {
        struct events *events; // borrowed
        struct timer timer;
};

// An operation that took memory is over: the start, a reload, a burst of connections.
void trim_later(struct trim *t);
void trim_done(struct trim *t);
