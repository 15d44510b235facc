// Steps that set up the process itself: signals, session, priorities, limits, identity, folder.
#include "base/str.h"
#include "base/strv.h"
#include "conf/enums.h"
#include "spawn/step.h"
#include "spawn/sys.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#define SA_RESTORER 0x04000000 // asm/signal.h, which conflicts with other headers
#define IOPRIO_WHO_PROCESS 1
#define IOPRIO_CLASS_SHIFT 13

// Prevents a core file, which would contain the supervisor's memory: a process of the child's new
// user may send such a signal, and that user may be shown the core. (Before Linux 5.16 a core dump
// also ended all processes that shared the memory.)
CHILD_CODE static void on_core_signal(int signo)
{
        (void)signo;
        (void)SYS_CALL(SYS_kill, sys_getpid(), SIGKILL);
        sys_exit(EXIT_SIGNAL_MASK);
}

// Sets a signal's action until the exec, which resets handlers to the default disposition.
CHILD_CODE static int set_disposition(int signo, void (*handler)(int))
{
        struct sys_sigaction action = {.handler = handler, .mask = UINT64_MAX};

        if (handler == on_core_signal) { // x86 requires a return address, which is never used
                action.flags = SA_RESTORER;
                action.restorer = (void (*)(void))(void *)handler;
        }
        return sys_sigaction(signo, &action, NULL);
}

CHILD_CODE int step_signals(struct launch *l)
{
        static const uint8_t dumping[] = {SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
                                          SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS};
        uint64_t none = 0;

        // A handler of the supervisor must never run here, in its memory; and ignored signals stay
        // ignored across an exec.
        for (int signo = 1; signo <= SYS_SIGNALS_MAX; signo++) {
                bool is_ignored = l->ignored_signals & (UINT64_C(1) << (signo - 1));

                if (signo == SIGKILL || signo == SIGSTOP || (!l->clears_signals && !is_ignored))
                        continue;
                (void)set_disposition(signo, SIG_DFL); // -EINVAL for signals that libc reserves
        }
        for (size_t i = 0; i < ARRAY_SIZE(dumping); i++)
                (void)set_disposition(dumping[i], on_core_signal);
        if (l->plan->conf->exec->ignore_sigpipe)
                (void)set_disposition(SIGPIPE, SIG_IGN);
        // From here on the child can be killed: it may be about to block on a file for ever.
        return (int)SYS_CALL(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
}

CHILD_CODE int step_session(struct launch *l)
{
        (void)l;
        return (int)SYS_CALL(SYS_setsid);
}

// A user or group that is not available (plan_identity.c).
int step_find_user_compile(struct spawn_plan *plan)
{
        return plan->broken_status == EXIT_USER;
}

CHILD_CODE int step_find_user(struct launch *l)
{
        l->detail = l->plan->broken_name;
        return -l->plan->broken_error;
}

int step_find_group_compile(struct spawn_plan *plan)
{
        return plan->broken_status == EXIT_GROUP;
}

CHILD_CODE int step_find_group(struct launch *l)
{
        return step_find_user(l);
}

CHILD_CODE int step_write_number(const char *path, int number)
{
        char text[16], *p = text + sizeof(text);
        unsigned n = number < 0 ? 0U - (unsigned)number : (unsigned)number;
        int fd, r;

        do
                *--p = (char)('0' + n % 10);
        while (n /= 10);
        if (number < 0)
                *--p = '-';
        fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
        if (fd < 0)
                return fd;
        r = (int)sys_write(fd, p, (size_t)(text + sizeof(text) - p));
        sys_close(fd);
        return r < 0 ? r : 0;
}

int step_oom_score_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->oom_score_adjust != OOM_SCORE_UNSET;
}

CHILD_CODE int step_oom_score(struct launch *l)
{
        int r = step_write_number("/proc/self/oom_score_adj",
                                  l->plan->conf->exec->oom_score_adjust);

        return r == -EPERM || r == -EACCES
                       ? 0
                       : r; // as systemd: lacking the privilege is not a failure
}

