// The exit statuses that a child gives itself when a step before its exec fails (systemd.exec(5),
// "Process Exit Codes"). Their names, and those of LSB and BSD, are choices of conf/enums.h.
#pragma once

#include "base/def.h"

enum exit_status {
        EXIT_CHDIR = 200,
        EXIT_NICE,
        EXIT_FDS,
        EXIT_EXEC,
        EXIT_MEMORY,
        EXIT_LIMITS,
        EXIT_OOM_ADJUST,
        EXIT_SIGNAL_MASK,
        EXIT_STDIN,
        EXIT_STDOUT,
        EXIT_CHROOT,
        EXIT_IOPRIO,
        EXIT_TIMERSLACK,
        EXIT_SECUREBITS,
        EXIT_SETSCHEDULER,
        EXIT_CPUAFFINITY,
        EXIT_GROUP,
        EXIT_USER,
        EXIT_CAPABILITIES,
        EXIT_CGROUP,
        EXIT_SETSID,
        EXIT_CONFIRM,
        EXIT_STDERR,
        EXIT_PAM = 224,
        EXIT_NETWORK,
        EXIT_NAMESPACE,
        EXIT_NO_NEW_PRIVILEGES,
        EXIT_SECCOMP,
        EXIT_SELINUX_CONTEXT,
        EXIT_PERSONALITY,
        EXIT_APPARMOR,
        EXIT_ADDRESS_FAMILIES,
        EXIT_RUNTIME_DIRECTORY,
        EXIT_CHOWN = 235,
        EXIT_SMACK,
        EXIT_KEYRING,
        EXIT_STATE_DIRECTORY,
        EXIT_CACHE_DIRECTORY,
        EXIT_LOGS_DIRECTORY,
        EXIT_CONFIGURATION_DIRECTORY,
        EXIT_NUMA_POLICY,
        EXIT_CREDENTIALS,
        EXIT_BPF,
        EXIT_KSM,
        EXIT_EXCEPTION = 255,
};

// "EXEC" for 203, "TEMPFAIL" for 75, "SUCCESS" for 0; NULL: no name. Public for tests.
const char *spawn_exit_status_name(int status);
// How the process ended, from waitid(2): "exited", "killed", "dumped", "unknown" (EXIT_CODE=, log
// lines).
const char *exit_code_name(int code);
// "FAILURE", "EXEC", "KILL"; "n/a". buf: at least SIGNAL_NAME_MAX.
const char *exit_status_text(int code, int status, char *buf, size_t size);
