// The supervisor's own settings: the top level of usher.conf. They have the names of systemd's
// system.conf where it has the same setting (systemd-system.conf(5)). Options of the command line
// have precedence, which the daemon applies.
#pragma once

#include "conf/diag.h"

enum settings_log_format {
        SETTINGS_LOG_TEXT,
        SETTINGS_LOG_JSON,
        _SETTINGS_LOG_FORMAT_MAX,
};

struct settings {
        char **unit_path;    // UnitPath=: replaces the default folders; NULL: not set
        bool systemd_units;  // SystemdUnits=: systemd's unit folders follow usher's own
        bool compat_systemd; // Compat=systemd: the differences (conf/difference.h) are off
        int log_level;       // LogLevel=: LOG_ERR ..., -1: not set
        int log_target;      // LogTarget=: enum log_target, -1: not set
        int log_format;      // LogFormat=: enum settings_log_format, -1: not set

        int log_time;             // LogTime=: 1, 0, -1: auto
        uint64_t log_buffer_size; // LogBufferSize=: bytes of log lines kept in memory

        // Defaults of unit directives that a unit does not set.
        usec_t default_timeout_start, default_timeout_stop; // USEC_INFINITY: none
        usec_t default_timeout_abort;                       // 0: as the stop timeout
        usec_t default_restart;                             // RestartSec=
        usec_t default_start_limit_interval;
        unsigned default_start_limit_burst;

        int connection_log; // ConnectionLog=: enum connection_log, X-ConnectionLog= of sockets
        int log_peer;       // LogPeer=: enum log_peer, X-LogPeer= of sockets

        char **default_environment; // DefaultEnvironment=: assignments for every service
        char **manager_environment; // ManagerEnvironment=: joins the supervisor's own
        int pass_environment; // PassManagerEnvironment=: 1, 0, -1: only as PID 1 of a container
        int unsupported;      // Unsupported=: enum unsupported (conf/types.h)
        int refuse_writable;  // RefuseWritableUnits=: 1, 0, -1: the system supervisor does

        // Control socket: what users other than root and usher's own may do. Names of users, and of
        // groups with @ in front; "all" stands for everybody, "none" alone for nobody.
        char **allow_read;    // AllowRead=; NULL: "all"
        char **allow_logs;    // AllowLogs=; NULL: "@systemd-journal"
        char **allow_control; // AllowControl=; NULL: nobody
};

// Defaults; allocates nothing.
void settings_init(struct settings *s);
void settings_done(struct settings *s);
static inline void cleanup_settings(struct settings *s)
{
        settings_done(s);
}

enum settings_verdict {
        SETTINGS_OK,
        SETTINGS_UNKNOWN, // no such setting; not complained about
        SETTINGS_BAD,     // complained about
};

// Assign one setting. Lists append; "" resets. SETTINGS_*, or -ENOMEM.
int settings_set(struct settings *s, const char *name, const char *value, const char *file,
                 unsigned line, struct diag *diag);

// For the manual and completions: the name of each setting, an example, one line of prose.
struct settings_row {
        const char *name, *example, *fallback, *doc;
};
// NULL at the end; *position from 0.
const struct settings_row *settings_next(size_t *position);
// The known name nearest to a misspelt one, or NULL.
const char *settings_nearest(const char *name);