int step_nice_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->nice != 0;
}

CHILD_CODE int step_nice(struct launch *l)
{
        int wanted = l->plan->conf->exec->nice;
        int r = (int)SYS_CALL(SYS_setpriority, PRIO_PROCESS, 0, wanted);

        // Lacking the privilege: as close as RLIMIT_NICE allows, which is the current value or
        // lower.
        if (r == -EACCES || r == -EPERM) {
                struct rlimit limit;

                r = (int)SYS_CALL(SYS_prlimit64, 0, RLIMIT_NICE, NULL, &limit);
                if (r < 0)
                        return r;
                if (20 - (long)limit.rlim_cur > wanted && limit.rlim_cur <= 40)
                        wanted = 20 - (int)limit.rlim_cur;
                r = (int)SYS_CALL(SYS_setpriority, PRIO_PROCESS, 0, wanted);
                if (r == -EACCES || r == -EPERM)
                        r = 0;
        }
        return r;
}

int step_scheduler_compile(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;

        return exec->cpu_scheduling_policy >= 0 || exec->cpu_scheduling_reset_on_fork;
}

CHILD_CODE int step_scheduler(struct launch *l)
{
        const struct exec_group *exec = l->plan->conf->exec;
        struct sched_param param = {.sched_priority = exec->cpu_scheduling_priority};
        int policy = exec->cpu_scheduling_policy < 0 ? SCHED_OTHER : exec->cpu_scheduling_policy;

        if (policy == SCHED_OTHER || policy == SCHED_BATCH || policy == SCHED_IDLE)
                param.sched_priority = 0;
        else if (param.sched_priority == 0)
                param.sched_priority = 1;
        if (exec->cpu_scheduling_reset_on_fork)
                policy |= SCHED_RESET_ON_FORK;
        return (int)SYS_CALL(SYS_sched_setscheduler, 0, policy, &param);
}

int step_io_priority_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->io_scheduling_class >= 0;
}

CHILD_CODE int step_io_priority(struct launch *l)
{
        const struct exec_group *exec = l->plan->conf->exec;
        int class =
                exec->io_scheduling_class < 0 ? IO_CLASS_BEST_EFFORT : exec->io_scheduling_class;
        int data =
                class == IO_CLASS_IDLE || class == IO_CLASS_NONE ? 0 : exec->io_scheduling_priority;

        return (int)SYS_CALL(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
                             class << IOPRIO_CLASS_SHIFT | data);
}

int step_timer_slack_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->timer_slack_nsec != UINT64_MAX;
}

CHILD_CODE int step_timer_slack(struct launch *l)
{
        return (int)SYS_CALL(SYS_prctl, PR_SET_TIMERSLACK, l->plan->conf->exec->timer_slack_nsec);
}

CHILD_CODE int step_umask(struct launch *l)
{
        (void)SYS_CALL(SYS_umask, l->plan->conf->exec->umask);
        return 0;
}

int step_limits_compile(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;
        const struct rlimit_value *own[RLIMITS_MAX] = {
                [RLIMIT_CPU] = &exec->limit_cpu,
                [RLIMIT_FSIZE] = &exec->limit_fsize,
                [RLIMIT_DATA] = &exec->limit_data,
                [RLIMIT_STACK] = &exec->limit_stack,
                [RLIMIT_CORE] = &exec->limit_core,
                [RLIMIT_RSS] = &exec->limit_rss,
                [RLIMIT_NOFILE] = &exec->limit_nofile,
                [RLIMIT_AS] = &exec->limit_as,
                [RLIMIT_NPROC] = &exec->limit_nproc,
                [RLIMIT_MEMLOCK] = &exec->limit_memlock,
                [RLIMIT_LOCKS] = &exec->limit_locks,
                [RLIMIT_SIGPENDING] = &exec->limit_sigpending,
                [RLIMIT_MSGQUEUE] = &exec->limit_msgqueue,
                [RLIMIT_NICE] = &exec->limit_nice,
                [RLIMIT_RTPRIO] = &exec->limit_rtprio,
                [RLIMIT_RTTIME] = &exec->limit_rttime,
        };
        bool is_any = false;

        for (size_t i = 0; i < RLIMITS_MAX; i++) {
                plan->limits[i] = own[i] && own[i]->is_set ? *own[i] : plan->settings->limits[i];
                is_any |= plan->limits[i].is_set;
        }
        return is_any;
}

