// One way to run a command of a unit, be it a service's main or control command or a socket's: what
// is asked for its plan, its log, environment and descriptors, its process, waiting while resources
// are exhausted, and the words for what fails. What differs is handed in (struct command_ops):
// neither services nor sockets are known here, nor in which order commands follow each other.
#pragma once

#include "core/loop/child.h"
#include "core/start/errand.h"
#include "spawn/spawn.h"

#include <signal.h>
#include <systemd/sd-id128.h>

struct reaper;
struct spawner;

// What all commands of a supervisor share; borrowed.
struct runner {
        struct spawner *spawner;
        struct reaper *reaper;
        struct errands *errands;
        bool waits_for_room; // exhaustion is nobody's failure (difference `exhaustion`)
};

// What is remembered of a command while it waits to be started. Embedded in its owner;
// zero-initialise.
struct command_wait {
        struct errand errand;
        struct spawn_lookup *lookup; // for its plan
        void (*on_known)(struct command_wait *w);
        int error;          // what is waited for cannot be had
        bool is_plan_fresh; // made for this command
};
// Wait for an inquiry that stays the caller's: on_known is called once it is over, w->error says
// how (0: it is answered). limit: the state's own time limit, which counts if there is one;
// USEC_INFINITY: none. 1 or -errno.
int command_wait_begin(const struct runner *runner, struct command_wait *w, struct inquiry *inquiry,
                       const char *id, usec_t limit, void (*on_known)(struct command_wait *w));
// The command is started, or waits no longer.
void command_wait_end(struct command_wait *w);

// One start on its way: what the command gets. On the stack: a connection's start allocates nothing
// for it.
#define COMMAND_TEXT_MAX 4096
struct command {
        struct spawn_params params; // filled by command_ops.fill, with the help of these:
        char *environment[SPAWN_ENVIRONMENT_MAX + 1];
        size_t n_environment, used;
        int *fds;        // allocated; for params.fds, where it is not somebody else's array
        char **fd_names; // one for each of params.fds, unless params.fd_names is set
        size_t n_opened; // the last n_opened of fds are closed behind the start
        char *fd_names_text, *unit_name;
        char **variables; // allocated ones of environment
        char invocation_id[SD_ID128_STRING_MAX];
        char text[COMMAND_TEXT_MAX];
};
// "NAME=%s", and one that stays the caller's.
void command_add_variable(struct command *c, const char *fmt, ...) PRINTF(2, 3);
void command_add_text(struct command *c, char *variable);

struct command_order;

struct command_ops {
        // Plan and whatever else has to be there first: 0, 1 it is waited for, -errno (*why may say
        // more). NULL: command_prepare_plan() for the order's id.
        int (*prepare)(const struct command_order *o, struct fail *why);
        // Where it is remembered that it waits, made if needed. NULL: nowhere yet, or no memory.
        // The member may be NULL if the order has one.
        struct command_wait *(*wait)(void *self, bool is_needed);
        // What its output goes to: the descriptor, or -errno.
        int (*open_log)(void *self);
        // Environment and descriptors. 0 or -errno.
        int (*fill)(const struct command_order *o, struct command *c);
        // A process is there, and is about to be watched. NULL: nothing depends on it.
        void (*on_process)(void *self);
        // NULL: a line of the order's id.
        void (*log)(const void *self, int level, int error, const char *text);
};

// Which command, and whose. All borrowed.
struct command_order {
        const struct runner *runner;
        const struct command_ops *ops;
        void *self;         // goes to the ops
        struct owner owner; // of the process
        const char *id;     // of the unit or template; outlives the wait
        const char *task;   // "start-pre": whose words messages use
        int state;          // the same for the ops
        usec_t limit;       // the state's own time limit; USEC_INFINITY: none
        bool is_main;       // for the ops
        const struct exec_command *command;
        struct unit_conf *conf;
        struct spawn_plan **plan; // reference of the owner
        sd_id128_t invocation_id;
        struct command_wait *wait; // NULL: the ops have it
        struct child *child;
        void (*on_exit)(struct child *c, const siginfo_t *info);
        void (*on_known)(struct command_wait *w); // what was waited for is there: run it again
        struct work *room;                        // where it waits for room
        void (*on_room)(struct work *w);          // there may be some: run it again
        bool is_quiet;                            // somebody else tells of exhaustion
};

// 0: it runs, 1: it waits, and on_known or on_room follows; -errno (logged). ret_exec_fd: as
// spawn_child.exec_fd; NULL: it is not asked for.
int command_run(const struct command_order *o, int *ret_exec_fd);
// See that *o->plan is fresh: made at the first start, and again when a file behind it has changed.
// name: of the unit that it is made for. 0, 1 it waits, -errno.
int command_prepare_plan(const struct command_order *o, const char *name, struct fail *why);
bool command_plan_is_fresh(const struct command_order *o); // a look at each file behind it
// command_wait_begin() for something that the command needs. 1 or -errno.
int command_await(const struct command_order *o, struct inquiry *inquiry);

// ---- the end, in words

// The report of a child that ended before its exec: 1, and text has "Failed at step EXEC: exec
// /x: No such file or directory", and *ret_error its errno. 0: it left none.
int command_take_report(const siginfo_t *info, char *text, size_t size, int *ret_error);
// "Control process exited, code=exited, status=1/FAILURE". Returns text.
const char *command_format_end(const char *what, int code, int status, char *text, size_t size);
