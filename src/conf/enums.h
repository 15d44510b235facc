// Values that are one word from a list, as enums with tables of the words; and the ranges of
// plain numbers. Directive rows name these tables in their `arg`.
#pragma once

#include "base/def.h"

struct choice {
        const char *name;
        int value;
};

// Words of a directive. A value is printed as its first word; the others are accepted, too.
struct choices {
        const struct choice *items;
        size_t n;
        bool has_bool; // all boolean words are accepted, and treated as the table's yes or no
        int n_numbers; // numbers below this one are accepted, too, as their own value
};

// Value of a word, or -EINVAL. (Only CHOICE_UNSET, the value of "", is negative.)
int choices_find(const struct choices *c, const char *name);
const char *choices_name(const struct choices *c, int value); // "" when there is none

// The unit does not set a choice that has no default.
#define CHOICE_UNSET (-1)

enum service_type {
        SERVICE_SIMPLE,
        SERVICE_EXEC,
        SERVICE_FORKING,
        SERVICE_ONESHOT,
        SERVICE_DBUS,
        SERVICE_NOTIFY,
        SERVICE_NOTIFY_RELOAD,
        SERVICE_IDLE,
};

enum exit_type { EXIT_TYPE_MAIN, EXIT_TYPE_CGROUP };

enum service_restart {
        RESTART_NO,
        RESTART_ON_SUCCESS,
        RESTART_ON_FAILURE,
        RESTART_ON_ABNORMAL,
        RESTART_ON_WATCHDOG,
        RESTART_ON_ABORT,
        RESTART_ALWAYS,
};

enum restart_mode { RESTART_MODE_NORMAL, RESTART_MODE_DIRECT, RESTART_MODE_DEBUG };
enum notify_access { NOTIFY_NONE, NOTIFY_ALL, NOTIFY_EXEC, NOTIFY_MAIN };
enum oom_policy { OOM_CONTINUE, OOM_STOP, OOM_KILL };
enum timeout_failure_mode { TIMEOUT_TERMINATE, TIMEOUT_ABORT, TIMEOUT_KILL };
enum kill_mode { KILL_CONTROL_GROUP, KILL_PROCESS, KILL_MIXED, KILL_NONE };
enum preserve_mode { PRESERVE_NO, PRESERVE_YES, PRESERVE_RESTART };
enum collect_mode { COLLECT_INACTIVE, COLLECT_INACTIVE_OR_FAILED };
enum bind_ipv6_only { BIND_IPV6_DEFAULT, BIND_IPV6_BOTH, BIND_IPV6_IPV6_ONLY };
#define PROTOCOL_MPTCP 262 // IPPROTO_MPTCP, which older C libraries lack
enum socket_timestamping { TIMESTAMPING_OFF, TIMESTAMPING_US, TIMESTAMPING_NS };
enum defer_trigger { DEFER_NO, DEFER_YES, DEFER_PATIENT };
enum trigger_limit_action { TRIGGER_LIMIT_PAUSE, TRIGGER_LIMIT_FAIL };
enum keyring_mode { KEYRING_INHERIT, KEYRING_PRIVATE, KEYRING_SHARED };
enum max_connections_action { MAX_CONNECTIONS_REFUSE, MAX_CONNECTIONS_QUEUE };
// Unsupported= of usher.conf: what becomes of a unit if directives that usher does not act on would
// limit its rights.
enum unsupported {
        UNSUPPORTED_AUTO,   // refused where a network socket would answer more peers than asked
        UNSUPPORTED_NOTICE, // a notice
        UNSUPPORTED_REFUSE, // refused
};

enum connection_log { CONNECTION_LOG_NONE, CONNECTION_LOG_FAILURES, CONNECTION_LOG_FULL };
enum log_peer { LOG_PEER_FULL, LOG_PEER_MASKED, LOG_PEER_NONE };

enum emergency_action {
        EMERGENCY_NONE,
        EMERGENCY_REBOOT,
        EMERGENCY_REBOOT_FORCE,
        EMERGENCY_REBOOT_IMMEDIATE,
        EMERGENCY_POWEROFF,
        EMERGENCY_POWEROFF_FORCE,
        EMERGENCY_POWEROFF_IMMEDIATE,
        EMERGENCY_EXIT,
        EMERGENCY_EXIT_FORCE,
        EMERGENCY_SOFT_REBOOT,
        EMERGENCY_SOFT_REBOOT_FORCE,
        EMERGENCY_KEXEC,
        EMERGENCY_KEXEC_FORCE,
        EMERGENCY_HALT,
        EMERGENCY_HALT_FORCE,
        EMERGENCY_HALT_IMMEDIATE,
};

// The kernel's numbers (ioprio_set(2)). CPUSchedulingPolicy= has SCHED_*, syslog facilities
// are numbers without the shift of LOG_DAEMON and the like, job modes are enum job_mode's
// (core/unit/job.h), SocketProtocol= has IPPROTO_*.
enum io_class { IO_CLASS_NONE, IO_CLASS_REALTIME, IO_CLASS_BEST_EFFORT, IO_CLASS_IDLE };

extern const struct choices choices_service_type, choices_exit_type, choices_restart,
        choices_restart_mode, choices_notify_access, choices_oom_policy, choices_timeout_mode,
        choices_kill_mode, choices_preserve, choices_collect_mode, choices_bind_ipv6_only,
        choices_timestamping, choices_defer_trigger, choices_trigger_limit_action,
        choices_max_connections_action, choices_connection_log, choices_log_peer,
        choices_unsupported, choices_emergency_action, choices_io_class, choices_cpu_policy,
        choices_job_mode, choices_on_failure_isolate, choices_socket_protocol, choices_ip_tos,
        choices_keyring_mode, choices_personality, choices_syslog_level, choices_log_level_max,
        choices_syslog_facility;
// Names of exit statuses from systemd.exec(5), "Process Exit Codes": the supervisor's own, those of
// LSB and those of BSD.
extern const struct choices choices_exit_status;

// Numbers that a directive of kind integer accepts. "" gives `unset`, if it is accepted.
struct integer_range {
        int min, max;
        bool can_unset;
        int unset;
};

#define OOM_SCORE_UNSET INT32_MIN
#define EXIT_STATUS_UNSET (-1)

extern const struct integer_range range_any, range_nice, range_oom_score, range_io_priority,
        range_cpu_priority, range_exit_status;

// `arg` of the Listen*= rows.
enum port_arg {
        PORT_ARG_STREAM,
        PORT_ARG_DATAGRAM,
        PORT_ARG_SEQPACKET,
        PORT_ARG_FIFO,
        PORT_ARG_SPECIAL,
        PORT_ARG_NETLINK,
        PORT_ARG_MQUEUE,
        PORT_ARG_NAME,
};

// `arg` of StandardInputText= and StandardInputData=.
enum data_arg { DATA_TEXT, DATA_BASE64 };
