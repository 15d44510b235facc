#include "conf/enums.h"

#include "base/parse.h"
#include "base/str.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sched.h>
#include <sys/personality.h>

int choices_find(const struct choices *c, const char *name)
{
        uint32_t number;
        bool is_on;

        for (size_t i = 0; i < c->n; i++)
                if (streq(c->items[i].name, name))
                        return c->items[i].value;
        if (c->n_numbers > 0 && parse_u32(name, &number) == 0 && number < (uint32_t)c->n_numbers)
                return (int)number;
        if (!c->has_bool || parse_bool(name, &is_on) < 0 || streq(name, is_on ? "yes" : "no"))
                return -EINVAL;
        return choices_find(c, is_on ? "yes" : "no");
}

const char *choices_name(const struct choices *c, int value)
{
        for (size_t i = 0; i < c->n; i++)
                if (c->items[i].value == value)
                        return c->items[i].name;
        return "";
}

#define CHOICES(id, with_bool, ...) CHOICES_AND_NUMBERS(id, with_bool, 0, __VA_ARGS__)
#define CHOICES_AND_NUMBERS(id, with_bool, n_numbers_, ...)      \
        static const struct choice id##_items[] = {__VA_ARGS__}; \
        const struct choices choices_##id = {                    \
                .items = id##_items,                             \
                .n = ARRAY_SIZE(id##_items),                     \
                .has_bool = with_bool,                           \
                .n_numbers = n_numbers_,                         \
        }

CHOICES(service_type, false, {"simple", SERVICE_SIMPLE}, {"exec", SERVICE_EXEC},
        {"forking", SERVICE_FORKING}, {"oneshot", SERVICE_ONESHOT}, {"dbus", SERVICE_DBUS},
        {"notify", SERVICE_NOTIFY}, {"notify-reload", SERVICE_NOTIFY_RELOAD},
        {"idle", SERVICE_IDLE});
CHOICES(exit_type, false, {"main", EXIT_TYPE_MAIN}, {"cgroup", EXIT_TYPE_CGROUP});
CHOICES(restart, false, {"no", RESTART_NO}, {"on-success", RESTART_ON_SUCCESS},
        {"on-failure", RESTART_ON_FAILURE}, {"on-abnormal", RESTART_ON_ABNORMAL},
        {"on-watchdog", RESTART_ON_WATCHDOG}, {"on-abort", RESTART_ON_ABORT},
        {"always", RESTART_ALWAYS});
CHOICES(restart_mode, false, {"normal", RESTART_MODE_NORMAL}, {"direct", RESTART_MODE_DIRECT},
        {"debug", RESTART_MODE_DEBUG});
CHOICES(notify_access, false, {"none", NOTIFY_NONE}, {"main", NOTIFY_MAIN}, {"exec", NOTIFY_EXEC},
        {"all", NOTIFY_ALL});
CHOICES(oom_policy, false, {"continue", OOM_CONTINUE}, {"stop", OOM_STOP}, {"kill", OOM_KILL});
CHOICES(timeout_mode, false, {"terminate", TIMEOUT_TERMINATE}, {"abort", TIMEOUT_ABORT},
        {"kill", TIMEOUT_KILL});
CHOICES(kill_mode, false, {"control-group", KILL_CONTROL_GROUP}, {"mixed", KILL_MIXED},
        {"process", KILL_PROCESS}, {"none", KILL_NONE});
CHOICES(preserve, true, {"no", PRESERVE_NO}, {"yes", PRESERVE_YES}, {"restart", PRESERVE_RESTART});
CHOICES(collect_mode, false, {"inactive", COLLECT_INACTIVE},
        {"inactive-or-failed", COLLECT_INACTIVE_OR_FAILED});
CHOICES(bind_ipv6_only, true, {"default", BIND_IPV6_DEFAULT}, {"both", BIND_IPV6_BOTH},
        {"ipv6-only", BIND_IPV6_IPV6_ONLY}, {"no", BIND_IPV6_BOTH}, {"yes", BIND_IPV6_IPV6_ONLY});
CHOICES(timestamping, true, {"off", TIMESTAMPING_OFF}, {"us", TIMESTAMPING_US},
        {"ns", TIMESTAMPING_NS}, {"usec", TIMESTAMPING_US}, {"µs", TIMESTAMPING_US},
        {"nsec", TIMESTAMPING_NS}, {"no", TIMESTAMPING_OFF}, {"yes", TIMESTAMPING_NS});
CHOICES(defer_trigger, true, {"no", DEFER_NO}, {"yes", DEFER_YES}, {"patient", DEFER_PATIENT});
CHOICES(trigger_limit_action, false, {"pause", TRIGGER_LIMIT_PAUSE}, {"fail", TRIGGER_LIMIT_FAIL});
CHOICES(max_connections_action, false, {"refuse", MAX_CONNECTIONS_REFUSE},
        {"queue", MAX_CONNECTIONS_QUEUE});
