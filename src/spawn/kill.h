// Sending signals to processes, and the walk over the descendants of some.
//
// A pid that was found a while ago may belong to another process by now. A process to be signalled
// is therefore identified by a pidfd, by pid and start time, or is a child that has not been waited
// for.
#pragma once

#include "base/proc.h"

#define KILL_FOUND_MAX 65536 // processes found in one walk

// Signals a process through its pidfd; if pidfd is -1, a child of ours by its pid. 0, or -ESRCH
// when it is gone.
int kill_process(pid_t pid, int pidfd, int signo);
// pidfd of a process, close-on-exec, above the low window; -errno (-ENOSYS on an old kernel,
// -ESRCH).
int kill_pidfd_open(pid_t pid);

struct kill_found {
        pid_t pid;
        uint64_t start; // of /proc/PID/stat
};
// Signals it if it is still the process that was found. 0, -ESRCH, other -errno.
int kill_found(const struct kill_found *found, int signo);

// A walk from parents to children, in steps whose time can be bounded. Processes that are forked or
// reparented during the walk may be missed.
struct kill_walk {
        struct kill_found *items; // in the order found: roots first, parents before children
        size_t n, n_roots, capacity;
        bool is_cut; // there were more than KILL_FOUND_MAX
        struct kill_walk_state *state;
};
#define KILL_WALK_NULL ((struct kill_walk){0})
void kill_walk_done(struct kill_walk *w);
static inline void cleanup_kill_walk(struct kill_walk *w)
{
        kill_walk_done(w);
}
// Adds a root: a process whose pid cannot be reused during the call (a child of ours, or one held
// by a pidfd). A zombie, or a process that is gone, is ignored. All roots are added before the
// first step. 0 or -ENOMEM.
int kill_walk_add(struct kill_walk *w, pid_t pid);
// Continues until everything is found (0), or until this time on the monotonic clock (1). -ENOMEM.
int kill_walk_step(struct kill_walk *w, usec_t until);
