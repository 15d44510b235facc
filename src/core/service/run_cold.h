// The cold part of a run: fields that few services need. Allocated when first needed, freed with
// the run. Read by core/service/service*, core/service/notify and the bus.
#pragma once

#include "base/rate.h"
#include "core/service/bus_names.h"
#include "core/service/fdstore.h"
#include "core/service/run.h"
#include "core/start/command.h"
#include "core/start/orphans.h"

struct pid_reading;

enum notify_state {
        NOTIFY_STATE_UNKNOWN,
        NOTIFY_STATE_READY,
        NOTIFY_STATE_RELOADING,
        NOTIFY_STATE_STOPPING
};

#define NOTIFY_ACCESS_UNSET (-1)

struct run_cold {
        struct run *run;
        // set by the service (notify protocol)
        enum notify_state notify_state;
        int notify_access_override; // enum notify_access, or NOTIFY_ACCESS_UNSET
        char *status_text;
        int status_errno;
        enum service_result reload_result;
        usec_t reload_begin;      // of the reload in progress
        usec_t extend_until;      // EXTEND_TIMEOUT_USEC=, absolute; 0: none
        usec_t runtime_until;     // the running state's own limit, absolute; 0: none
        usec_t watchdog_override; // WATCHDOG_USEC=; USEC_INFINITY: none
        usec_t watchdog_stamp;
        struct timer watchdog_timer;
        char **monitored;      // MONITOR_* for this life: of the service whose end has started it
        char **monitored_next; // MONITOR_* for the next life: of the service whose end is about to
                               // start it
        // starts
        struct watch exec_watch;       // Type=exec: result of the exec; fd -1: none
        struct command_wait wait;      // the wait of its next command
        struct inquiry *opened;        // OpenFile=: the open files, or the inquiry that opens them
        struct unit_conf *opened_conf; // reference: the conf that they belong to
        bool awaits_removal;           // of what the last life left behind
        struct timer idle_timer;       // Type=idle
        usec_t idle_until;             // 0: it does not wait
        struct timer pid_file_timer;   // PIDFile= does not exist yet
        struct pid_reading *pid_reading; // a read of it in progress; NULL: none
        bool is_pid_file_far;            // reading it has to wait for a file system
        enum service_result exit_result; // of the main process, which may have left a successor
        struct bus_name bus_name;        // BusName=, from the first start on
        struct orphans_wait strays_wait; // processes that are not ours to wait for
        struct fdstore fdstore;
        struct spawn_plan *folders; // reference: whose RuntimeDirectory= it uses (folders.h)
};

// Existing or newly allocated; NULL: no memory.
struct run_cold *run_cold_get(struct run *run);
void run_cold_free(struct run *run); // stops its timers and watches; run->cold is NULL afterwards