CHOICES(unsupported, false, {"auto", UNSUPPORTED_AUTO}, {"notice", UNSUPPORTED_NOTICE},
        {"refuse", UNSUPPORTED_REFUSE});
CHOICES(connection_log, false, {"none", CONNECTION_LOG_NONE}, {"failures", CONNECTION_LOG_FAILURES},
        {"full", CONNECTION_LOG_FULL});
CHOICES(log_peer, false, {"full", LOG_PEER_FULL}, {"masked", LOG_PEER_MASKED},
        {"none", LOG_PEER_NONE});
CHOICES(emergency_action, false, {"none", EMERGENCY_NONE}, {"reboot", EMERGENCY_REBOOT},
        {"reboot-force", EMERGENCY_REBOOT_FORCE}, {"reboot-immediate", EMERGENCY_REBOOT_IMMEDIATE},
        {"poweroff", EMERGENCY_POWEROFF}, {"poweroff-force", EMERGENCY_POWEROFF_FORCE},
        {"poweroff-immediate", EMERGENCY_POWEROFF_IMMEDIATE}, {"exit", EMERGENCY_EXIT},
        {"exit-force", EMERGENCY_EXIT_FORCE}, {"soft-reboot", EMERGENCY_SOFT_REBOOT},
        {"soft-reboot-force", EMERGENCY_SOFT_REBOOT_FORCE}, {"kexec", EMERGENCY_KEXEC},
        {"kexec-force", EMERGENCY_KEXEC_FORCE}, {"halt", EMERGENCY_HALT},
        {"halt-force", EMERGENCY_HALT_FORCE}, {"halt-immediate", EMERGENCY_HALT_IMMEDIATE});
CHOICES(io_class, false, {"", CHOICE_UNSET}, {"none", IO_CLASS_NONE},
        {"realtime", IO_CLASS_REALTIME}, {"best-effort", IO_CLASS_BEST_EFFORT},
        {"idle", IO_CLASS_IDLE}, {"0", IO_CLASS_NONE}, {"1", IO_CLASS_REALTIME},
        {"2", IO_CLASS_BEST_EFFORT}, {"3", IO_CLASS_IDLE});
CHOICES(cpu_policy, false, {"", CHOICE_UNSET}, {"other", SCHED_OTHER}, {"batch", SCHED_BATCH},
        {"idle", SCHED_IDLE}, {"fifo", SCHED_FIFO}, {"rr", SCHED_RR});
CHOICES(keyring_mode, false, {"", CHOICE_UNSET}, {"inherit", KEYRING_INHERIT},
        {"private", KEYRING_PRIVATE}, {"shared", KEYRING_SHARED});
// A machine of 64 bits runs programs of 32 bits, too.
#if defined(__x86_64__)
#define PERSONALITIES              \
        {"x86-64", PER_LINUX},     \
        {                          \
                "x86", PER_LINUX32 \
        }
#elif defined(__aarch64__)
#define PERSONALITIES              \
        {"arm64", PER_LINUX},      \
        {                          \
                "arm", PER_LINUX32 \
        }
#elif defined(__s390x__)
#define PERSONALITIES               \
        {"s390x", PER_LINUX},       \
        {                           \
                "s390", PER_LINUX32 \
        }
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define PERSONALITIES                 \
        {"ppc64-le", PER_LINUX},      \
        {                             \
                "ppc-le", PER_LINUX32 \
        }
#elif defined(__powerpc64__)
#define PERSONALITIES              \
        {"ppc64", PER_LINUX},      \
        {                          \
                "ppc", PER_LINUX32 \
        }
#elif defined(__i386__)
#define PERSONALITIES            \
        {                        \
                "x86", PER_LINUX \
        }
#else
#define PERSONALITIES               \
        {                           \
                "native", PER_LINUX \
        }
#endif
CHOICES(personality, false, {"", CHOICE_UNSET}, PERSONALITIES);
CHOICES(job_mode, false, {"fail", 0}, {"replace", 1}, {"replace-irreversibly", 2}, {"isolate", 3},
        {"flush", 4}, {"ignore-dependencies", 5}, {"ignore-requirements", 6}, {"triggering", 7},
        {"restart-dependencies", 8}, {"lenient", 9});
CHOICES(on_failure_isolate, true, {"no", 1}, {"yes", 3}); // job modes replace and isolate
CHOICES(socket_protocol, false, {"", 0}, {"udplite", IPPROTO_UDPLITE}, {"sctp", IPPROTO_SCTP},
        {"mptcp", PROTOCOL_MPTCP}, {"UDPLITE", IPPROTO_UDPLITE}, {"SCTP", IPPROTO_SCTP});
