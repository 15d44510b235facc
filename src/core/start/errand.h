// Waiting for an inquiry (base/inquiry.h): a question that a unit has for a name service, or for a
// file system that may not answer. Only the unit waits, never the loop; the wait has a time limit
// and can be cancelled at any moment. The reaper knows the helper process, but nothing ever waits
// for it: one that hangs in a file system outlives a SIGKILL. To bound the number of such
// processes, only a few work on one mount, or ask name services, at a time, and further errands
// queue for a free place.
//
// Errands are embedded in the object that waits: a run, a job, a socket. Called by these.
#pragma once

#include "base/inquiry.h"
#include "core/loop/events.h"

struct errand_place;
struct errands; // all of a supervisor
struct helper;
struct reaper;
struct settings;

#define ERRANDS_PER_PLACE 16

// Zero-initialise.
struct errand {
        struct inquiry *inquiry; // borrowed from the owner; NULL: it waits for nothing
        struct errands *errands;
        const char *id; // of the unit, for log lines; borrowed
        void (*on_over)(struct errand *e, int error);
        struct helper *helper;
        struct errand_place *place; // NULL: it does not wait for a free place
        struct list_node node;
        struct watch watch;
        struct timer slow_timer, limit_timer;
        usec_t limit;
        char *text;
};

// All borrowed. 0 or -ENOMEM.
int errands_new(struct events *events, struct reaper *r, const struct settings *settings,
                struct errands **ret);
void errands_free(struct errands *all); // NULL is fine; no errand may wait any longer
DEFINE_CLEANUP(errands, struct errands *, errands_free)

// Launches an inquiry that has no answer yet, and waits for it. on_over is called once: with 0 when
// the answer is complete, or with an error: -ETIMEDOUT after `limit` (USEC_INFINITY: none), the
// error that the process reported, or one of inquiry_launch() and inquiry_read() (-EAGAIN, -ENOMEM:
// exhaustion). An earlier wait of the same errand is cancelled. 0 or -errno.
int errand_await(struct errands *all, struct errand *e, struct inquiry *inquiry, const char *id,
                 usec_t limit, void (*on_over)(struct errand *e, int error));
// Stops waiting; call it before the inquiry is freed. Does nothing if the errand does not wait.
void errand_done(struct errand *e);
static inline bool errand_is_out(const struct errand *e)
{
        return e->inquiry != NULL;
}
// "Waiting for /srv/data (nfs4)", borrowed; NULL: it does not wait.
const char *errand_text(const struct errand *e);
// The limit where the unit sets none: DefaultTimeoutStartSec=, or 90 s where that is unlimited.
usec_t errand_limit(const struct errands *all, usec_t own);
