// Private to spawn: a compiled plan, the steps that a child runs, and one start in progress (a
// launch). Only files of src/spawn include this.
//
// A step is code that runs in the child between clone and exec. Unless it is flagged otherwise it
// uses only sys.h and memory that was prepared: the child may share its memory with the supervisor,
// which goes on meanwhile.
#pragma once

#include "base/inquiry.h"
#include "conf/unit_conf.h"
#include "spawn/exit_status.h"
#include "spawn/plan.h"
#include "spawn/spawn.h"

#define PLAN_FILES_MAX 1024
#define RLIMITS_MAX RLIM_NLIMITS

struct filter_set;
struct launch;

enum step_flags {
        // Skipped for commands that begin with...
        STEP_IDENTITY = 1 << 0,  // + ! !!: user and groups
        STEP_PRIVILEGE = 1 << 1, // +: what lowers privileges
        // What the step needs: fork. It calls libc, may block, or affects all processes that share
        // memory.
        STEP_OWN_MEMORY = 1 << 2,
};

// A row of steps.def, where its members are explained.
struct step {
        const char *op;
        int (*run)(struct launch *l);
        int (*compile)(struct spawn_plan *plan); // NULL: every plan has it
        uint8_t exit_status;
        uint8_t flags;
};

#define STEP(...) +1
#define STEP_ALWAYS(...) +1
enum {
        STEPS_MAX = 0
#include "spawn/steps.def"
};
#undef STEP
#undef STEP_ALWAYS

// ---- what a plan is made of --------------------------------------------------------------------

// A file that the plan was made from, as it was at that time.
struct plan_file {
        char *path;
        bool is_system; // not named by the unit
        bool is_missing;
        uint64_t dev, ino;
        int64_t size, mtime_sec, mtime_nsec;
};

struct plan_command {
        const struct exec_command *source; // key; from the plan's conf
        char *executable;                  // absolute; the bare name if it was not found
        char **argv;                       // marks are filled if the plan belongs to one unit
        bool is_missing;
        bool has_marks;
        bool has_variables;
        struct plan_command *next;
};

enum plan_env_flags {
        PLAN_ENV_WINS = 1 << 0,  // wins over what the supervisor sets for a start
        PLAN_ENV_MARKS = 1 << 1, // filled at each start
};

struct plan_env {
        char **entries; // NULL-terminated
        uint8_t *flags;
        size_t n;
        bool has_marks, has_wins;
        char **unset; // UnsetEnvironment=
};

enum stdio_source {
        STDIO_FROM_NULL,
        STDIO_FROM_SOCKET,
        STDIO_FROM_LOG,
        STDIO_FROM_INPUT,  // a copy of descriptor 0
        STDIO_FROM_OUTPUT, // a copy of descriptor 1
        STDIO_FROM_FILE,
        STDIO_FROM_TTY,
        STDIO_FROM_DATA,
        STDIO_FROM_NAMED,
};

struct plan_stdio {
        enum stdio_source source;
        int flags;                     // of open(2)
        const char *name;              // path, or name of the descriptor; from the plan
        bool is_forced, is_tried_once; // tty
};

struct plan_directory {
        enum spawn_directory kind;
        char *path; // absolute
        char **symlinks;
        mode_t mode;
};

struct spawn_plan {
        unsigned refs;
        struct unit_conf *conf;
        const struct spawn_settings *settings;
        uint64_t environment; // the generation that it was made from
        char *unit_name;
        bool is_template; // its instances share it
        bool is_always_stale;
        bool has_stdio_socket, has_stdio_log;
        bool has_command_marks; // a command contains a mark

        struct plan_env env;
        struct plan_command *commands; // made when first used
        struct plan_file *files;
        size_t n_files;

        // identity; broken_*: the step that fails in every child of this plan
        bool sets_uid, sets_gid, sets_groups;
        uid_t uid;
        gid_t gid;
        gid_t *groups;
        size_t n_groups;
        char *user_name, *home, *shell;
        int broken_status, broken_error;
        const char *broken_name; // the user or group, from conf or texts

        struct rlimit_value limits[RLIMITS_MAX];
        char *working_directory;
        bool working_directory_optional;
        struct plan_stdio stdio[2][3]; // [is a socket passed for it][0..2]
        struct plan_directory *directories;
        size_t n_directories;
        char **texts; // strings of the conf with their marks filled

        struct filter_set *filters; // reference; NULL: none

        const struct step *steps[STEPS_MAX];
        size_t n_steps;
        unsigned needs; // step_flags of all steps combined
};

// ---- one start ---------------------------------------------------------------------------------

#define LAUNCH_PID_SLOTS 3
#define PID_DIGITS 10

