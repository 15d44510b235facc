// Services: the unit type and the state machine that drives every run (singletons and connections).
// Split by meaning: service.c (unit ops), service_state.c (names, state changes), service_start.c,
// service_stop.c, service_exit.c (the exit of a process), service_command.c (running one command),
// service_kill.c (signals), service_timer.c, service_pid.c (PID files), service_notify.c (messages
// of services); restart.c is the pure policy, notify.c the notify socket.
#pragma once

#include "core/service/run.h"
#include "core/unit/unit.h"

struct notify_message;
struct removal;
struct ucred;

struct service {
        struct unit unit;
        struct run run; // for the current (or last) life; conf is the one that it was started with
        unsigned n_restarts;
        struct exec_status main_status;
        bool flush_n_restarts; // the counter stays visible until the next start
        struct removal
                *removal; // removal of what the last life left behind, in progress; NULL: none
        struct cleaning *cleaning; // in progress; NULL: none
        enum service_result clean_result;
};

extern const struct unit_ops service_ops;

static inline struct service *service_of(const struct unit *u)
{
        return CONTAINER_OF(u, struct service, unit);
}

const char *service_state_name(enum service_state s);   // "start-pre", ...
const char *service_result_name(enum service_result r); // "exit-code", ...
enum active_state service_state_to_active(enum service_state s);
bool service_state_is_over(enum service_state s); // dead, failed, pinned

// The unit name of a run: a singleton's id, or formatted into *buffer (freed by the caller).
const char *run_name(const struct run *run, char **buffer);
// The sender, one of its processes, has sent a message. Takes over all of fds.
void service_on_notify(struct run *run, const struct ucred *sender, struct notify_message *message,
                       int *fds, size_t n_fds);

// ---- runs of connections (core/socket/connection calls these)

// Begins the life of a connection's run (run->client is set). Returns at once; the client is
// notified of the end. 0 or -errno (then nothing was started).
int service_run_start(struct run *run);
// Frees the resources of a run that is over (plan, cold part, timers), not the run itself.
void service_run_done(struct run *run);
// Asks a run to stop (unit stop, shutdown). It ends through the usual states.
void service_run_stop(struct run *run);
int service_run_kill(struct run *run, const char *who, int signo);

// States in which a socket may listen again / must not be triggered.
bool service_lets_socket_listen(const struct service *s);
// Status text of the service (STATUS= or usher's own), or NULL.
const char *run_status_text(const struct run *run);
int run_status_errno(const struct run *run);          // ERRNO= of the service, 0: none
const char *run_reload_result(const struct run *run); // "success", ...
size_t run_fdstore_count(const struct run *run);
