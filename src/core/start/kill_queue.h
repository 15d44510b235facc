// Signals to all processes of an owner: those that descend from its children and orphans are found
// first. What takes longer than a moment goes on in slices, between which the loop has its turn;
// the orders are worked off one after the other.
#pragma once

#include "core/loop/child.h"
#include "core/loop/events.h"

struct kill_queue;
struct orphans;

int kill_queue_new(struct events *events, struct orphans *orphans, struct kill_queue **ret);
void kill_queue_free(struct kill_queue *q); // NULL is fine
DEFINE_CLEANUP(kill_queue, struct kill_queue *, kill_queue_free)

struct kill_order {
        const void *owner;               // whose orphans are meant, too (core/start/orphans.h)
        const struct child *children[2]; // of the owner, in the order of signalling; NULL: none
        int signo;
        bool sends_cont; // SIGCONT follows where it helps: a stopped process would not see the
                         // signal
        bool sends_hup;  // SIGHUP follows
        // Whoever is there now shall get it, even if that is known later: the order is kept until
        // the next one of its owner, for kill_queue_signal_missed().
        bool is_for_all;
        // Before a process is signalled; NULL: nobody is told.
        void (*on_signal)(const void *owner, pid_t pid, int signo);
        // One of the children cannot be signalled; NULL: nobody is told.
        void (*on_failure)(const void *owner, pid_t pid, int error);
};
// Count of those that were signalled, and one more where the order is still being worked off; the
// -errno of a child when there is none. Without memory only the children and orphans get it.
int kill_queue_signal(struct kill_queue *q, const struct kill_order *order);
// Some of the owner's orphans may have been missed: they changed their parent while the others got
// the signal, or nobody knew yet whose they are. Those that are known now get it, unless they have
// come since: what a service starts to tidy up is left to its work.
void kill_queue_signal_missed(struct kill_queue *q, const void *owner);
// Only the children, at once.
int kill_children(const struct kill_order *order);
// Those that the orders of an owner have not come to yet get nothing any more.
void kill_queue_forget(struct kill_queue *q, const void *owner);
