#include "base/rate.h"

#include "base/clock.h"

static bool is_off(const struct rate *r)
{
        return r->interval == 0 || r->burst == 0;
}

static bool is_in_window(const struct rate *r, usec_t now)
{
        return r->begin != 0 && now <= usec_add(r->begin, r->interval);
}

bool rate_has_room(const struct rate *r, usec_t now)
{
        return is_off(r) || !is_in_window(r, now) || r->count < r->burst;
}

bool rate_below(struct rate *r, usec_t now)
{
        if (is_off(r))
                return true;
        if (!is_in_window(r, now)) {
                r->begin = now;
                r->count = 1;
                return true;
        }
        if (r->count >= r->burst)
                return false;
        r->count++;
        return true;
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