CHILD_CODE int step_limits(struct launch *l)
{
        for (int i = 0; i < RLIMITS_MAX; i++) {
                const struct rlimit_value *value = &l->plan->limits[i];
                struct rlimit limit = {value->soft, value->hard}, now;
                int r;

                if (!value->is_set)
                        continue;
                r = (int)SYS_CALL(SYS_prlimit64, 0, i, &limit, NULL);
                if (r == -EPERM) { // no privilege to raise the hard limit: up to the present one
                        r = (int)SYS_CALL(SYS_prlimit64, 0, i, NULL, &now);
                        if (r < 0)
                                return r;
                        limit.rlim_max = MIN(limit.rlim_max, now.rlim_max);
                        limit.rlim_cur = MIN(limit.rlim_cur, limit.rlim_max);
                        r = (int)SYS_CALL(SYS_prlimit64, 0, i, &limit, NULL);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

// If fs.suid_dumpable is 2, a change of uid or gid makes the memory dumpable for root. This
// restores the flag, since the memory may be the supervisor's.
CHILD_CODE static int undo_dumpable(void)
{
        return (int)SYS_CALL(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int step_groups_compile(struct spawn_plan *plan)
{
        return plan->sets_gid || plan->sets_groups;
}

CHILD_CODE int step_groups(struct launch *l)
{
        const struct spawn_plan *plan = l->plan;
        int r = 0;

        if (plan->sets_groups)
                r = (int)SYS_CALL(SYS_setgroups, plan->n_groups, plan->groups);
        if (r == 0 && plan->sets_gid)
                r = (int)SYS_CALL(SYS_setresgid, plan->gid, plan->gid, plan->gid);
        return r < 0 ? r : undo_dumpable();
}

int step_user_compile(struct spawn_plan *plan)
{
        return plan->sets_uid;
}

CHILD_CODE int step_user(struct launch *l)
{
        uid_t uid = l->plan->uid;

        l->detail = l->plan->user_name;
        int r = (int)SYS_CALL(SYS_setresuid, uid, uid, uid);

        return r < 0 ? r : undo_dumpable();
}

int step_working_directory_compile(struct spawn_plan *plan)
{
        const struct working_directory *wd = &plan->conf->exec->working_directory;
        const char *path = "/";
        int r = 0;

        if (wd->is_home)
                path = plan->home ? plan->home
                                  : strv_env_get(plan->settings->environment->own, "HOME");
        else if (wd->path)
                r = plan_text(plan, wd->path, &path);
        else if (plan->settings->is_user) {
                path = strv_env_get(plan->settings->environment->own, "HOME");
                plan->working_directory_optional = true;
        }
        plan->working_directory_optional |= wd->missing_ok;
        if (r == 0)
                r = str_set(&plan->working_directory, path ? path : "/");
        if (r < 0)
                return r;
        return !streq(plan->working_directory, "/") || !spawn_is_at_root();
}

CHILD_CODE int step_working_directory(struct launch *l)
{
        int r = (int)SYS_CALL(SYS_chdir, l->plan->working_directory);

        l->detail = l->plan->working_directory;
        return l->plan->working_directory_optional ? 0 : r;
}

int step_no_new_privileges_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->no_new_privileges;
}

CHILD_CODE int step_no_new_privileges(struct launch *l)
{
        (void)l;
        return (int)SYS_CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
