// The spawn plan: a service's (or socket's) process settings, compiled once and replayed at each
// start. It owns what a start needs: executables found, arguments, the environment laid out, user
// and group ids, limits, folders, standard streams. It does not decide when to start, knows no
// state of a unit, and makes no process itself (spawn/spawn.h replays it).
//
// Called by core, at a unit's first start and again when spawn_plan_is_stale() says so. A plan is
// reference counted: the instances of a template share one, and a start whose child has not reached
// its exec holds a reference.
#pragma once

#include "base/fail.h"
#include "conf/types.h"
#include "spawn/ids.h"

struct unit_conf;
struct spawn_plan;

enum spawn_directory {
        SPAWN_DIRECTORY_RUNTIME,
        SPAWN_DIRECTORY_STATE,
        SPAWN_DIRECTORY_CACHE,
        SPAWN_DIRECTORY_LOGS,
        SPAWN_DIRECTORY_CONFIGURATION,
        _SPAWN_DIRECTORY_MAX,
};

// What services inherit. It may change at any time between two calls; a plan has copies.
struct spawn_environment {
        char **block;        // every service's environment begins with it
        char **own;          // the supervisor's: PassEnvironment= picks from it
        uint64_t generation; // differs after each change: a plan of another one is stale
};

// The settings common to all plans of a supervisor. Borrowed: they outlive every plan.
struct spawn_settings {
        bool is_user;
        const struct spawn_environment *environment;
        // The base folders of RuntimeDirectory= and its like; NULL: /run, /var/lib, /var/cache,
        // /var/log, /etc, and for a user's supervisor the XDG folders from environment->own.
        const char *directory_roots[_SPAWN_DIRECTORY_MAX];
        // Limits where the unit sets none (RLIMIT_NOFILE as it was before the supervisor raised its
        // own), indexed by RLIMIT_*; is_set false: inherited.
        struct rlimit_value limits[RLIM_NLIMITS];
};

// The environment that services start from: systemd's PATH, and LANG, LC_* of env. For a user's
// supervisor and in a container: all of env except what is meant for the supervisor itself
// (LISTEN_*, NOTIFY_SOCKET, WATCHDOG_*, INVOCATION_ID, ...), with PATH added if it is missing. 0 or
// -ENOMEM.
int spawn_environment_base(bool passes_all, char *const *env, char ***ret);
// Is the variable one that the supervisor or a service manager sets for one process, and that no
// other may inherit? Text up to "=" or the end counts.
bool spawn_environment_is_for_one(const char *assignment);

enum spawn_plan_outcome {
        SPAWN_PLAN_READY = 0,
        // User= or Group= is not in the local files, and name services have to be asked; or a file
        // system that may not answer has to be asked for an EnvironmentFile= or a program. Wait for
        // spawn_lookup_inquiry(), then call again with the same look-up.
        SPAWN_PLAN_NEEDS_LOOKUP = 1,
};

// The questions asked for a plan, and their answers.
struct spawn_lookup;

// The inquiry to launch and wait for (base/inquiry.h). Owned by the look-up.
struct inquiry *spawn_lookup_inquiry(struct spawn_lookup *lookup);
void spawn_lookup_free(struct spawn_lookup *lookup); // NULL is fine
DEFINE_CLEANUP(spawn_lookup, struct spawn_lookup *, spawn_lookup_free)

// Compiles conf for unit_name: that of a plain unit, an instance (then every mark is filled now),
// or a template whose instances share the plan (then conf->needs_own_plan must be false; the marks
// in arguments and environment are filled at each start). *lookup: NULL at first; the caller's, who
// frees it after the last call. Takes a reference to conf. READY and *ret; NEEDS_LOOKUP and
// *lookup; -ENOENT and the like: an EnvironmentFile= cannot be read (why says which); -ENOMEM. An
// unknown user or group, and a missing executable, are no error here: the process started by such a
// plan ends with 217/USER, 216/GROUP, 203/EXEC, as systemd's does.
int spawn_plan_new(const struct spawn_settings *settings, struct unit_conf *conf,
                   const char *unit_name, struct spawn_lookup **lookup, struct spawn_plan **ret,
                   struct fail *why);
struct spawn_plan *spawn_plan_ref(struct spawn_plan *plan);
void spawn_plan_unref(struct spawn_plan *plan); // NULL is fine
DEFINE_CLEANUP(spawn_plan, struct spawn_plan *, spawn_plan_unref)

// Has the environment of the settings changed, or a file that the plan was made from
// (EnvironmentFile=, passwd, group, nsswitch.conf, a searched executable), did a look-up fail when
// it was made, or would checking have to wait for a file system? Then a new plan is needed. Checks
// each such file, and none for a plan without any.
bool spawn_plan_is_stale(const struct spawn_plan *plan);
// Only the first of these questions.
bool spawn_plan_has_environment(const struct spawn_plan *plan);
// Does a start need params.unit_name (for marks, or as log identifier)? Otherwise it may be NULL.
bool spawn_plan_needs_name(const struct spawn_plan *plan);
// What stdin, stdout and stderr need from core: the socket of the connection (or the only
// listener), to be passed as spawn_params.socket_fd; and log_fd.
bool spawn_plan_wants_socket(const struct spawn_plan *plan);
bool spawn_plan_wants_log(const struct spawn_plan *plan);

// The user and group that the processes get, for objects that core creates for them; (uid_t)-1 and
// (gid_t)-1: unchanged.
uid_t spawn_plan_uid(const struct spawn_plan *plan);
gid_t spawn_plan_gid(const struct spawn_plan *plan);

// The kinds (1 << enum spawn_directory) of which the unit has folders.
unsigned spawn_directories_kinds(const struct unit_conf *conf);
// Removes the unit's folders of these kinds (and their symlinks) with all that is in them; no link
// is followed. It may take long. Continues after a failure; the first one is returned (0 or
// -errno).
int spawn_directories_remove(const struct spawn_settings *settings, struct unit_conf *conf,
                             const char *unit_name, unsigned kinds, struct fail *why);
// The path of the n-th RuntimeDirectory=, from 0; NULL: there are not so many. The plan's own.
const char *spawn_plan_runtime_folder(const struct spawn_plan *plan, size_t n);
// Removes the RuntimeDirectory= folders (and their symlinks) but those in the list `kept`. core
// decides whether (RuntimeDirectoryPreserve=). Continues after a failure; the first one is returned
// (0 or -errno).
int spawn_plan_remove_runtime(const struct spawn_plan *plan, char *const *kept, struct fail *why);
