// The cold part of a run: what few services need. Allocated at first need, freed with the run.
// Embedded by nobody; read by core/service*, core/notify and the bus.
#pragma once

#include "base/rate.h"
#include "core/bus_names.h"
#include "core/fdstore.h"
#include "core/run.h"

struct ids_lookup;

enum notify_state {
        NOTIFY_STATE_UNKNOWN,
        NOTIFY_STATE_READY,
        NOTIFY_STATE_RELOADING,
        NOTIFY_STATE_STOPPING
};

#define NOTIFY_ACCESS_UNSET (-1)

struct run_cold {
        struct run *run;
        // told by the service (notify protocol)
        enum notify_state notify_state;
        int notify_access_override; // enum notify_access, or NOTIFY_ACCESS_UNSET
        char *status_text;
        int status_errno;
        enum service_result reload_result;
        usec_t reload_begin;      // of the reload under way
        usec_t extend_until;      // EXTEND_TIMEOUT_USEC=, absolute; 0: none
        usec_t runtime_until;     // the running state's own limit, absolute; 0: none
        usec_t watchdog_override; // WATCHDOG_USEC=; USEC_INFINITY: none
        usec_t watchdog_stamp;
        struct timer watchdog_timer;
        // starts
        struct watch exec_watch;     // Type=exec: result of the exec; fd -1: none
        struct watch lookup_watch;   // fd borrowed of lookup
        struct ids_lookup *lookup;   // users and groups that are being asked for
        struct timer idle_timer;     // Type=idle
        usec_t idle_until;           // 0: does not wait
        struct timer pid_file_timer; // PIDFile= is not there yet
        struct bus_name bus_name;    // BusName=, from the first start on
        // processes that are not ours to wait for: looked for by and by
        struct timer sweep_timer;
        usec_t sweep_wait;
        struct fdstore fdstore;
};

// Existing or new; NULL: no memory.
struct run_cold *run_cold_get(struct run *run);
void run_cold_free(struct run *run); // stops its timers and watches; run->cold is NULL then
