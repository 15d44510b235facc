// Signals to processes, and the walk over those that descend from some.
//
// A pid that was found a while ago may be another process's by now. What is signalled is therefore
// known by a pidfd, by pid and start time, or it is a child of ours that has not been waited for.
#pragma once

#include "base/proc.h"

#define KILL_FOUND_MAX 65536 // processes that are found in one walk

// Signal a process through its pidfd; where pidfd is -1: a child of ours, by its pid. 0, or -ESRCH
// when it is gone.
int kill_process(pid_t pid, int pidfd, int signo);
// pidfd of a process, close-on-exec, above the low window; -errno (-ENOSYS on an old kernel,
// -ESRCH).
int kill_pidfd_open(pid_t pid);

struct kill_found {
        pid_t pid;
        uint64_t start; // of /proc/PID/stat
};
// Signal it if it is still the process that was found. 0, -ESRCH, other -errno.
int kill_found(const struct kill_found *found, int signo);

// A walk from parents to children, in steps that can be bounded in time. What comes to be, or
// changes its parent, while it goes on may be left out.
struct kill_walk {
        struct kill_found *items; // in the order of finding: roots first, parents before children
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
// Begin at this process: one that cannot be replaced by another while this is called (a child of
// ours, or held by a pidfd). One that is gone or a zombie is left out. All roots come before the
// first step. 0 or -ENOMEM.
int kill_walk_add(struct kill_walk *w, pid_t pid);
// Go on until all is found (0), or until then, on the monotonic clock (1). -ENOMEM.
int kill_walk_step(struct kill_walk *w, usec_t until);
