#include "bus/share.h"

#define AT_ONCE ((int64_t)(50 * USEC_PER_MSEC))
#define ONE_IN 5

static void refill(struct share *s, usec_t now)
{
        usec_t passed = now - s->last;

        if (s->last == 0 || passed >= (usec_t)(AT_ONCE - s->left) * ONE_IN) {
                s->left = AT_ONCE;
                s->last = now;
        } else {
                s->left += (int64_t)(passed / ONE_IN);
                s->last = now - passed % ONE_IN;
        }
}

bool share_is_open(struct share *s, usec_t now)
{
        refill(s, now);
        return s->left > 0;
}

void share_spend(struct share *s, usec_t cost)
{
        s->left -= (int64_t)MIN(cost, (usec_t)(INT64_MAX / 4));
}

usec_t share_next(struct share *s, usec_t now)
{
        refill(s, now);
        return s->left > 0 ? now : now + (usec_t)(1 - s->left) * ONE_IN;
}
