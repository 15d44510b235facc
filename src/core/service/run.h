// A run: one life of a service, be it the singleton of foo.service or one of 10,000 connections.
// The state machine (core/service/service) drives both over a shared conf. The cold part is
// allocated when first needed.
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
        struct unit_conf *conf;  // reference: the conf that it was started with
        struct service *service; // the singleton that it is part of; NULL for a connection
        struct client *client;   // the connection that it serves; NULL: none
        struct spawn_plan
                *plan;          // reference (shared by the instances of a template); NULL: not made
        struct log_stream *log; // the streams of its commands (service_log.h); NULL: none
        struct run_cold *cold;  // NULL until needed
        struct child main, control;
        struct timer timer; // the current state's timeout
        // For a run that is over: reports this outside the call chain. Otherwise the place in the
        // queue for resources (core/start/spawner.h).
        struct work work;
        enum service_state state : 8;
        enum service_state waits_in : 8; // the state whose command waits
        enum service_result result : 8;
        uint8_t main_code, main_status; // exit of the last main process; code 0: there is none
        uint16_t main_index;            // in ExecStart=
        uint16_t control_index;         // in the command list of the state
        bool main_pid_known : 1, forbid_restart : 1;
        bool main_ignores_failure : 1, control_ignores_failure : 1; // `-` of the running command
        bool is_refused : 1; // a connection: its user has as many processes as LimitNPROC= allows
        bool is_empty : 1;   // no process of it was left, and none was started since
        uid_t uid;           // of its processes, as of the last start
        sd_id128_t invocation_id;
};

_Static_assert(sizeof(struct run) <= 168, "10,000 connections: keep rarely needed things cold");

// ---- changes
//
// Only service_set_state() changes its state, only core/socket/connection its client, only
// run_cold_get() and run_cold_free() its cold part; fields that a single file of the service
// machine uses are changed by that file. All other changes go through these functions:

// The run is zeroed before; takes a reference to the conf.
void run_init(struct run *run, struct manager *m, struct unit_conf *conf);
// Replaces the conf during a life: the next command and the next time limit use it. Does nothing if
// it is the same.
void run_set_conf(struct run *run, struct unit_conf *conf);
void run_share_plan(struct run *run, struct spawn_plan *plan); // takes a reference
void run_drop_plan(struct run *run);                           // the next command makes a new one
void run_drop_log(struct run *run);                            // service_log.c
// Begins a life: a new invocation id, and no result of the last one. 0 or -errno.
int run_reset_life(struct run *run);

// Only the first failure is recorded.
void run_set_result(struct run *run, enum service_result result);
void run_clear_result(struct run *run);
// A manual stop suppresses Restart= once only.
void run_forbid_restart(struct run *run, bool is_forbidden);

// run->main is being watched, and becomes the main process.
void run_set_main(struct run *run);
void run_end_main(struct run *run, const siginfo_t *info); // as of waitid(2): its exit
void run_forget_main(struct run *run);                     // the next life is not affected by it

void run_note_process(struct run *run); // a process was started
// The orphans of main and control have been searched for.
void run_note_strays(struct run *run, bool has_some);

// The index of its current command: in ExecStart=, and in the list of the state.
void run_begin_main(struct run *run);
void run_next_main(struct run *run);
void run_begin_control(struct run *run);
void run_next_control(struct run *run);
// The lists have changed: the indices of the running commands in the new ones.
void run_set_commands(struct run *run, uint16_t main_index, uint16_t control_index);
// `-` of the running command: its failure is ignored.
void run_note_main_command(struct run *run, bool ignores_failure);
void run_note_control_command(struct run *run, bool ignores_failure);
// May any of its processes put descriptors into its store? (service_notify.c)
bool run_takes_fds(const struct run *run);