CHOICES(ip_tos, false, {"low-delay", IPTOS_LOWDELAY}, {"throughput", IPTOS_THROUGHPUT},
        {"reliability", IPTOS_RELIABILITY}, {"low-cost", IPTOS_MINCOST});
#define SYSLOG_FACILITIES 128 // as many as a priority has bits for
#define SYSLOG_LEVELS                                                                        \
        {"emerg", 0}, {"alert", 1}, {"crit", 2}, {"err", 3}, {"warning", 4}, {"notice", 5},  \
                {"info", 6}, {"debug", 7}, {"0", 0}, {"1", 1}, {"2", 2}, {"3", 3}, {"4", 4}, \
                {"5", 5}, {"6", 6},                                                          \
        {                                                                                    \
                "7", 7                                                                       \
        }
CHOICES(syslog_level, false, SYSLOG_LEVELS);
CHOICES(log_level_max, false, {"", CHOICE_UNSET}, SYSLOG_LEVELS);
CHOICES_AND_NUMBERS(syslog_facility, false, SYSLOG_FACILITIES, {"kern", 0}, {"user", 1},
                    {"mail", 2}, {"daemon", 3}, {"auth", 4}, {"syslog", 5}, {"lpr", 6}, {"news", 7},
                    {"uucp", 8}, {"cron", 9}, {"authpriv", 10}, {"ftp", 11}, {"local0", 16},
                    {"local1", 17}, {"local2", 18}, {"local3", 19}, {"local4", 20}, {"local5", 21},
                    {"local6", 22}, {"local7", 23});
CHOICES(exit_status, false, {"SUCCESS", 0}, {"FAILURE", 1}, {"INVALIDARGUMENT", 2},
        {"NOTIMPLEMENTED", 3}, {"NOPERMISSION", 4}, {"NOTINSTALLED", 5}, {"NOTCONFIGURED", 6},
        {"NOTRUNNING", 7}, {"USAGE", 64}, {"DATAERR", 65}, {"NOINPUT", 66}, {"NOUSER", 67},
        {"NOHOST", 68}, {"UNAVAILABLE", 69}, {"SOFTWARE", 70}, {"OSERR", 71}, {"OSFILE", 72},
        {"CANTCREAT", 73}, {"IOERR", 74}, {"TEMPFAIL", 75}, {"PROTOCOL", 76}, {"NOPERM", 77},
        {"CONFIG", 78}, {"CHDIR", 200}, {"NICE", 201}, {"FDS", 202}, {"EXEC", 203}, {"MEMORY", 204},
        {"LIMITS", 205}, {"OOM_ADJUST", 206}, {"SIGNAL_MASK", 207}, {"STDIN", 208}, {"STDOUT", 209},
        {"CHROOT", 210}, {"IOPRIO", 211}, {"TIMERSLACK", 212}, {"SECUREBITS", 213},
        {"SETSCHEDULER", 214}, {"CPUAFFINITY", 215}, {"GROUP", 216}, {"USER", 217},
        {"CAPABILITIES", 218}, {"CGROUP", 219}, {"SETSID", 220}, {"CONFIRM", 221}, {"STDERR", 222},
        {"PAM", 224}, {"NETWORK", 225}, {"NAMESPACE", 226}, {"NO_NEW_PRIVILEGES", 227},
        {"SECCOMP", 228}, {"SELINUX_CONTEXT", 229}, {"PERSONALITY", 230}, {"APPARMOR", 231},
        {"ADDRESS_FAMILIES", 232}, {"RUNTIME_DIRECTORY", 233}, {"CHOWN", 235},
        {"SMACK_PROCESS_LABEL", 236}, {"KEYRING", 237}, {"STATE_DIRECTORY", 238},
        {"CACHE_DIRECTORY", 239}, {"LOGS_DIRECTORY", 240}, {"CONFIGURATION_DIRECTORY", 241},
        {"NUMA_POLICY", 242}, {"CREDENTIALS", 243}, {"BPF", 244}, {"KSM", 245}, {"EXCEPTION", 255});

const struct integer_range range_any = {.min = INT32_MIN, .max = INT32_MAX};
const struct integer_range range_nice = {.min = -20, .max = 19, .can_unset = true, .unset = 0};
const struct integer_range range_oom_score = {
        .min = -1000, .max = 1000, .can_unset = true, .unset = OOM_SCORE_UNSET};
const struct integer_range range_io_priority = {.min = 0, .max = 7, .can_unset = true, .unset = 4};
const struct integer_range range_cpu_priority = {.min = 0, .max = 99, .can_unset = true};
const struct integer_range range_exit_status = {
        .min = 0, .max = 255, .can_unset = true, .unset = EXIT_STATUS_UNSET};
