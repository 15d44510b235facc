// Exits of children: by pidfd, or by pid where the kernel has none. Known children reach their
// owner through on_exit; orphans of theirs are core/start/orphans. A child is waited for only when
// it is known what it left behind: until then its pid, which is also the number of the session that
// it led, cannot be another's. Nobody else waits for children while the loop runs.
#pragma once

#include "core/service/run.h"

#include <sys/wait.h>

struct manager;
struct reaper;

int reaper_new(struct manager *m, struct reaper **ret);
void reaper_free(struct reaper *r); // NULL is fine
DEFINE_CLEANUP(reaper, struct reaper *, reaper_free)

// To whom a process and those that it leaves behind belong.
struct owner {
        void *self;  // NULL: to nobody
        bool is_run; // struct run; else the commands of a socket
};

// Watch a child that was just spawned, or an orphan: pid and pidfd (or -1) are taken over into *c.
// on_exit is called once from the loop with the exit status; c is empty (pid 0) by then. -EBUSY:
// it is watched already.
int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                 void (*on_exit)(struct child *c, const siginfo_t *info));
// Forget a child: it is its owner's orphan then. Does not kill it.
void reaper_forget(struct reaper *r, struct child *c);
// The child of this pid, if it is watched with this on_exit: also while that is told of its end,
// until it is forgotten. NULL: there is none.
struct child *reaper_find(struct reaper *r, pid_t pid,
                          void (*on_exit)(struct child *c, const siginfo_t *info));
// The owner of one that is watched, or whose end its owner is being told. False: it is none.
bool reaper_find_owner(const struct reaper *r, pid_t pid, struct owner *ret);
size_t reaper_count(const struct reaper *r); // of watched ones
// A process that is no child of ours (MAINPID= of a forking service) is watched by its pidfd, which
// is taken over; on_exit gets the code 0 where its status cannot be had. -EBUSY as above.
int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid, int pidfd, struct owner owner,
                       void (*on_exit)(struct child *c, const siginfo_t *info));
