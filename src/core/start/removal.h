// What a unit leaves behind in file systems and has to be removed: RuntimeDirectory=, the PID file,
// nodes of sockets. It is removed directly where that cannot block, otherwise by a process
// (base/inquiry.h): the end of the unit does not wait for it, but its next start does, so that it
// does not lose what it has just created. Called by core/service/service_stop.
#pragma once

#include "base/inquiry.h"
#include "base/list.h"

struct errands;
struct removals; // all removals of a supervisor that are in progress
struct removal;  // one in progress

struct removal_task {
        const char *id;    // of the unit, for log lines; copied
        inquiry_work work; // a field for each failure, as text
        void *question;    // taken over
        void (*question_free)(void *question);
};

int removals_new(struct errands *errands, struct removals **ret); // 0 or -ENOMEM
// The supervisor ends before its errands do, so it waits for none of them. NULL is fine.
void removals_free(struct removals *all);
DEFINE_CLEANUP(removals, struct removals *, removals_free)

// slot: where the unit keeps a removal in progress (NULL if none); slot may be NULL if the unit
// never creates these files again and so need not wait. An earlier removal in the slot continues,
// but is no longer waited for. 0 or -errno: it cannot be done (logged).
int removal_begin(struct removals *all, struct removal **slot, const struct removal_task *task);
// Call `then` once when it is over (or after DefaultTimeoutStartSec=: it may never be). text of
// what it waits for: removal_text(), borrowed.
void removal_await(struct removal *r, void (*then)(void *data), void *data);
const char *removal_text(const struct removal *r);
// The unit is freed, or stops waiting: a removal continues, but calls nothing back.
void removal_forget(struct removal *r);      // it is no longer awaited
void removal_abandon(struct removal **slot); // the slot is gone; NULL in it is fine
