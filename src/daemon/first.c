#include "daemon/first.h"

#include "spawn/sys.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>

// The default soft limit of services: select(2) cannot handle more.
#define CHILD_NOFILE_SOFT 1024

// See keyrings(7): possessors may view, read and search, the owner everything.
#define KEYRING_PERMISSIONS 0x0b3f0000u

static bool has_capability(unsigned capability)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        return SYS_CALL(SYS_capget, &header, data) == 0 &&
               (data[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability));
}

static bool may_change_ids(void)
{
        return geteuid() == 0 || has_capability(CAP_SETUID) || has_capability(CAP_SETGID);
}

// Each open() takes the lowest free number.
static void open_streams(void)
{
        for (int fd = 0; fd <= 2; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;
                // Without /dev, a folder occupies the number; it can be neither read nor written.
                if (open("/dev/null", O_RDWR | O_NOCTTY) < 0)
                        (void)open("/", O_RDONLY | O_DIRECTORY);
        }
}

// The exec of this program has reset handlers, but not ignored signals. A sanitizer's handlers are
// kept. The raw call is used because the C library hides two signals.
static void reset_signals(void)
{
        uint64_t none = 0;

        for (int signo = 1; signo <= SYS_SIGNALS_MAX; signo++) {
                struct sys_sigaction action;

                if (sys_sigaction(signo, NULL, &action) == 0 && action.handler == SIG_IGN)
                        (void)sys_sigaction(signo, &(struct sys_sigaction){0}, NULL);
        }
        (void)SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

static void raise_limit(int resource, struct rlimit_value *ret_children)
{
        struct rlimit old, limit;

        if (getrlimit((__rlimit_resource_t)resource, &old) < 0)
                return;
        // Only root may raise a hard limit; for descriptors, the kernel has a maximum of its own.
        limit.rlim_max = resource == RLIMIT_NOFILE ? old.rlim_max : RLIM_INFINITY;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)resource, &limit) < 0) {
                limit.rlim_cur = limit.rlim_max = old.rlim_max;
                if (setrlimit((__rlimit_resource_t)resource, &limit) < 0)
                        return;
        }
        if (resource == RLIMIT_NOFILE)
                old.rlim_cur = MIN(old.rlim_max, CHILD_NOFILE_SOFT);
        if (limit.rlim_cur != old.rlim_cur || limit.rlim_max != old.rlim_max)
                *ret_children = (struct rlimit_value){
                        .is_set = true, .soft = old.rlim_cur, .hard = old.rlim_max};
}

// Errors are ignored: without keyrings in the kernel, or access to them, none need protection.
static void join_keyring(void)
{
        if (SYS_CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
                return;
        // Children that inherit it, of whatever user, may search it, but not add keys for others to
        // find.
        (void)SYS_CALL(SYS_keyctl, KEYCTL_SETPERM, KEY_SPEC_SESSION_KEYRING, KEYRING_PERMISSIONS);
}

void first_set_up(struct rlimit_value limits[RLIM_NLIMITS])
{
        // A shell's limits of CPU time and file size are meant for short-lived programs.
        static const int raised[] = {RLIMIT_NOFILE, RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA,
                                     RLIMIT_AS};

        if (may_change_ids()) {
                (void)prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
                join_keyring();
        }
        for (size_t i = 0; i < ARRAY_SIZE(raised); i++)
                raise_limit(raised[i], &limits[raised[i]]);
        open_streams();
        reset_signals();
}
