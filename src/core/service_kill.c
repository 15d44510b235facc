// Signals to the processes of a run, and the wait for those whose end nobody reports.
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "core/job.h"
#include "core/processes.h"
#include "core/service_priv.h"

#include <signal.h>

#define SWEEP_FIRST (10 * USEC_PER_MSEC)
#define SWEEP_LONGEST (500 * USEC_PER_MSEC)
// A service in "running" without a known main process: whether it is still there.
#define SWEEP_RUNNING (2 * USEC_PER_SEC)

static int signal_of(const struct run *run, enum kill_operation operation)
{
        const struct kill_group *k = run->conf->kill;
        const struct job *j = run->service ? run->service->unit.job : NULL;

        switch (operation) {
        case KILL_OPERATION_ABORT:
                return k->watchdog_signal;
        case KILL_OPERATION_KILL:
                return k->final_kill_signal;
        case KILL_OPERATION_TERMINATE:
                break;
        }
        return j && j->type == JOB_RESTART && k->restart_kill_signal > 0 ? k->restart_kill_signal
                                                                         : k->kill_signal;
}

static void log_kill(const struct run *run, pid_t pid, int signo)
{
        CLEANUP(free) char *comm = NULL;
        char name[SIGNAL_NAME_MAX];

        if (proc_get_comm(pid, &comm) < 0)
                return; // gone already
        run_log(run, LOG_NOTICE, 0, "Killing process %d (%s) with signal SIG%s.", (int)pid, comm,
                signal_format(signo, name, sizeof(name)));
}

static void signal_child(const struct run *run, const struct child *c, int signo,
                         enum kill_operation operation)
{
        if (operation != KILL_OPERATION_TERMINATE)
                log_kill(run, c->pid, signo);

        int r = kill_process(c->pid, c->pidfd, signo);

        if (r < 0 && r != -ESRCH) {
                run_log(run, LOG_WARNING, -r, "Failed to kill process %d", (int)c->pid);
                return;
        }
        // A stopped process would never see the signal.
        if (signo != SIGKILL && signo != SIGCONT)
                (void)kill_process(c->pid, c->pidfd, SIGCONT);
        if (run->conf->kill->send_sighup && operation == KILL_OPERATION_TERMINATE)
                (void)kill_process(c->pid, c->pidfd, SIGHUP);
}

// All but main and control, which were signalled before. True: there are some.
static bool signal_strays(struct run *run, int signo, enum kill_operation operation)
{
        CLEANUP(kill_pids) struct kill_pids pids = {0};
        const pid_t keep[] = {run->main.pid, run->control.pid};

        if (!run_has_strays(run) || run_find_processes(run, &pids) < 0)
                return false;
        if (operation != KILL_OPERATION_TERMINATE)
                for (size_t i = 0; i < pids.n; i++)
                        if (pids.items[i] != keep[0] && pids.items[i] != keep[1])
                                log_kill(run, pids.items[i], signo);

        int n = kill_all(&pids, keep, ARRAY_SIZE(keep), signo);

        if (n > 0 && run->conf->kill->send_sighup && operation == KILL_OPERATION_TERMINATE)
                (void)kill_all(&pids, keep, ARRAY_SIZE(keep), SIGHUP);
        return n > 0;
}

bool run_kill(struct run *run, enum kill_operation operation)
{
        enum kill_mode mode = (enum kill_mode)run->conf->kill->kill_mode;
        int signo = signal_of(run, operation);
        bool waits = false;

        if (mode == KILL_NONE)
                return false;
        if (run->main.pid > 0) {
                signal_child(run, &run->main, signo, operation);
                waits = true;
        }
        if (run->control.pid > 0) {
                signal_child(run, &run->control, signo, operation);
                waits = true;
        }
        if (mode == KILL_CONTROL_GROUP || (mode == KILL_MIXED && operation == KILL_OPERATION_KILL))
                waits = signal_strays(run, signo, operation) || waits;
        return waits;
}

void service_kill_control(struct run *run, int signo)
{
        if (run->control.pid > 0)
                (void)kill_process(run->control.pid, run->control.pidfd, signo);
}

// ---- strays

static void on_sweep(struct timer *t, usec_t now);

static void arm_sweep(struct run_cold *cold, usec_t now)
{
        usec_t longest = cold->run->state == SERVICE_RUNNING ? SWEEP_RUNNING : SWEEP_LONGEST;

        // Without memory for a timer the state's timeout is what is left.
        (void)timer_set(cold->run->manager->events, &cold->sweep_timer,
                        usec_add(now, cold->sweep_wait), on_sweep);
        cold->sweep_wait = MIN(cold->sweep_wait * 2, longest);
}

static void on_sweep(struct timer *t, usec_t now)
{
        struct run_cold *cold = CONTAINER_OF(t, struct run_cold, sweep_timer);
        struct run *run = cold->run;

        if (run->main.pid > 0 || run->control.pid > 0)
                return; // their exits tell
        if (run_has_strays(run))
                arm_sweep(cold, now);
        else
                service_on_processes_gone(run, SERVICE_SUCCESS);
}

void run_sweep_begin(struct run *run)
{
        if (run->main.pid > 0 || run->control.pid > 0)
                return;
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return;
        cold->sweep_wait = SWEEP_FIRST;
        arm_sweep(cold, clock_now());
}

void run_sweep_stop(struct run *run)
{
        if (run->cold)
                timer_stop(run->manager->events, &run->cold->sweep_timer);
}

// ---- by hand

int service_run_kill(struct run *run, const char *who, int signo)
{
        bool must = false, is_all, sent = false;
        CLEANUP(free) char *kind = strdup(who);

        if (!kind)
                return -ENOMEM;
        char *suffix = str_at_suffix(kind, "-fail");

        if (suffix) {
                must = true;
                *suffix = '\0';
        }
        is_all = streq(kind, "all");
        if (!is_all && !streq(kind, "main") && !streq(kind, "control"))
                return -EINVAL;
        if (streq(kind, "main") && run->main.pid == 0)
                return -ESRCH;
        if (streq(kind, "control") && run->control.pid == 0)
                return -ESRCH;
        int r = 0;

        if (run->main.pid > 0 && !streq(kind, "control")) {
                r = kill_process(run->main.pid, run->main.pidfd, signo);
                sent = r == 0;
        }
        if (run->control.pid > 0 && !streq(kind, "main")) {
                r = kill_process(run->control.pid, run->control.pidfd, signo);
                sent = sent || r == 0;
        }
        if (is_all) {
                CLEANUP(kill_pids) struct kill_pids pids = {0};
                const pid_t keep[] = {run->main.pid, run->control.pid};

                if (run_find_processes(run, &pids) == 0 &&
                    kill_all(&pids, keep, ARRAY_SIZE(keep), signo) > 0)
                        sent = true;
        }
        if (r < 0 && r != -ESRCH)
                return r;
        return sent || !must ? 0 : -ESRCH;
}
