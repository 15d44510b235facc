// Memory that is given back to the system: not after each burst, but when there was none for a
// second.
#pragma once

#include "core/loop/events.h"

struct trim {
        struct events *events; // borrowed
        struct timer timer;
};

// Something that took memory is over: the start, a reload, a burst of connections.
void trim_later(struct trim *t);
void trim_done(struct trim *t);
