// Waiting for an inquiry (base/inquiry.h): what a unit asks of name services, or of a file system
// that may not answer. While it waits nothing else does; it has a time limit, and can be given up
// at any moment. Its process is known to the reaper and never waited for: one that a file system
// holds outlives a SIGKILL. So that their number is bounded, only a few processes work on one mount
// at a time, and further errands there wait for a place.
//
// Errands are embedded in what waits: a run, a job, a socket. Called by them.
#pragma once

#include "base/inquiry.h"
#include "core/loop/events.h"

struct errand_place;
struct errands; // all of a supervisor
struct helper;
struct reaper;
struct settings;

#define ERRANDS_PER_MOUNT 16

// Zero-initialise.
struct errand {
        struct inquiry *inquiry; // borrowed of the owner; NULL: nothing is waited for
        struct errands *errands;
        const char *id; // the unit's, for log lines; borrowed
        void (*on_over)(struct errand *e, int error);
        struct helper *helper;
        struct errand_place *place; // where it waits for a place
        struct list_node node;
        struct watch watch;
        struct timer slow_timer, limit_timer;
        usec_t limit;
        char *text;
};

// All borrowed. 0 or -ENOMEM.
int errands_new(struct events *events, struct reaper *r, const struct settings *settings,
                struct errands **ret);
void errands_free(struct errands *all); // NULL is fine; nobody may wait any more
DEFINE_CLEANUP(errands, struct errands *, errands_free)

// Launch an inquiry that is not answered yet, and wait. on_over is called once: with 0 when all of
// the answer is there, or with an error: -ETIMEDOUT after `limit` (USEC_INFINITY: none), or when
// the process gave none; what inquiry_launch() and inquiry_read() say (-EAGAIN, -ENOMEM:
// exhaustion). What was waited for before is given up. 0 or -errno.
int errand_await(struct errands *all, struct errand *e, struct inquiry *inquiry, const char *id,
                 usec_t limit, void (*on_over)(struct errand *e, int error));
// Wait no longer; before the inquiry is freed. Fine when nothing is waited for.
void errand_done(struct errand *e);
static inline bool errand_is_out(const struct errand *e)
{
        return e->inquiry != NULL;
}
// "Waiting for /srv/data (nfs4)", borrowed; NULL: it does not wait.
const char *errand_text(const struct errand *e);
// The limit where the unit has none of its own: DefaultTimeoutStartSec=, or 90 s where that is
// none.
usec_t errand_limit(const struct errands *all, usec_t own);
