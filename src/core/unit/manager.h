// The run-time context: event loop, registry of units, settings, jobs, observers. One per process.
#pragma once

#include "base/map.h"
#include "conf/difference.h"
#include "conf/load.h"
#include "conf/settings.h"
#include "core/loop/events.h"
#include "core/loop/trim.h"
#include "core/start/command.h"
#include "core/start/environment.h"
#include "core/unit/unit.h"

struct addresses;
struct bus_names;
struct cfgfile;
struct earlier;
struct diag_memory;
struct job;
struct job_queue;
struct errands;
struct kill_queue;
struct notify_socket;
struct orphans;
struct reaper;
struct removals;
struct run;
struct service_log;
struct sock;
struct spawner;

// Notified of all changes that clients can watch. Filled by bus; NULL members are skipped.
// Observers must not change core state from inside a call (queue work instead).
struct core_observer {
        void (*on_unit_new)(struct core_observer *o, struct unit *u);
        void (*on_unit_removed)(struct core_observer *o, struct unit *u);
        void (*on_unit_changed)(struct core_observer *o,
                                struct unit *u); // coalesced by WORK_NOTIFY
        void (*on_job_new)(struct core_observer *o, struct job *j);
        void (*on_job_removed)(struct core_observer *o, struct job *j, const char *result);
        // A connection without a unit is over; the run is freed after this call.
        void (*on_connection_end)(struct core_observer *o, const struct run *run);
        void (*on_reloading)(struct core_observer *o, bool active);
        void (*on_startup_finished)(struct core_observer *o);
        struct core_observer *next;
};

struct manager_options {
        struct settings *settings; // borrowed, outlives the manager
        char **unit_path;          // copied
        char **environment;        // the supervisor's own; copied
        const char *runtime_dir;   // usher's folder: /run/usher, ...
        struct cfgfile *cfgfile;   // unit blocks of usher.conf; may be NULL; owned by the manager
        // A reload reads usher.conf again and replaces blocks and settings. 0 or -errno (logged;
        // nothing was changed). NULL: there is no such file.
        int (*load_config)(void *data, struct diag *diag, struct cfgfile **ret);
        void *load_config_data;
        // RLIMIT_* for children whose unit sets none: the values before the supervisor raised its
        // own.
        struct rlimit_value limits[RLIM_NLIMITS];
        bool is_user, is_pid1, compat_systemd;
        bool is_path_given;       // the command line names the folders of unit_path
        const char *spawn_method; // "shared", "fork", NULL: probe
        int *listen_fds; // inherited descriptors that sockets may adopt; the manager takes them
                         // over
        size_t n_listen_fds;
};

// What the unit room needs from the rooms above it (core/open.c).
struct manager_ops {
        // Frees what manager_open() has made.
        void (*close)(struct manager *m);
        // The jobs of start-up are over.
        void (*on_started)(struct manager *m);
        // Stops (or kills) the services of connections: true while there are any.
        bool (*stop_connections)(struct manager *m, bool kill);
        // Walks the runs of connections: NULL starts and ends. No run may end during the walk.
        struct run *(*next_connection)(struct manager *m, struct run *after);
};

// The result of the last reload, for clients that request one.
struct reload_report {
        char **lines;      // complaints, and new units; the log has all of them
        bool is_truncated; // there were more lines
        bool is_worse;     // a unit, or usher.conf, is wrong now and was not before
};

#define MANAGER_RANDOM_IDS 16

