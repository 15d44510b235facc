// Starting processes: replays a plan. Owns the launch slots, the choice of the spawn method, and
// the memory in which a child that fails before its exec leaves its report. Neither reaps nor logs,
// and knows no states. Called by core only.
//
// Methods (contrib/adr/0011): `shared` costs the same whatever the amount of memory and the number
// of open descriptors; `fork` copies both. Neither waits for the child, which may hang in a file
// system, or be stopped by the user that it has become. `fork` is used whatever the method if a
// step needs more than raw system calls (folders, ttys, ...) or affects all processes that share
// memory; if there are more descriptors than fit in the low window; if a process with another uid
// could access memory that it shares with us; and while children that have not reached their exec
// hold all launch slots.
#pragma once

#include "base/fail.h"
#include "conf/types.h"
#include "spawn/plan.h"

#define SPAWN_FDS_MAX 768
#define SPAWN_ENVIRONMENT_MAX 64 // entries of spawn_params.environment

enum spawn_method {
        SPAWN_FORK,
        SPAWN_SHARED,
        _SPAWN_METHOD_MAX,
        _SPAWN_METHOD_INVALID = -EINVAL,
};

struct spawn_params {
        const struct exec_command *command; // from the plan's conf
        const char *unit_name;              // may be NULL if spawn_plan_needs_name() is false
        // Passed from 3 on, in this order, to a command whose stdio is not a socket (to main
        // commands only, as systemd does). fd_names: in the form of LISTEN_FDNAMES, "a:b"; NULL:
        // "unknown" for each.
        const int *fds;
        size_t n_fds;
        size_t n_sockets; // NonBlocking= applies to the first n_sockets of them
        const char *fd_names;
        bool nonblocking; // NonBlocking=
        // For stdio that is the socket; -1: the only one of fds is used, if there is one.
        int socket_fd;
        int log_fd; // for stdio that is the journal; -1: /dev/null
        // "NAME=value" set by the supervisor for this start (REMOTE_ADDR, MAINPID, NOTIFY_SOCKET,
        // WATCHDOG_USEC, SERVICE_RESULT, ...). Environment= and EnvironmentFile= win over them,
        // UnsetEnvironment= removes them. LISTEN_*, SYSTEMD_EXEC_PID, and with WATCHDOG_USEC also
        // WATCHDOG_PID, are added here.
        char *const *environment;
        const char *invocation_id; // 32 hex digits, or NULL
        // One of the descriptors above that the caller no longer needs: a successful start takes it
        // over, and sets it to -1. NULL: none.
        int *given_fd;
        // No other work is pending: the start may sleep briefly, until the child holds no copies of
        // descriptors.
        bool is_calm;
        bool is_privileged;    // as if the command began with +
        bool want_exec_result; // Type=exec: see spawn_child.exec_fd
};

#define SPAWN_PARAMS_INIT                      \
        (struct spawn_params)                  \
        {                                      \
                .socket_fd = -1, .log_fd = -1, \
        }

struct spawn_child {
        pid_t pid;
        int pidfd;   // above the low window; -1: this kernel has none
        int exec_fd; // if requested, else -1: readable once the exec has succeeded or failed
};

// Chooses the method: a name, or NULL for the best that works here (found by probing). Also maps
// the report memory. 0; -EINVAL: no such name; -EOPNOTSUPP: it does not work here; -ENOMEM. Called
// once, before the first start; signal dispositions must not change afterwards.
int spawn_init(const char *method, struct fail *why);
// Was the working directory "/" at that time? Then children need not change to it. It must not
// change later.
bool spawn_is_at_root(void);
void spawn_done(void);
enum spawn_method spawn_method(void);                    // the one in use; for tests
const char *spawn_method_name(enum spawn_method method); // for tests

// Starts a process. The descriptors in params (but given_fd) stay the caller's, who may close them
// at once. 0 and *ret; -EINVAL: stdio is to be the socket, and there is none or more than one;
// -E2BIG; other -errno: no process was made (-EAGAIN, -ENOMEM: exhaustion). A step that fails in
// the child shows as its exit status (spawn/exit_status.h) and in spawn_report_take(). Signals: the
// child begins with default dispositions (SIGPIPE as IgnoreSIGPIPE= says) and an empty mask, as
// leader of a session of its own.
int spawn_start(struct spawn_plan *plan, const struct spawn_params *params, struct spawn_child *ret,
                struct fail *why);

enum spawn_pending {
        SPAWN_HOLDS_NOTHING,
        SPAWN_HOLDS_MEMORY, // of children that have not reached their exec
        SPAWN_HOLDS_FDS,    // copies of descriptors that children were given: the peer sees no EOF
                            // before they are closed
};

// Releases what children no longer need: copies of the descriptors passed to them, after some ten
// microseconds, and memory, after the exec. Returns what is still held: then call again. Cheap when
// there is nothing to do.
enum spawn_pending spawn_reclaim(void);
// Frees the memory that a burst of starts has used; called when none has occurred for a while.
void spawn_trim(void);

// The report of a child that exited with a status of spawn/exit_status.h: 1 and *ret (what failed,
// and why), 0 if it left none. The report is deleted.
int spawn_report_take(pid_t pid, struct fail *ret);

// Reads exec_fd: 1: the exec has succeeded; 0: it failed (*why as in a report; the exit status
// follows by the reaper); -EAGAIN: not yet.
int spawn_exec_result(int exec_fd, struct fail *why);
