#include "spawn/exit_status.h"

#include "base/parse.h"
#include "base/str.h"

#include <sys/wait.h>

static const struct {
        int status;
        const char *name;
} names[] = {
        {0, "SUCCESS"},
        {1, "FAILURE"},
        // LSB init scripts
        {2, "INVALIDARGUMENT"},
        {3, "NOTIMPLEMENTED"},
        {4, "NOPERMISSION"},
        {5, "NOTINSTALLED"},
        {6, "NOTCONFIGURED"},
        {7, "NOTRUNNING"},
        // BSD sysexits
        {64, "USAGE"},
        {65, "DATAERR"},
        {66, "NOINPUT"},
        {67, "NOUSER"},
        {68, "NOHOST"},
        {69, "UNAVAILABLE"},
        {70, "SOFTWARE"},
        {71, "OSERR"},
        {72, "OSFILE"},
        {73, "CANTCREAT"},
        {74, "IOERR"},
        {75, "TEMPFAIL"},
        {76, "PROTOCOL"},
        {77, "NOPERM"},
        {78, "CONFIG"},
        // steps of a start
        {EXIT_CHDIR, "CHDIR"},
        {EXIT_NICE, "NICE"},
        {EXIT_FDS, "FDS"},
        {EXIT_EXEC, "EXEC"},
        {EXIT_MEMORY, "MEMORY"},
        {EXIT_LIMITS, "LIMITS"},
        {EXIT_OOM_ADJUST, "OOM_ADJUST"},
        {EXIT_SIGNAL_MASK, "SIGNAL_MASK"},
        {EXIT_STDIN, "STDIN"},
        {EXIT_STDOUT, "STDOUT"},
        {EXIT_CHROOT, "CHROOT"},
        {EXIT_IOPRIO, "IOPRIO"},
        {EXIT_TIMERSLACK, "TIMERSLACK"},
        {EXIT_SECUREBITS, "SECUREBITS"},
        {EXIT_SETSCHEDULER, "SETSCHEDULER"},
        {EXIT_CPUAFFINITY, "CPUAFFINITY"},
        {EXIT_GROUP, "GROUP"},
        {EXIT_USER, "USER"},
        {EXIT_CAPABILITIES, "CAPABILITIES"},
        {EXIT_CGROUP, "CGROUP"},
        {EXIT_SETSID, "SETSID"},
        {EXIT_CONFIRM, "CONFIRM"},
        {EXIT_STDERR, "STDERR"},
        {EXIT_PAM, "PAM"},
        {EXIT_NETWORK, "NETWORK"},
        {EXIT_NAMESPACE, "NAMESPACE"},
        {EXIT_NO_NEW_PRIVILEGES, "NO_NEW_PRIVILEGES"},
        {EXIT_SECCOMP, "SECCOMP"},
        {EXIT_SELINUX_CONTEXT, "SELINUX_CONTEXT"},
        {EXIT_PERSONALITY, "PERSONALITY"},
        {EXIT_APPARMOR, "APPARMOR"},
        {EXIT_ADDRESS_FAMILIES, "ADDRESS_FAMILIES"},
        {EXIT_RUNTIME_DIRECTORY, "RUNTIME_DIRECTORY"},
        {EXIT_CHOWN, "CHOWN"},
        {EXIT_SMACK, "SMACK"},
        {EXIT_KEYRING, "KEYRING"},
        {EXIT_STATE_DIRECTORY, "STATE_DIRECTORY"},
        {EXIT_CACHE_DIRECTORY, "CACHE_DIRECTORY"},
        {EXIT_LOGS_DIRECTORY, "LOGS_DIRECTORY"},
        {EXIT_CONFIGURATION_DIRECTORY, "CONFIGURATION_DIRECTORY"},
        {EXIT_NUMA_POLICY, "NUMA_POLICY"},
        {EXIT_CREDENTIALS, "CREDENTIALS"},
        {EXIT_BPF, "BPF"},
        {EXIT_KSM, "KSM"},
        {EXIT_EXCEPTION, "EXCEPTION"},
};

const char *spawn_exit_status_name(int status)
{
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i].status == status)
                        return names[i].name;
        return NULL;
}

int spawn_exit_status_parse(const char *text)
{
        uint32_t n;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i].name, text))
                        return names[i].status;
        if (parse_u32(text, &n) < 0 || n > 255)
                return -EINVAL;
        return (int)n;
}

const char *exit_code_name(int code)
{
        return code == CLD_KILLED   ? "killed"
               : code == CLD_DUMPED ? "dumped"
               : code == 0          ? "unknown"
                                    : "exited";
}

const char *exit_status_text(int code, int status, char *buf, size_t size)
{
        const char *name = code == CLD_EXITED ? spawn_exit_status_name(status)
                           : code == 0        ? NULL
                                              : signal_format(status, buf, size);

        return name ? name : "n/a";
}