struct manager {
        struct events *events;
        struct settings *settings;
        struct conf_loader *loader;
        struct manager_options options;               // deep copies
        const struct unit_ops *types[_UNIT_TYPE_MAX]; // filled by manager_open()
        struct map *units;                            // every name (aliases too) -> struct unit
        struct list_node by_type[_UNIT_TYPE_MAX];
        uid_t uid;             // the supervisor's effective one, which never changes
        struct unit **unbuilt; // loaded, but without edges yet
        size_t n_unbuilt, unbuilt_capacity;
        struct environment *environment; // what services inherit (core/start/environment.h)
        struct job_queue *jobs;
        struct reaper *reaper;
        struct orphans *orphans;   // what children leave behind (core/start/orphans.h)
        struct errands *errands;   // waits for inquiries (core/start/errand.h)
        struct removals *removals; // in progress (core/start/removal.h)
        struct map *folders;       // users of each RuntimeDirectory= (core/service/folders.h)
        struct kill_queue *kills;  // orders in progress
        struct notify_socket *notify;
        struct core_observer *observers;
        unsigned default_umask;
        sd_id128_t random_ids[MANAGER_RANDOM_IDS]; // generated together; the last n are unused
        unsigned n_random_ids;
        unsigned n_reloads; // reloads begun
        struct reload_report report;
        char **new_names;    // units whose files were found since the last reload
        usec_t index_looked; // when the folders of the index were last checked
        usec_t startup, startup_rt;
        bool is_reloading, is_stopping;
        bool is_hurrying; // a second manager_stop() was called: time-outs are cut short
        bool is_started;  // the first jobs are over
        // `service-watchdogs no`: neither WatchdogSec= nor an *Action= of what fails has an effect.
        bool ignores_watchdogs;
        usec_t stop_begin;
        struct timer auto_timer, stop_timer;
        struct list_node auto_held;   // units that wait for auto_timer (core/unit/propagate.c)
        struct work stop_work;        // does what stop_act() has decided
        struct list_node collectable; // units that may be unloaded (core/unit/collect.h)
        struct work collect_work;
        uint32_t last_walk; // number of the last search among units (core/unit/collect.c)
        struct trim trim;
        bool is_building; // edges of new units are being made (registry)
        int exit_code;
        struct service_log *service_log; // what services print (core/service/service_log.h)
        struct log_ring *log_ring;       // the last log lines
        struct diag_memory *complaints;  // about units, since the last reload
        struct addresses
                *addresses; // NULL: no socket waits for an address (core/socket/addresses.h)
        struct map *owners; // NULL: no socket asks for a user or group (core/socket/owners.h)
        struct bus_names *bus_names; // NULL: no service waits for a name (core/service/bus_names.h)
        struct spawner *spawner;     // shared by all starts (core/start/spawner.h)
        struct runner runner;        // shared by all commands (core/start/command.h)
        struct earlier *earlier;     // what an earlier supervisor has left; NULL: ignored
        int *adoptable;              // inherited listen fds not yet taken, -1 where taken
        size_t n_adoptable;
        const struct manager_ops *ops; // set by manager_open(); NULL: a test's own types
};

// Does usher differ from systemd here (conf/difference.h)?
static inline bool manager_differs(const struct manager *m, enum difference d)
{
        return difference_applies(d, m->options.compat_systemd);
}

// The loop, an index of the unit path, empty registry and job queue. 0 or -errno (then options
// still own what the manager would).
int manager_new(const struct manager_options *options, struct manager **ret);
// Creates what units need at run time: their types, notify socket, logs of services, spawner. 0 or
// -errno (logged). Not called by tests that have their own types.
int manager_open(struct manager *m);
void manager_free(struct manager *m);
DEFINE_CLEANUP(manager, struct manager *, manager_free)

// Lays the environment block out again, after settings have changed. 0 or -ENOMEM (it is as it
// was).
int manager_set_environment(struct manager *m);

void manager_add_observer(struct manager *m, struct core_observer *o);
void manager_remove_observer(struct manager *m, struct core_observer *o);

// A new random id (version 4 UUID). 0 or -errno.
int manager_random_id(struct manager *m, sd_id128_t *ret);

// Loads the units to start and queues their start: those with these names (NULL: none); else
// default.target if a file or link provides one, for PID 1 with the enabled sockets of usher's own
// folders; else every socket that is enabled or has no [Install] section (all where the command
// line gives the folders) and every wanted service. 0 or -errno; complaints are logged.
int manager_start(struct manager *m, char *const *names);
// Ordered stop of everything, then events_exit(code). A second call hurries (timeouts cut short).
// For callbacks of the loop; units ask for it by stop_act() (core/unit/stop.h).
void manager_stop(struct manager *m, int exit_code);
// Re-read all unit files: mark and sweep; unchanged listeners keep their fd, running instances
// their conf; a unit that would be worse keeps its own. 0, or -errno when nothing was changed
// because reading failed. m->report holds the complaints then.
int manager_reload(struct manager *m);
