// The share of the loop's time that readers of the control socket have, all together: a fifth, and
// a little at once after a rest. What is over it waits. Pure: the time comes as an argument.
#pragma once

#include "base/def.h"

struct share {
        int64_t left; // microseconds that may still be spent; below 0: overdrawn
        usec_t last;  // when that was so; 0: never, all of it is there
};

// Is there something left?
bool share_is_open(struct share *s, usec_t now);
void share_spend(struct share *s, usec_t cost);
// When there will be something left: now, or later.
usec_t share_next(struct share *s, usec_t now);
