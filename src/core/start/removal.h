// What a unit leaves behind on file systems and is to be removed: RuntimeDirectory=, the PID file,
// nodes of sockets. It is done here and now where that cannot wait for anybody, else by a process
// (base/inquiry.h): the unit's end does not wait for it, but its next start does, lest it lose what
// it has just made. Called by core/service/service_stop.c.
#pragma once

#include "base/inquiry.h"
#include "base/list.h"

struct errands;
struct removals; // all of a supervisor that are under way
struct removal;  // under way

struct removal_task {
        const char *id;    // the unit's, for log lines; copied
        inquiry_work work; // a field for each failure, in words
        void *question;    // taken over
        void (*question_free)(void *question);
};

int removals_new(struct errands *errands, struct removals **ret); // 0 or -ENOMEM
// The supervisor ends, before its errands do: nothing is waited for any longer. NULL is fine.
void removals_free(struct removals *all);
DEFINE_CLEANUP(removals, struct removals *, removals_free)

// slot: where the unit keeps a removal that is under way (NULL otherwise); NULL: nothing of the
// unit's is made again, nobody needs to wait. One that is under way is waited for no longer; it
// goes on. 0 or -errno: it cannot be done (logged).
int removal_begin(struct removals *all, struct removal **slot, const struct removal_task *task);
// Call `then` once when it is over (or after DefaultTimeoutStartSec=: it may never be). text of
// what is waited for: removal_text(), borrowed.
void removal_await(struct removal *r, void (*then)(void *data), void *data);
const char *removal_text(const struct removal *r);
// The unit goes, or waits no longer: a removal goes on, and tells nobody.
void removal_forget(struct removal *r);      // no longer awaited
void removal_abandon(struct removal **slot); // the slot is gone; NULL in it is fine
