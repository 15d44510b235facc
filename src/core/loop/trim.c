#include "core/loop/trim.h"

#include "base/clock.h"
#include "spawn/spawn.h"

#include <malloc.h>

#define TRIM_WAIT (USEC_PER_SEC)
#define TRIM_WORTH (64u << 10) // free bytes; less than this would soon be needed again

static void on_trim(struct timer *t UNUSED, usec_t now UNUSED)
{
        spawn_trim();
        if (mallinfo2().fordblks >= TRIM_WORTH)
                malloc_trim(0);
}

void trim_later(struct trim *t)
{
        // If the timer cannot be set, the next call tries again.
        (void)timer_set(t->events, &t->timer, usec_add(clock_now(), TRIM_WAIT), on_trim);
}

void trim_done(struct trim *t)
{
        if (t->events)
                timer_stop(t->events, &t->timer);
}
