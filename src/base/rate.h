// A fixed-window event counter, as in systemd: the window begins with the first
// event, and `burst` events are below the limit until it ends.
#pragma once

#include "base/def.h"

struct rate {
        usec_t interval; // 0: no limit
        usec_t begin;    // start of the current window, 0: none
        unsigned burst;  // 0: no limit
        unsigned count;  // events in the window
};

// Count one event at time now; true: below the limit.
bool rate_below(struct rate *r, usec_t now);
// Would an event be below the limit? Counts none.
bool rate_has_room(const struct rate *r, usec_t now);
void rate_reset(struct rate *r);
// When the current window ends (now, if there is none).
usec_t rate_window_end(const struct rate *r, usec_t now);
