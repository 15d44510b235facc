// Exits of children: by pidfd, or by pid where the kernel has none; strays of a subreaper or PID 1
// by a rate-limited sweep. Known children reach their owner through on_exit; nobody else calls
// waitid().
#pragma once

#include "core/run.h"

#include <sys/wait.h>

struct manager;
struct reaper;

int reaper_new(struct manager *m, struct reaper **ret);
void reaper_free(struct reaper *r); // NULL is fine
DEFINE_CLEANUP(reaper, struct reaper *, reaper_free)

// Watch a child that was just spawned: pid and pidfd (or -1) are taken over into *c. on_exit is
// called once from the loop with the exit status; c is empty (pid 0) by then. si_code is 0 where
// the status cannot be had, since somebody else has waited for the child.
int reaper_watch(struct reaper *r, struct child *c, pid_t pid, int pidfd,
                 void (*on_exit)(struct child *c, const siginfo_t *info));
// Forget a child (it is then reaped by the sweep). Does not kill it.
void reaper_forget(struct reaper *r, struct child *c);
// The child of this pid, if it is watched with this on_exit: also while that is told of its end,
// until it is forgotten. NULL: there is none.
struct child *reaper_find(struct reaper *r, pid_t pid,
                          void (*on_exit)(struct child *c, const siginfo_t *info));
size_t reaper_count(const struct reaper *r); // of watched ones
// Children that nobody has told it of: orphans that came to us as a subreaper or PID 1. f is called
// for each until it gives something else than 0, which is returned. The children are read once for
// each batch of events.
int reaper_foreach_unknown(struct reaper *r, int (*f)(pid_t pid, void *data), void *data);
// A pid that is no child of ours (MAINPID= of a forking service) is watched by pidfd only; its
// status cannot be had: on_exit gets si_code 0.
int reaper_watch_alien(struct reaper *r, struct child *c, pid_t pid,
                       void (*on_exit)(struct child *c, const siginfo_t *info));
