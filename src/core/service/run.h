// A run: one life of a service, be it the singleton of foo.service or one of 10,000 connections.
// The state machine (core/service/service) drives both over a shared conf. The cold part is
// allocated at first need.
#pragma once

#include "conf/unit_conf.h"
#include "core/loop/child.h"
#include "core/loop/events.h"

#include <signal.h>
#include <systemd/sd-id128.h>

struct client;
struct log_stream;
struct manager;
struct service;
struct spawn_plan;

enum service_state {
        SERVICE_DEAD,
        SERVICE_CONDITION,
        SERVICE_START_PRE,
        SERVICE_START,
        SERVICE_START_POST,
        SERVICE_RUNNING,
        SERVICE_EXITED,
        SERVICE_RELOAD,
        SERVICE_RELOAD_SIGNAL,
        SERVICE_RELOAD_NOTIFY,
        SERVICE_STOP,
        SERVICE_STOP_WATCHDOG,
        SERVICE_STOP_SIGTERM,
        SERVICE_STOP_SIGKILL,
        SERVICE_STOP_POST,
        SERVICE_FINAL_WATCHDOG,
        SERVICE_FINAL_SIGTERM,
        SERVICE_FINAL_SIGKILL,
        SERVICE_FAILED,
        SERVICE_DEAD_BEFORE_AUTO_RESTART,
        SERVICE_FAILED_BEFORE_AUTO_RESTART,
        SERVICE_DEAD_RESOURCES_PINNED,
        SERVICE_AUTO_RESTART,
        SERVICE_AUTO_RESTART_QUEUED,
        SERVICE_CLEANING,
        _SERVICE_STATE_MAX,
};

enum service_result {
        SERVICE_SUCCESS,
        SERVICE_FAILURE_RESOURCES,
        SERVICE_FAILURE_PROTOCOL,
        SERVICE_FAILURE_TIMEOUT,
        SERVICE_FAILURE_EXIT_CODE,
        SERVICE_FAILURE_SIGNAL,
        SERVICE_FAILURE_CORE_DUMP,
        SERVICE_FAILURE_WATCHDOG,
        SERVICE_FAILURE_START_LIMIT_HIT,
        SERVICE_FAILURE_OOM_KILL,
        SERVICE_SKIP_CONDITION,
        _SERVICE_RESULT_MAX,
};

// Times and outcome of the last main process (ExecMain* properties).
struct exec_status {
        pid_t pid;
        int code, status; // as waitid(2): CLD_EXITED ...
        usec_t start, start_rt, exit, exit_rt;
};

struct run_cold; // fd store, watchdog, notify state, status text (core/service/run_cold.h)

struct run {
        struct manager *manager;
        struct unit_conf *conf;  // reference: the conf it was started with
        struct service *service; // the singleton that it is part of; NULL for a connection
        struct client *client;   // whose connection it serves; NULL: it serves none
        struct spawn_plan
                *plan;          // reference (shared by the instances of a template); NULL: not made
        struct log_stream *log; // reference: where what it prints goes; NULL: not opened
        struct run_cold *cold;  // NULL until needed
        struct child main, control;
        struct timer timer; // the current state's timeout
        // Of a life that is over: tells it outside the call chain. Else the place among those who
        // wait until there is room for a process (core/start/spawner.h).
        struct work work;
        enum service_state state : 8;
        enum service_state waits_in : 8; // its command is the one that waits
        enum service_result result : 8;
        uint8_t main_code, main_status; // how the last main process ended; code 0: it has not
        uint16_t main_index;            // in ExecStart=
        uint16_t control_index;         // in the command list of the state
        bool main_pid_known : 1, forbid_restart : 1;
        bool main_ignores_failure : 1, control_ignores_failure : 1; // `-` of the running command
        bool is_refused : 1; // a connection: its user has all the processes that LimitNPROC= lets
                             // it
        bool is_empty : 1;   // no process of it was left, and none was started since
        uid_t uid;           // of its processes, since the last start
        sd_id128_t invocation_id;
};

_Static_assert(sizeof(struct run) <= 168, "10,000 connections: keep rarely needed things cold");

// ---- who changes it
//
// Its state is changed by service_set_state() alone, its client by core/socket/connection, its cold
// part by run_cold_get() and run_cold_free(), what a single file of the service machine has to do
// with it by that. All else goes through these.

// Zeroed before; takes a reference to the conf.
void run_init(struct run *run, struct manager *m, struct unit_conf *conf);
// The life goes on with other settings: the next command, the next time limit. Nothing happens if
// they are the same.
void run_set_conf(struct run *run, struct unit_conf *conf);
void run_share_plan(struct run *run, struct spawn_plan *plan); // takes a reference
void run_drop_plan(struct run *run);                           // the next command makes one
void run_drop_log(struct run *run);                            // service_log.c
// A life begins: a new invocation id, and nothing of how the last one went. 0 or -errno.
int run_reset_life(struct run *run);

// What went wrong first counts.
void run_set_result(struct run *run, enum service_result result);
void run_clear_result(struct run *run);
// A stop by hand suppresses Restart= once only.
void run_forbid_restart(struct run *run, bool is_forbidden);

// run->main is watched, and is the main process.
void run_set_main(struct run *run);
void run_end_main(struct run *run, const siginfo_t *info); // as of waitid(2): how it has ended
void run_forget_main(struct run *run); // what it was means nothing for the next life

void run_note_process(struct run *run); // there is one more
// It has been looked for what main and control left behind.
void run_note_strays(struct run *run, bool has_some);

// Which of its commands is next: of ExecStart=, and in the list of the state.
void run_begin_main(struct run *run);
void run_next_main(struct run *run);
void run_begin_control(struct run *run);
void run_next_control(struct run *run);
// The lists have changed: where the commands that run are now.
void run_set_commands(struct run *run, uint16_t main_index, uint16_t control_index);
// `-` of the command that runs: it cannot fail.
void run_note_main_command(struct run *run, bool ignores_failure);
void run_note_control_command(struct run *run, bool ignores_failure);
