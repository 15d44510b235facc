// Signals to all processes of an owner: those that descend from its children and orphans are found
// first. An order that takes longer than a moment continues in slices, between which the loop runs;
// orders are worked off one after the other.
#pragma once

#include "core/loop/child.h"
#include "core/loop/events.h"

struct kill_queue;
struct orphans;

int kill_queue_new(struct events *events, struct orphans *orphans, struct kill_queue **ret);
void kill_queue_free(struct kill_queue *q); // NULL is fine
DEFINE_CLEANUP(kill_queue, struct kill_queue *, kill_queue_free)

struct kill_order {
        const void *owner;               // its orphans are signalled as well (core/start/orphans.h)
        const struct child *children[2]; // of the owner, in the order of signalling; NULL: none
        int signo;
        bool sends_cont; // SIGCONT follows where it helps: a stopped process would not act on the
                         // signal
        bool sends_hup;  // SIGHUP follows
        // Processes that exist now are to get the signal even if they are identified later: the
        // order is kept until the next one of its owner, for kill_queue_signal_missed().
        bool is_for_all;
        // Called before a process is signalled; may be NULL.
        void (*on_signal)(const void *owner, pid_t pid, int signo);
        // Called when one of the children cannot be signalled; may be NULL.
        void (*on_failure)(const void *owner, pid_t pid, int error);
};
// Returns the number of processes signalled, plus one while the order is still in progress; the
// -errno of a child if there is none. Out of memory: only the children and orphans get the signal.
int kill_queue_signal(struct kill_queue *q, const struct kill_order *order);
// Some of the owner's orphans may have been missed: they were reparented while the others were
// signalled, or their owner was not known yet. Those known now get the signal, unless they have
// appeared since: a process that a service starts to clean up may do its work.
void kill_queue_signal_missed(struct kill_queue *q, const void *owner);
// Signals only the children, immediately.
int kill_children(const struct kill_order *order);
// Cancels the orders of an owner: processes not yet reached get no signal.
void kill_queue_forget(struct kill_queue *q, const void *owner);
