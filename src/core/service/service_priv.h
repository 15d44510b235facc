// Shared by the files of the service machine (core/service/service*.c).
#pragma once

#include "conf/enums.h"
#include "core/service/restart.h"
#include "core/service/run_cold.h"
#include "core/service/service.h"
#include "core/start/removal.h"
#include "core/unit/manager.h"

static inline const struct service_group *run_conf(const struct run *run)
{
        return run->conf->service;
}

// The unit of a run, its pending job, and the slot for a removal in progress. NULL: it serves a
// connection and has none.
static inline struct unit *run_unit(const struct run *run)
{
        return run->service ? &run->service->unit : NULL;
}

static inline const struct job *run_job(const struct run *run)
{
        return run->service ? run->service->unit.job : NULL;
}

static inline struct removal **run_removal(const struct run *run)
{
        return run->service ? &run->service->removal : NULL;
}

static inline bool run_is_removing(const struct run *run)
{
        return run->service && run->service->removal;
}

// ---- names, log, states (service_state.c)

// The id of its unit, or of the template that serves a connection; valid as long as the run.
const char *run_unit_id(const struct run *run);
// Logs one line about the run; a connection's name is formatted only when the line is written.
void run_log(const struct run *run, int level, int error, const char *fmt, ...) PRINTF(4, 5);
// How other units see a run in this state.
enum active_state run_state_to_active(const struct run *run, enum service_state state);
bool service_state_may_start(
        enum service_state s); // a life may begin: dead, failed or auto-restart-queued
bool service_state_is_starting(enum service_state s); // condition ... start-post
bool service_state_is_reloading(enum service_state s);
enum active_state service_active_state(const struct service *s);
void run_changed(struct run *run); // notifies observers; the state has not changed
usec_t run_stop_timeout(const struct run *run);
bool run_stop_is_pending(const struct run *run);

// ---- changes of state (service_change.c)

// Changes the state: stops the timers that it does not use, and notifies all observers.
void service_set_state(struct run *run, enum service_state state);

// ---- start (service_start.c)

void service_enter_condition(struct run *run); // begins a life; all else follows
void service_enter_start_pre(struct run *run);
void service_enter_start(struct run *run);
void service_enter_start_post(struct run *run);
void service_enter_running(struct run *run, enum service_result result);
void service_enter_reload(struct run *run);
void service_enter_reload_by_notify(struct run *run);
// Continues a start that waited (for a look-up of users, Type=idle).
void service_resume(struct run *run);
void service_run_next_main(struct run *run);
void service_on_exec_event(struct watch *w, uint32_t revents); // Type=exec
void service_check_exec(struct run *run);                      // has the exec succeeded meanwhile?
void service_forget_exec(struct run *run);                     // stops waiting for it
// Resets what the last life left; a new invocation id. 0 or -errno.
int run_begin_life(struct run *run);

// ---- stop (service_stop.c)

void service_enter_stop(struct run *run, enum service_result result);
void service_enter_stop_by_notify(struct run *run);
void service_enter_stop_post(struct run *run, enum service_result result);
// state: stop-watchdog, stop-sigterm, stop-sigkill, final-watchdog, final-sigterm, final-sigkill
void service_enter_signal(struct run *run, enum service_state state, enum service_result result);
void service_enter_dead(struct run *run, enum service_result result, bool may_restart);
void service_enter_restart(struct run *run); // the wait before the restart is over
void service_give_up_restart(struct run *run);
// It is stopping, and Restart= will start it again, as far as is known.
bool service_comes_back(const struct run *run);
// The wait for main and control in a stop state is over: enters the next state.
void service_on_processes_gone(struct run *run, enum service_result result);

// ---- what an administrator has cleaned (service_clean.c)

unsigned service_can_clean(const struct unit *u);
int service_clean(struct unit *u, unsigned what); // the unit's operation
void service_end_cleaning(struct service *s);     // if it is in progress: it stops where it is
void service_free_cleaning(struct service *s);    // the same, as the unit is freed

// ---- commands (service_command.c)

// The commands of the state (ExecStartPre=, ...); NULL: it has none.
const struct command_list *service_control_list(const struct run *run, enum service_state state);
// The lists that are being run are replaced: execution continues after the same command.
void service_move_commands(struct run *run, const struct service_group *old,
                           const struct service_group *fresh);
// The variables for this life about the service whose end has started it. 0 or -ENOMEM.
int service_note_monitored(struct run *run);
void service_handle(struct unit *u, struct unit *ended); // the unit's operation
// Starts main_index of ExecStart=. 0: in progress, 1: it waits (service_resume() follows), -errno
// (logged).
int service_start_main(struct run *run);
// Enters the state and starts control_index of its list; on failure enters the state that follows.
void service_run_control(struct run *run, enum service_state state);
// OpenFile= (service_open.c): an inquiry's work, the question being a list (struct open_files). Of
// and its answer: appends the descriptors, which the caller closes, and their names, in order. fds
// has room for all. 0, -ENOMEM, or why one could not be opened (logged).
void service_open_files(struct inquiry_answer *answer, const void *question);
int service_take_files(const struct run *run, struct inquiry *opened, int *fds, size_t *n,
                       char ***names);
