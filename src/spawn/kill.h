// Signals to processes, and finding those of a unit. Without cgroups a unit's processes are known
// by session, process group and the INVOCATION_ID in their environment. Called by core/stop.
#pragma once

#include "base/def.h"

#include <sys/types.h>

#define KILL_PIDS_MAX 4096 // processes of one unit that are found in one pass

// Signal a process through its pidfd (pid where pidfd is -1). 0, or -ESRCH when it is gone.
int kill_process(pid_t pid, int pidfd, int signo);
// pidfd of a running process, close-on-exec, above the low window; -errno (-ENOSYS on an old
// kernel, -ESRCH).
int kill_pidfd_open(pid_t pid);

struct kill_pids {
        pid_t *items;
        size_t n;
        bool is_cut; // there were more than KILL_PIDS_MAX
};
void kill_pids_done(struct kill_pids *pids);
static inline void cleanup_kill_pids(struct kill_pids *pids)
{
        kill_pids_done(pids);
}

// What tells a unit's processes from others where there is no cgroup.
struct kill_marks {
        pid_t main_pid;            // leader of a session and process group; 0: none
        pid_t control_pid;         // the same
        const char *invocation_id; // 32 hex digits; NULL: not looked for
};
// Has it one? 1, 0 (also when it has gone), -ENOMEM: it may have. Waits up to 50 ms
// for a young child of ours that is on its way through an exec, when it has no environment.
int kill_is_marked(pid_t pid, const struct kill_marks *marks);
// Processes with one of the marks: a bounded scan of /proc, zombies left out, the caller's own
// process never. 0 or -errno.
int kill_find_marked(const struct kill_marks *marks, struct kill_pids *ret);
// Signal all but the pids in keep[]; SIGCONT follows when signo is neither SIGKILL nor SIGCONT.
// Count of those that could be signalled, or -errno of the first other failure than -ESRCH when
// there was none.
int kill_all(const struct kill_pids *pids, const pid_t *keep, size_t n_keep, int signo);
