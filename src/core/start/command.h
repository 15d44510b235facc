// One way to run a command of a unit, whether it is a service's main or control command or a
// socket's: which owner is asked for the plan, the log, the environment and the descriptors, how
// the process is started, how a start waits while resources are exhausted, and how a failure is
// worded. What differs is passed in (struct command_ops): this file knows neither services nor
// sockets, nor the order in which commands follow each other.
#pragma once

#include "core/loop/child.h"
#include "core/start/errand.h"
#include "spawn/spawn.h"

#include <signal.h>
#include <systemd/sd-id128.h>

struct reaper;
struct spawner;

// What all commands of a supervisor share. Borrowed.
struct runner {
        struct spawner *spawner;
        struct reaper *reaper;
        struct errands *errands;
        bool waits_for_room; // exhaustion delays a start instead of failing it (difference
                             // `exhaustion`)
};

// The state of a command that waits to be started. Embedded in its owner; zero-initialise.
struct command_wait {
        struct errand errand;
        struct spawn_lookup *lookup; // for its plan
        void (*on_known)(struct command_wait *w);
        int error;          // why the inquiry that it waited for failed
        bool is_plan_fresh; // the plan was made for this command
};
// The command has been started, or no longer waits.
void command_wait_end(struct command_wait *w);

// One start under way and what its command is passed. It lives on the stack, so that starting a
// connection's service allocates nothing for it.
#define COMMAND_TEXT_MAX 4096
struct command {
        struct spawn_params params; // filled by command_ops.fill with the members below
        char *environment[SPAWN_ENVIRONMENT_MAX + 1];
        size_t n_environment, used;
        int *fds;        // allocated; becomes params.fds unless the caller has its own array
        char **fd_names; // one for each of params.fds, unless params.fd_names is set
        size_t n_opened; // the last n_opened of fds are closed after the start
        char *fd_names_text, *unit_name;
        char **variables; // allocated entries of environment
        char invocation_id[SD_ID128_STRING_MAX];
        char text[COMMAND_TEXT_MAX];
};
// "NAME=%s"; and one whose text stays the caller's.
void command_add_variable(struct command *c, const char *fmt, ...) PRINTF(2, 3);
void command_add_text(struct command *c, char *variable);

struct command_order;

struct command_ops {
        // Prepares the plan and everything else that a start needs: 0; 1: it has to wait; -errno
        // (*why may say more). NULL: command_prepare_plan() for the order's id.
        int (*prepare)(const struct command_order *o, struct fail *why);
        // Where the state of a waiting command is kept; allocated if needed. NULL: nothing is kept
        // yet, or memory is exhausted. The member may be NULL if the order has one.
        struct command_wait *(*wait)(void *self, bool is_needed);
        // Where the command's output goes: a descriptor, which is closed after the start, or
        // -errno.
        int (*open_log)(const struct command_order *o);
        // Environment and descriptors. 0 or -errno.
        int (*fill)(const struct command_order *o, struct command *c);
        // The process exists, and is about to be watched. NULL: the owner need not know.
        void (*on_process)(void *self);
        // NULL: the order's id is logged.
        void (*log)(const void *self, int level, int error, const char *text);
};

// Which command to run, and for which owner. All borrowed.
struct command_order {
        const struct runner *runner;
        const struct command_ops *ops;
        void *self;         // passed to the ops
        struct owner owner; // of the process
        const char *id;     // of the unit or template; outlives the wait
        const char *task;   // "start-pre": named in messages
        int state;          // of the owner, for the ops
        usec_t limit;       // the state's own time limit; USEC_INFINITY: none
        bool is_main;       // for the ops
        const struct exec_command *command;
        struct unit_conf *conf;
        struct spawn_plan **plan; // reference of the owner
        sd_id128_t invocation_id;
        struct command_wait *wait; // NULL: command_ops.wait gives it
        struct child *child;
        void (*on_exit)(struct child *c, const siginfo_t *info);
        void (*on_known)(
                struct command_wait *w); // what it waited for has arrived: run the order again
        struct work *room;               // queued here while resources are exhausted
        void (*on_room)(struct work *w); // resources may be free again: run the order again
        bool is_quiet;                   // exhaustion is reported elsewhere
};

// 0: it runs; 1: it waits, and on_known or on_room will be called; -errno (logged). ret_exec_fd:
// see spawn_child.exec_fd; NULL: not needed.
int command_run(const struct command_order *o, int *ret_exec_fd);
// Makes sure that *o->plan is fresh: it is made at the first start, and again when a file that it
// was made from has changed. name: the unit that it is made for. 0; 1: it has to wait; -errno.
int command_prepare_plan(const struct command_order *o, const char *name, struct fail *why);
bool command_plan_is_fresh(
        const struct command_order *o); // looks at each file that the plan was made from
// Waits for something that the command needs; the inquiry stays the caller's. The order's on_known
// is called once when it is over, and the wait's error says how (0: it has an answer). The order's
// limit counts; without one, the manager's. 1 or -errno.
int command_await(const struct command_order *o, struct inquiry *inquiry);

// ---- the end, in words

// The report of a child that ended before its exec: 1, and text has "Failed at step EXEC: exec
// /x: No such file or directory", and *ret_error its errno. 0: it left none.
int command_take_report(const siginfo_t *info, char *text, size_t size, int *ret_error);
// "Control process exited, code=exited, status=1/FAILURE". Returns text.
const char *command_format_end(const char *what, int code, int status, char *text, size_t size);
