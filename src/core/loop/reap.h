// Exits of children: by pidfd, or by pid where the kernel has none. Known children reach their
// owner through on_exit. A child is waited for only when it is known what it left behind: until
// then its pid, which is also the number of the session that it led, cannot be another's. Nobody
// else waits for children while the loop runs.
#pragma once

#include "core/loop/child.h"
#include "core/loop/events.h"

#include <sys/wait.h>

struct reaper;

int reaper_new(struct events *e, struct reaper **ret);
void reaper_free(struct reaper *r); // NULL is fine
DEFINE_CLEANUP(reaper, struct reaper *, reaper_free)

// Every end of a known process comes in by this one door, whoever has seen it: our own looks, or
// another source that has waited for the child in our place. info: as of waitid(2); is_zombie: it
// is our child, and is still to be waited for. Nothing happens if the process is not watched.
// Public for tests, until another source feeds it.
void reaper_feed(struct reaper *r, const siginfo_t *info, bool is_zombie);

// Decides when a zombie of ours may be waited for (core/start/orphans). Without a keeper that is
// done as soon as its owner knows of the end.
struct zombie_keeper {
        // The owner of a child is about to be told of its end: a mark of this moment.
        uint64_t (*mark)(const struct zombie_keeper *k);
        // Its owner knows: the keeper waits for it, now or later.
        void (*keep)(struct zombie_keeper *k, pid_t pid, const struct owner *owner, uint64_t mark);
        // A child of ours is watched no longer, and goes on.
        void (*on_forgotten)(struct zombie_keeper *k, pid_t pid, const struct owner *owner);
        // A process is watched from now on.
        void (*on_watched)(struct zombie_keeper *k, pid_t pid);
        void (*on_sigchld)(struct zombie_keeper *k);
};
void reaper_set_keeper(struct reaper *r, struct zombie_keeper *k); // borrowed; NULL: none
// Listen to SIGCHLD again: as long as all children have pidfds it is heard once after each call.
void reaper_listen(struct reaper *r);
// The owner goes, while one of its processes may be the one whose end is being told.
void reaper_disown(struct reaper *r, const void *owner);

// Watch a child that was just spawned, or an orphan: pid and pidfd (or -1) are taken over into *c.
// on_exit is called once from the loop with the exit status; c is empty (pid 0) by then. -EBUSY:
// it is watched already.
int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                 void (*on_exit)(struct child *c, const siginfo_t *info));
// Forget a child: it is its owner's orphan then. Does not kill it.
void reaper_forget(struct reaper *r, struct child *c);
// The owner of one that is watched, or whose end its owner is being told. False: it is none.
bool reaper_find_owner(const struct reaper *r, pid_t pid, struct owner *ret);
size_t reaper_count(const struct reaper *r); // of watched ones
// A process that is no child of ours (MAINPID= of a forking service) is watched by its pidfd, which
// is taken over; on_exit gets the code 0 where its status cannot be had. -EBUSY as above.
int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                       void (*on_exit)(struct child *c, const siginfo_t *info));
