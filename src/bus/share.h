// The share of the loop's time that all readers of the control socket have together: a fifth, and a
// short burst after idle time. Calls beyond it wait. Pure: the time comes as an argument.
#pragma once

#include "base/def.h"

struct share {
        int64_t left; // microseconds that may still be spent; below 0: overdrawn
        usec_t last;  // when `left` was computed; 0: never, the whole share is left
};

// Is there something left?
bool share_is_open(struct share *s, usec_t now);
void share_spend(struct share *s, usec_t cost);
// When there will be something left: now, or later.
usec_t share_next(struct share *s, usec_t now);