struct launch {
        const struct spawn_plan *plan;
        const struct plan_command *command;
        const char *executable;
        char **argv, **envp;
        // offsets in envp where the child writes its pid (PID_DIGITS bytes and a NUL)
        char *pid_slots[LAUNCH_PID_SLOTS];
        size_t n_pid_slots;
        int *fds; // passed from 3 on
        size_t n_fds, n_sockets;
        bool nonblocking;
        bool has_socket;
        int stdio_fds[3];     // for FROM_SOCKET, FROM_LOG, FROM_NAMED; -1
        int exec_fd;          // also receives the report; -1
        unsigned skip;        // step_flags of steps to skip
        int window;           // > 0: unshares the descriptor table and keeps those below
        uint32_t has_own_fds; // futex, set by the child when it has done that
        bool is_awaited;      // the parent waits for that
        uint64_t ignored_signals;
        bool clears_signals; // the child was not cloned with default signal handlers
        bool has_close_range;
        uint8_t invocation_id[16];
        bool has_invocation_id;
        const char *detail;  // the subject of the failing step
        struct arena *arena; // memory for this start
};

// Code that may run while the supervisor continues in the same memory is not instrumented.
#define CHILD_CODE __attribute__((no_sanitize("address", "undefined"), no_stack_protector))

// Runs the steps and execs; never returns. arg: struct launch.
void child_run(void *arg);
// Maps and unmaps the memory for reports.
int child_report_init(void);
void child_report_done(void);

// The functions of the steps (steps.def). step_NAME() is run by the child: 0 or -errno; it may set
// l->detail before it fails. step_NAME_compile() is asked when the rest of the plan is ready, and
// may add the data that the step needs: 1 the plan needs the step, 0 it does not, -errno.
#define STEP_ALWAYS(name, op, exit_status, flags) int step_##name(struct launch *l);
#define STEP(name, op, exit_status, flags) \
        int step_##name(struct launch *l); \
        int step_##name##_compile(struct spawn_plan *plan);
#include "spawn/steps.def"
#undef STEP
#undef STEP_ALWAYS

// For steps: writes a number to a file of /proc/self. 0 or -errno.
int step_write_number(const char *path, int number);

// ---- compile (each fills its part of the plan) --------------------------------------------------

// A string of the conf, with marks filled if the plan belongs to one unit (kept in plan->texts). 0,
// -ENOMEM.
int plan_text(struct spawn_plan *plan, const char *text, const char **ret);
// Records a file that no unit names, so that spawn_plan_is_stale() notices a change. 0, -ENOMEM,
// -E2BIG.
int plan_watch_system(struct spawn_plan *plan, const char *path);
// plan_identity.c. 0, SPAWN_PLAN_NEEDS_LOOKUP and *ret_lookup, -errno.
int plan_compile_identity(struct spawn_plan *plan, struct ids_lookup *lookup,
                          struct ids_lookup **ret_lookup);
// steps.c: called after everything below. 0 or -errno.
int plan_compile_steps(struct spawn_plan *plan);

// plan_files.c: the questions for file systems, and the answer, in this order: each
// EnvironmentFile=, then the programs. 0, 1 (the answer has to be waited for), -errno.
struct plan_question;
int plan_ask_files(struct spawn_plan *plan, struct plan_question **ret,
                   struct inquiry **ret_inquiry);
void plan_question_free(struct plan_question *q); // NULL is fine
DEFINE_CLEANUP(plan_question, struct plan_question *, plan_question_free)
int plan_take_environment(struct spawn_plan *plan, const struct plan_question *q, size_t i,
                          struct inquiry *answer, char ***env, struct fail *why);
int plan_take_programs(struct spawn_plan *plan, const struct plan_question *q,
                       struct inquiry *answer);

int plan_compile_environment(struct spawn_plan *plan, const struct plan_question *q,
                             struct inquiry *answer, struct fail *why);
int plan_compile_stdio(struct spawn_plan *plan);
// A plan of which nothing is compiled yet. 0 or -ENOMEM.
int plan_new(const struct spawn_settings *settings, struct unit_conf *conf, const char *unit_name,
             struct spawn_plan **ret);
int plan_compile_directories(struct spawn_plan *plan);
void plan_env_done(struct plan_env *env);
void plan_directories_done(struct spawn_plan *plan);
// Adds a command whose program is this one (the bare name if it was not found). 0 or -errno.
int plan_add_command(struct spawn_plan *plan, const struct exec_command *source,
                     const char *executable, bool is_missing);
// The compiled form of a command, made now if needed. 0 or -errno.
int plan_get_command(struct spawn_plan *plan, const struct exec_command *source,
                     const struct plan_command **ret);
void plan_commands_done(struct spawn_plan *plan);

// ---- fill (at each start) -----------------------------------------------------------------------

struct arena; // memory for one start: spawn/slot.c

// Makes envp from the plan's environment and the start's variables. 0 or -errno.
int launch_fill_environment(struct launch *l, const struct spawn_params *params);
// Makes argv and the path of the executable. 0 or -errno.
int launch_fill_command(struct launch *l, const struct spawn_params *params);
