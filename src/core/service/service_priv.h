// What the files of the service machine share (core/service/service*.c).
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

// The unit that it is the run of, its pending job, and the place of a removal that is under way;
// NULL: it serves a connection, and has none.
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

// The id of its unit, or of the template that a connection is served by; valid as long as the run.
const char *run_unit_id(const struct run *run);
// One line about the run; a connection's name is made only when the line is written.
void run_log(const struct run *run, int level, int error, const char *fmt, ...) PRINTF(4, 5);
// What the run is for others in a state.
enum active_state run_state_to_active(const struct run *run, enum service_state state);
bool service_state_may_start(enum service_state s);   // a life may begin: over, auto-restart-queued
bool service_state_is_starting(enum service_state s); // condition ... start-post
bool service_state_is_reloading(enum service_state s);
enum active_state service_active_state(const struct service *s);
void run_changed(struct run *run); // tell observers, no state change
usec_t run_stop_timeout(const struct run *run);
bool run_stop_is_pending(const struct run *run);

// ---- changes of state (service_change.c)

// Goes to a state: stops the timers that it has no use for, tells everybody.
void service_set_state(struct run *run, enum service_state state);

// ---- start (service_start.c)

void service_enter_condition(struct run *run); // the begin of a life; everything else follows
void service_enter_start_pre(struct run *run);
void service_enter_start(struct run *run);
void service_enter_start_post(struct run *run);
void service_enter_running(struct run *run, enum service_result result);
void service_enter_reload(struct run *run);
void service_enter_reload_by_notify(struct run *run);
// What a start that waited (users being looked up, Type=idle) does next.
void service_resume(struct run *run);
void service_run_next_main(struct run *run);
void service_on_exec_event(struct watch *w, uint32_t revents); // Type=exec
void service_check_exec(struct run *run);                      // has the exec happened meanwhile?
void service_forget_exec(struct run *run);                     // no longer waited for
// Forget what the last life left; a new invocation id. 0 or -errno.
int run_begin_life(struct run *run);

// ---- stop (service_stop.c)

void service_enter_stop(struct run *run, enum service_result result);
void service_enter_stop_by_notify(struct run *run);
void service_enter_stop_post(struct run *run, enum service_result result);
// state: stop-watchdog, stop-sigterm, stop-sigkill, final-watchdog, final-sigterm, final-sigkill
void service_enter_signal(struct run *run, enum service_state state, enum service_result result);
void service_enter_dead(struct run *run, enum service_result result, bool may_restart);
void service_enter_restart(struct run *run); // the wait before it is over
void service_give_up_restart(struct run *run);
// It is on its way down, and Restart= will start it again, as far as can be told.
bool service_comes_back(const struct run *run);
// The wait for main and control in a stop state is over: what follows.
void service_on_processes_gone(struct run *run, enum service_result result);

// ---- commands (service_command.c)

// The commands of the state (ExecStartPre=, ...); NULL: the state runs none.
const struct command_list *service_control_list(const struct run *run, enum service_state state);
// Other lists take the place of the ones that are being run: they go on behind the same commands.
void service_move_commands(struct run *run, const struct service_group *old,
                           const struct service_group *fresh);
// What the commands of this life are told of the service whose end has started it. 0 or -ENOMEM.
int service_note_monitored(struct run *run);
void service_handle(struct unit *u, struct unit *ended); // the unit's operation
// Starts main_index of ExecStart=. 0 under way, 1 waits (service_resume() follows), -errno
// (logged).
int service_start_main(struct run *run);
// Starts control_index of the state's list, goes to the state, and to where a failure leads.
void service_run_control(struct run *run, enum service_state state);
// OpenFile= (service_open.c): an inquiry's work, the question being a list (struct open_files). Of
// its answer the descriptors, the caller's to close, and their names are appended, in order. fds
// has room for all. 0, -ENOMEM, or why one could not be opened (logged).
void service_open_files(struct inquiry_answer *answer, const void *question);
int service_take_files(const struct run *run, struct inquiry *opened, int *fds, size_t *n,
                       char ***names);
