// Signals to the processes of a run, and the wait for its orphans.
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/service/processes.h"
#include "core/service/service_priv.h"
#include "core/start/kill_queue.h"
#include "core/unit/job.h"
#include "spawn/kill.h"

#include <signal.h>

static int signal_of(const struct run *run, enum kill_operation operation)
{
        const struct kill_group *k = run->conf->kill;
        const struct job *j = run_job(run);

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

static void log_kill(const void *owner, pid_t pid, int signo)
{
        CLEANUP(free) char *comm = NULL;
        char name[SIGNAL_NAME_MAX];

        if (proc_get_comm(pid, &comm) < 0)
                return; // it has exited already
        run_log(owner, LOG_NOTICE, 0, "Killing process %d (%s) with signal SIG%s.", (int)pid, comm,
                signal_format(signo, name, sizeof(name)));
}

static void log_failure(const void *owner, pid_t pid, int error)
{
        run_log(owner, LOG_WARNING, error, "Failed to kill process %d", (int)pid);
}

static struct kill_order make_order(const struct run *run, enum kill_operation operation)
{
        bool is_first = operation == KILL_OPERATION_TERMINATE;

        return (struct kill_order){
                .owner = run,
                .signo = signal_of(run, operation),
                .sends_cont = true,
                .sends_hup = run->conf->kill->send_sighup && is_first,
                .on_signal = is_first ? NULL : log_kill,
                .on_failure = log_failure,
        };
}

bool run_kill(struct run *run, enum kill_operation operation)
{
        enum kill_mode mode = (enum kill_mode)run->conf->kill->kill_mode;
        bool has_some = run->main.pid > 0 || run->control.pid > 0;
        struct kill_order order = make_order(run, operation);

        order.is_for_all = true;
        if (mode == KILL_NONE)
                return false;
        order.children[0] = &run->main;
        order.children[1] = &run->control;
        if (mode == KILL_PROCESS || (mode == KILL_MIXED && operation != KILL_OPERATION_KILL)) {
                (void)kill_children(&order);
                return has_some;
        }
        enum orphans_state strays = run_look_for_strays(run);
        bool is_for_somebody = has_some || strays != ORPHANS_NONE;

        if (is_for_somebody)
                (void)kill_queue_signal(run->manager->kills, &order);
        return is_for_somebody;
}

void service_kill_control(struct run *run, int signo)
{
        if (run->control.pid > 0)
                (void)kill_process(run->control.pid, run->control.pidfd, signo);
}

// ---- orphans

static void await_strays(struct run *run, bool is_urgent);

// In a state that waits for them.
static void on_strays_left(struct run *run)
{
        bool is_kill = run->state == SERVICE_STOP_SIGKILL || run->state == SERVICE_FINAL_SIGKILL;
        struct kill_order order = make_order(run, KILL_OPERATION_KILL);

        // Processes that appeared after the last SIGKILL get it, too. Main and control have exited.
        if (is_kill)
                (void)kill_queue_signal(run->manager->kills, &order);
        else if (run->state != SERVICE_RUNNING)
                kill_queue_signal_missed(run->manager->kills, run);
        await_strays(run, false);
}

static void on_strays_known(struct orphans_wait *w, enum orphans_state state)
{
        struct run *run = CONTAINER_OF(w, struct run_cold, strays_wait)->run;

        if (run->main.pid > 0 || run->control.pid > 0)
                return; // their exits are reported
        run_note_strays(run, state != ORPHANS_NONE);
        if (run->state == SERVICE_START || run->state == SERVICE_START_POST)
                service_on_daemon_known(run);
        else if (state == ORPHANS_NONE)
                service_on_processes_gone(run, SERVICE_SUCCESS);
        else
                on_strays_left(run);
}

static void await_strays(struct run *run, bool is_urgent)
{
        struct run_cold *cold = run_cold_get(run);

        // If that cannot be waited for, the state's timeout ends the wait.
        if (cold)
                orphans_wait(run->manager->orphans, &cold->strays_wait, run, is_urgent,
                             on_strays_known);
}

void run_await_strays(struct run *run)
{
        if (run->main.pid == 0 && run->control.pid == 0)
                await_strays(run, true);
}

void run_forget_strays(struct run *run)
{
        if (run->cold)
                orphans_wait_stop(&run->cold->strays_wait);
}

// ---- manual

int service_run_kill(struct run *run, const char *who, int signo)
{
        bool must = false, is_all;
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
        struct kill_order order = {.owner = run, .signo = signo};

        if (!streq(kind, "control"))
                order.children[0] = &run->main;
        if (!streq(kind, "main"))
                order.children[1] = &run->control;
        if (is_all)
                (void)run_look_for_strays(run);
        int n = is_all ? kill_queue_signal(run->manager->kills, &order) : kill_children(&order);

        return n != 0 || !must ? MIN(n, 0) : -ESRCH;
}
