#include "base/rate.h"

#include "base/clock.h"

bool rate_below(struct rate *r, usec_t now)
{
        if (r->interval == 0 || r->burst == 0)
                return true;
        if (r->begin == 0 || now > usec_add(r->begin, r->interval)) {
                r->begin = now;
                r->count = 1;
                return true;
        }
        if (r->count < r->burst) {
                r->count++;
                return true;
        }
        return false;
}

void rate_reset(struct rate *r)
{
        r->begin = 0;
        r->count = 0;
}

usec_t rate_window_end(const struct rate *r, usec_t now)
{
        usec_t end = r->begin ? usec_add(r->begin, r->interval) : now;

        return MAX(end, now);
}
