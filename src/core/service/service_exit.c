// What the exit of a process means in each state.
#include "base/clock.h"
#include "base/log.h"
#include "core/loop/reap.h"
#include "core/service/client.h"
#include "core/service/notify.h"
#include "core/service/service_log.h"
#include "core/service/service_priv.h"

#include <signal.h>
#include <sys/wait.h>

// A step before the exec failed: its report is logged.
static void log_report(struct run *run, const siginfo_t *info)
{
        char text[FAIL_DETAIL_MAX + 128];
        int error;

        if (command_take_report(info, text, sizeof(text), &error) == 0)
                return;
        // Since Linux 3.1 it is exec(2) that fails above LimitNPROC= of its own user. For a
        // connection this is a limit like MaxConnections=: the others of its kind need not be told
        // of each.
        if (run->client && error == EAGAIN &&
            manager_differs(run->manager, DIFFERENCE_EXHAUSTION)) {
                run->is_refused = true;
                run->client->ops->on_refused(run->client);
                return;
        }
        run_log(run, LOG_ERR, 0, "%s", text);
}

static void log_exit(const struct run *run, const char *what, enum service_result result, int code,
                     int status)
{
        char text[128];
        int level = result == SERVICE_SUCCESS || run->is_refused ? LOG_DEBUG
                    : code == CLD_EXITED                         ? LOG_NOTICE
                                                                 : LOG_WARNING;

        run_log(run, level, 0, "%s%s", command_format_end(what, code, status, text, sizeof(text)),
                result == SERVICE_SUCCESS ? " (success)" : "");
}

// Its last messages and output are handled before its exit: for that it counts as alive for a
// moment longer. False: another process has become the main one meanwhile (MAINPID=).
static bool settle(struct run *run, struct child *c, pid_t pid)
{
        c->pid = pid;
        service_check_exec(run);
        if (run_notify_access(run) != NOTIFY_NONE)
                notify_socket_drain(run->manager->notify);
        log_stream_flush(run->log, pid);
        if (c->pid != pid)
                return false;
        reaper_forget(run->manager->reaper, c);
        return true;
}

static bool is_on_its_way_down(const struct run *run)
{
        return run->state >= SERVICE_STOP && run->state <= SERVICE_FINAL_SIGKILL;
}

static enum service_result note_exit(struct run *run, bool is_main, const siginfo_t *info)
{
        const struct service_group *g = run_conf(run);

        log_report(run, info);
        // The exit status is unknown, but the process was asked to exit.
        if (info->si_code == 0 && is_main && is_on_its_way_down(run))
                return SERVICE_SUCCESS;

        enum exit_clean clean =
                is_main && g->type != SERVICE_ONESHOT ? EXIT_CLEAN_DAEMON : EXIT_CLEAN_COMMAND;

        return exit_result(info->si_code, info->si_status, clean, &g->success_exit_status);
}

// ---- main

// The main process exited while the service was starting.
static void on_main_exit_in_start(struct run *run, enum service_result result)
{
        const struct service_group *g = run_conf(run);

        switch (g->type) {
        case SERVICE_ONESHOT:
                if (result == SERVICE_SUCCESS)
                        service_enter_start_post(run);
                else
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_NOTIFY:
        case SERVICE_NOTIFY_RELOAD:
                if (result != SERVICE_SUCCESS)
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                else if (!g->remain_after_exit || run_notify_access(run) == NOTIFY_MAIN)
                        // No process is left that could report readiness.
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_PROTOCOL);
                break;
        default:
                service_enter_running(run, result);
                break;
        }
}

static void on_main_gone(struct run *run, enum service_result result)
{
        bool has_control = run->control.pid > 0;

        switch (run->state) {
        case SERVICE_START:
                on_main_exit_in_start(run, result);
                break;
        case SERVICE_START_POST:
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
        case SERVICE_STOP:
                // The state waits for its command; without one it would never end.
                if (!has_control)
                        service_enter_stop(run, result);
                break;
        case SERVICE_RUNNING:
                service_enter_running(run, result);
                break;
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
                if (!has_control)
                        service_enter_stop_post(run, result);
                break;
        case SERVICE_STOP_POST:
                if (!has_control)
                        service_enter_signal(run, SERVICE_FINAL_SIGTERM, result);
                break;
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
                if (!has_control)
                        service_enter_dead(run, result, true);
                break;
        case SERVICE_DEAD:
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
        case SERVICE_EXITED:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                break;
        }
}

// With ExitType=cgroup the service runs as long as any of its processes.
static bool goes_on_without_main(struct run *run)
{
        if (run_conf(run)->exit_type != EXIT_TYPE_CGROUP || run->state != SERVICE_RUNNING ||
            !run_is_good(run))
                return false;
        run_await_strays(run);
        return true;
}

static void finish_main_exit(struct run *run, enum service_result result)
{
        const struct service_group *g = run_conf(run);

        run_set_result(run, result);
        if (run->state == SERVICE_START && g->type == SERVICE_ONESHOT &&
            result == SERVICE_SUCCESS && run->main_index + 1U < g->exec_start.n) {
                service_run_next_main(run);
                return;
        }
        if (!goes_on_without_main(run))
                on_main_gone(run, result);
        run_changed(run);
}

static void on_successor(struct run *run, int r)
{
        if (r < 0 || run->main.pid == 0)
                finish_main_exit(run, run->cold->exit_result);
}