void service_kill_control(struct run *run, int signo);

// ---- plan (service_plan.c)

// Before a command is started (command_ops.prepare): 0 run->plan is fresh and, for a main command,
// what OpenFile= names is open (cold->opened); 1 waits (run_on_known() follows); -errno.
int run_prepare(const struct command_order *o, struct fail *why);
void run_on_known(struct command_wait *w);
// The command is started, or no longer waited for.
void run_prepare_end(struct run *run);
bool run_is_preparing(const struct run *run);        // does it wait?
const char *run_prepare_text(const struct run *run); // for what, in words; NULL: it does not

// ---- the connection that it serves (service_connection.c)

// Will a command after the present one of ExecStart= need our copy? Else it is handed over, so that
// the peer sees the end when the service closes it.
bool run_keeps_connection(const struct run *run);
// The state is a new one: what is not needed any longer of the copy, and of its place in the
// limits, is given back.
void run_let_go_of_connection(struct run *run);

// ---- exhaustion (service_command.c)

// Does it wait until there is room for a process?
bool run_waits_for_room(const struct run *run);
// The time limit of a state of the start: none for a connection while it waits for room, since its
// client decides how long that is worth it.
usec_t run_start_limit(const struct run *run, usec_t limit);

// ---- the ends of processes (service_exit.c)

void service_on_main_exit(struct child *c, const siginfo_t *info);
void service_on_control_exit(struct child *c, const siginfo_t *info);
// A forking service's start waited until it was known which of its processes go on.
void service_on_daemon_known(struct run *run);

// ---- signals (service_kill.c)

enum kill_operation {
        KILL_OPERATION_TERMINATE,
        KILL_OPERATION_ABORT, // WatchdogSignal=
        KILL_OPERATION_KILL,
};
// Send it as KillMode= says. True: something was signalled whose end is to be waited for.
bool run_kill(struct run *run, enum kill_operation operation);
// Have main and control ended? Then what follows the end of the orphans follows, when that comes:
// service_on_processes_gone(), or service_on_daemon_known() in a start.
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
// It was changed while the service runs: the new time counts, from the same moment on.
void run_change_runtime(struct run *run, const struct service_group *old);

// ---- main process by pid (service_pid.c)

// Look at PIDFile=. then (may be NULL) is called once, at once or when the file system has
// answered: with 0, the main process is set (or was it already); -errno: not (yet).
void run_read_pid_file(struct run *run, bool may_warn, void (*then)(struct run *run, int r));
void run_forget_pid_file(struct run *run);            // `then` is not called
const char *run_pid_file_text(const struct run *run); // what it waits for; NULL: nothing
// In start and start-post: look again and again until the state's timeout, then go on.
void run_await_pid_file(struct run *run);
// GuessMainPID=: the one that goes on, if there is but one. 1: it is not known yet who does, and
// service_on_daemon_known() follows; 0 else.
int run_guess_main_pid(struct run *run, bool may_wait);
// Takes pid as the main process: ours by on_exit, another one's by its pidfd. One that is not of
// this service only if is_trusted. 0 or -errno.
int run_set_main_pid(struct run *run, pid_t pid, bool is_trusted);
// Is it one that may become the main process? 1; 0: it is of no service; -EBUSY: it is of another
// one, whose name is *ret_owner, or *buffer, to be freed by the caller; -EAGAIN: that is not known
// yet; other -errno: never.
int run_main_pid_is_suitable(struct run *run, pid_t pid, const char **ret_owner, char **buffer);
void run_unwatch_main(struct run *run);
void run_unwatch_control(struct run *run);
bool run_is_good(struct run *run); // what makes it "running"

// ---- the message bus (service_bus_name.c)

// Type=dbus, and BusName= of other types: 0 and it is told what becomes of the name, or this type
// has no need of it; -errno (logged): it cannot be started.
int run_watch_bus_name(struct run *run);
// Has the name an owner, if the type asks for one?
bool run_bus_name_is_good(const struct run *run);

// ---- what it says (service_notify.c)

enum notify_access run_notify_access(const struct run *run);
