// Exits of children, by pidfd, or by pid where the kernel has none. Known children are reported to
// their owner through on_exit. A child is waited for only when the processes that it left behind
// are known: until then its pid, which is also the id of the session that it led, cannot be reused.
// Nothing else waits for children while the loop runs.
#pragma once

#include "core/loop/child.h"
#include "core/loop/events.h"

#include <sys/wait.h>

struct reaper;

int reaper_new(struct events *e, struct reaper **ret);
void reaper_free(struct reaper *r); // NULL is fine
DEFINE_CLEANUP(reaper, struct reaper *, reaper_free)

// Every exit of a known process enters here, whether the reaper has seen it or another source that
// has waited for the child. info: as of waitid(2); is_zombie: the process is our child and has not
// been waited for. Does nothing if the process is not watched. Public for tests, until another
// source uses it.
void reaper_feed(struct reaper *r, const siginfo_t *info, bool is_zombie);

// Decides when a zombie child may be waited for (core/start/orphans). Without a keeper that happens
// as soon as its owner knows of the exit.
struct zombie_keeper {
        // The owner of a child is about to be notified of its exit: returns a mark of this moment.
        uint64_t (*mark)(const struct zombie_keeper *k);
        // Its owner has been notified: the keeper waits for the zombie, now or later.
        void (*keep)(struct zombie_keeper *k, pid_t pid, const struct owner *owner, uint64_t mark);
        // A child is no longer watched, and still runs.
        void (*on_forgotten)(struct zombie_keeper *k, pid_t pid, const struct owner *owner);
        // A process is watched from now on.
        void (*on_watched)(struct zombie_keeper *k, pid_t pid);
        void (*on_sigchld)(struct zombie_keeper *k);
};
void reaper_set_keeper(struct reaper *r, struct zombie_keeper *k); // borrowed; NULL: none
// Starts listening to SIGCHLD again: while all children have pidfds, each call hears it once.
void reaper_listen(struct reaper *r);
// The owner is about to be freed; one of its processes may be the one whose exit is being reported.
void reaper_disown(struct reaper *r, const void *owner);

// Watches a child that was just spawned, or an orphan: pid and pidfd (or -1) are stored in *c,
// which owns them. on_exit is called once from the loop with the exit status; c is empty (pid 0) by
// then. -EBUSY: the process is watched already.
int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                 void (*on_exit)(struct child *c, const siginfo_t *info));
// Forgets a child, which then counts as an orphan of its owner. Does not kill it.
void reaper_forget(struct reaper *r, struct child *c);
// The owner of a process that is watched, or whose exit is being reported. False: it is neither.
bool reaper_find_owner(const struct reaper *r, pid_t pid, struct owner *ret);
size_t reaper_count(const struct reaper *r); // watched processes
// Watches a process that is not our child (MAINPID= of a forking service) by its pidfd, which is
// taken over; on_exit gets the code 0 if its status cannot be read. -EBUSY as above.
int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                       void (*on_exit)(struct child *c, const siginfo_t *info));