void service_on_main_exit(struct child *c, const siginfo_t *info)
{
        struct run *run = CONTAINER_OF(c, struct run, main);
        const struct service_group *g = run_conf(run);

        if (!settle(run, c, info->si_pid))
                return;
        run_end_main(run, info);

        enum service_result result = note_exit(run, true, info);

        if (run->main_ignores_failure)
                result = SERVICE_SUCCESS;
        log_exit(run, "Main process", result, info->si_code, info->si_status);
        // A daemon may be replaced by another process, if its PID file names that one in time.
        if (g->pid_file && (run->state == SERVICE_RUNNING || run->state == SERVICE_RELOAD) &&
            run_cold_get(run)) {
                run->cold->exit_result = result;
                run_read_pid_file(run, false, on_successor);
        } else {
                finish_main_exit(run, result);
        }
}

// ---- control

static void on_pid_file_before_post(struct run *run, int r UNUSED)
{
        if (run->state == SERVICE_START && run->control.pid == 0)
                service_enter_start_post(run);
}

// ExecStart= of a forking service has exited: now its daemon should exist.
static void on_forking_started(struct run *run, enum service_result result)
{
        const struct service_group *g = run_conf(run);

        if (g->type != SERVICE_FORKING)
                return;
        if (result != SERVICE_SUCCESS) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                return;
        }
        // ExecStartPost= may write the file, or it may appear a little later.
        if (g->pid_file && g->exec_start_post.n > 0)
                run_read_pid_file(run, false, on_pid_file_before_post);
        else if (g->pid_file)
                run_await_pid_file(run);
        else if (run_guess_main_pid(run, true) == 0)
                service_enter_start_post(run);
}

static void on_start_post_done(struct run *run, enum service_result result)
{
        const struct service_group *g = run_conf(run);

        if (result != SERVICE_SUCCESS) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                return;
        }
        if (g->type == SERVICE_FORKING && run->main.pid == 0) {
                if (g->pid_file) {
                        run_await_pid_file(run);
                        return;
                }
                if (run_guess_main_pid(run, true) > 0)
                        return;
        }
        service_enter_running(run, SERVICE_SUCCESS);
}

void service_on_daemon_known(struct run *run)
{
        (void)run_guess_main_pid(run, false);
        if (run->state == SERVICE_START)
                service_enter_start_post(run);
        else
                service_enter_running(run, SERVICE_SUCCESS);
}

static void on_reload_done(struct run *run, enum service_result result)
{
        const struct service_group *g = run_conf(run);

        if (result == SERVICE_SUCCESS && g->type == SERVICE_FORKING) {
                if (g->pid_file)
                        run_read_pid_file(run, true, NULL); // logs its own errors
                else if (run->main.pid == 0)
                        (void)run_guess_main_pid(run, false);
        }
        if (run->cold && run->cold->reload_result == SERVICE_SUCCESS)
                run->cold->reload_result = result;
        // The command has exited; the service may still be reloading.
        if (run->cold && run->cold->notify_state == NOTIFY_STATE_RELOADING)
                service_set_state(run, SERVICE_RELOAD_NOTIFY);
        else
                service_enter_running(run, SERVICE_SUCCESS);
}

static void on_control_done(struct run *run, enum service_result result)
{
        bool has_main = run->main.pid > 0;

        switch (run->state) {
        case SERVICE_CONDITION:
                if (result == SERVICE_SUCCESS)
                        service_enter_start_pre(run);
                else
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_START_PRE:
                if (result == SERVICE_SUCCESS)
                        service_enter_start(run);
                else
                        service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_START:
                on_forking_started(run, result);
                break;
        case SERVICE_START_POST:
                on_start_post_done(run, result);
                break;
        case SERVICE_RELOAD:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
                on_reload_done(run, result);
                break;
        case SERVICE_STOP:
                service_enter_signal(run, SERVICE_STOP_SIGTERM, result);
                break;
        case SERVICE_STOP_POST:
                if (!has_main)
                        service_enter_signal(run, SERVICE_FINAL_SIGTERM, result);
                break;
        case SERVICE_DEAD:
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                if (!has_main)
                        service_on_processes_gone(run, result);
                break;
        }
}

void service_on_control_exit(struct child *c, const siginfo_t *info)
{
        struct run *run = CONTAINER_OF(c, struct run, control);

        if (!settle(run, c, info->si_pid))
                return;

        const struct command_list *list = service_control_list(run, run->state);
        enum service_result result = note_exit(run, false, info);

        if (run->control_ignores_failure)
                result = SERVICE_SUCCESS;
        // 1 to 254: the condition does not hold; 255 and signals: the check itself failed.
        if (run->state == SERVICE_CONDITION) {
                bool is_skip = result == SERVICE_FAILURE_EXIT_CODE && info->si_code == CLD_EXITED &&
                               info->si_status < 255;

                if (is_skip)
                        result = SERVICE_SKIP_CONDITION;
                if (run->service && (is_skip || result == SERVICE_SUCCESS))
                        run->service->unit.condition_result = !is_skip;
        }
        log_exit(run, "Control process",
                 result == SERVICE_SKIP_CONDITION ? SERVICE_SUCCESS : result, info->si_code,
                 info->si_status);
        if (run->state != SERVICE_RELOAD)
                run_set_result(run, result);
        if (result == SERVICE_SUCCESS && list && run->control_index + 1U < list->n) {
                run_next_control(run);
                service_run_control(run, run->state);
                return;
        }
        on_control_done(run, result);
        run_changed(run);
}
