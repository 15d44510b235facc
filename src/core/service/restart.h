// The meaning of a process's exit, and whether a service is restarted: pure policy. No clock, no
// process, no log. Called by core/service/service_exit and core/service/service_stop.
#pragma once

#include "conf/enums.h"
#include "core/service/run.h"

// Which signals count as a clean end (systemd.service(5)).
enum exit_clean {
        EXIT_CLEAN_DAEMON,  // SIGHUP, SIGINT, SIGTERM, SIGPIPE do
        EXIT_CLEAN_COMMAND, // no signal does
};

// code, status: as waitid(2); code 0: unknown, which counts as a failure. success:
// SuccessExitStatus=; may be NULL. Public for tests.
bool exit_is_clean(int code, int status, enum exit_clean clean, const struct exit_set *success);
enum service_result exit_result(int code, int status, enum exit_clean clean,
                                const struct exit_set *success);

struct restart_policy {
        enum service_restart restart;
        const struct exit_set *prevent, *force;
        usec_t sec, max_delay; // RestartSec=, RestartMaxDelaySec=
        unsigned steps;        // RestartSteps=
};

// How the life ended.
struct restart_cause {
        enum service_result result;
        int main_code, main_status; // code 0: there is no exit of the main process to judge
        bool is_manual_stop;        // or the restart is unwanted for another reason
};

bool restart_is_due(const struct restart_policy *p, const struct restart_cause *cause);
// Wait before the restart that follows n_restarts others (grows in `steps` geometric steps).
usec_t restart_delay(const struct restart_policy *p, unsigned n_restarts);