void service_kill_control(struct run *run, int signo);

// ---- plan (service_plan.c)

// Called before a command is started (command_ops.prepare): 0: run->plan is fresh and, for a main
// command, the files of OpenFile= are open (cold->opened); 1: it waits (run_on_known() follows);
// -errno.
int run_prepare(const struct command_order *o, struct fail *why);
void run_on_known(struct command_wait *w);
// The command has been started, or no longer waits.
void run_prepare_end(struct run *run);
bool run_is_preparing(const struct run *run);        // does it wait?
const char *run_prepare_text(const struct run *run); // for what, as text; NULL: it does not

// ---- the connection that it serves (service_connection.c)

// Will a later command of ExecStart= need our copy? If not, it is handed over, so that the peer
// sees EOF when the service closes it.
bool run_keeps_connection(const struct run *run);
// The state has changed: releases the copy, and the place in the limits, if they are no longer
// needed.
void run_let_go_of_connection(struct run *run);

// ---- exhaustion (service_command.c)

// Does it wait for resources to start a process?
bool run_waits_for_room(const struct run *run);
// The time limit of a state during start: none for a connection while it waits for resources, since
// its client decides how long to wait.
usec_t run_start_limit(const struct run *run, usec_t limit);

// ---- the ends of processes (service_exit.c)

void service_on_main_exit(struct child *c, const siginfo_t *info);
void service_on_control_exit(struct child *c, const siginfo_t *info);
// A forking service's start has waited until its processes could be told apart.
void service_on_daemon_known(struct run *run);

// ---- signals (service_kill.c)

enum kill_operation {
        KILL_OPERATION_TERMINATE,
        KILL_OPERATION_ABORT, // WatchdogSignal=
        KILL_OPERATION_KILL,
};
// Signals the processes that KillMode= selects. True: a process was signalled whose exit is to be
// awaited.
bool run_kill(struct run *run, enum kill_operation operation);
// Have main and control exited? Then the end of the orphans is awaited: service_on_processes_gone()
// follows, or service_on_daemon_known() during start.
void run_await_strays(struct run *run);
void run_forget_strays(struct run *run);

// ---- time (service_timer.c)

void run_set_timeout(struct run *run, usec_t after); // of the state; USEC_INFINITY: none
void run_extend_timeout(struct run *run, usec_t after);
void run_watchdog_reset(struct run *run); // fed, or begins to run
void run_watchdog_stop(struct run *run);
void run_watchdog_trigger(struct run *run);
usec_t run_watchdog_usec(const struct run *run); // 0: off
void run_running_timeout(struct run *run);       // RuntimeMaxSec=
// Changed while the service runs: the new limit counts from the same moment on.
void run_change_runtime(struct run *run, const struct service_group *old);

// ---- main process by pid (service_pid.c)

// Reads PIDFile=. then (may be NULL) is called once, at once or when the file system has answered:
// with 0, the main process is set (or was already); -errno: not (yet).
void run_read_pid_file(struct run *run, bool may_warn, void (*then)(struct run *run, int r));
void run_forget_pid_file(struct run *run);            // `then` will not be called
const char *run_pid_file_text(const struct run *run); // what it waits for, as text; NULL: nothing
// In start and start-post: reads it repeatedly until the state's timeout, then continues.
void run_await_pid_file(struct run *run);
// GuessMainPID=: the remaining process, if there is exactly one. 1: not known yet, and
// service_on_daemon_known() follows; 0 otherwise.
int run_guess_main_pid(struct run *run, bool may_wait);
// Makes pid the main process: a child of ours is watched by on_exit, any other process by its
// pidfd. One that does not belong to this service is accepted only if is_trusted. 0 or -errno.
int run_set_main_pid(struct run *run, pid_t pid, bool is_trusted);
// May the process become the main process? 1; 0: it belongs to no service; -EBUSY: it belongs to
// another one, whose name is *ret_owner, or *buffer, to be freed by the caller; -EAGAIN: not known
// yet; other -errno: never.
int run_main_pid_is_suitable(struct run *run, pid_t pid, const char **ret_owner, char **buffer);
void run_unwatch_main(struct run *run);
void run_unwatch_control(struct run *run);
bool run_is_good(struct run *run); // does what remains satisfy "running"?

// ---- the message bus (service_bus_name.c)

// For Type=dbus, and BusName= of other types: 0: the name is being watched, or the type does not
// need it; -errno (logged): it cannot be started.
int run_watch_bus_name(struct run *run);
// Does the name have an owner, if the type requires one?
bool run_bus_name_is_good(const struct run *run);

// ---- its messages (service_notify.c)

enum notify_access run_notify_access(const struct run *run);
