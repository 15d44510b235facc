// The notify protocol (sd_notify(3)): one datagram socket for all services. Owns the socket, parses
// and bounds messages, and finds the run that the sender belongs to. core/service/service_notify
// applies a message to the run. Violations are dropped with one warning.
#pragma once

#include "core/service/run.h"

#include <sys/types.h>

#define NOTIFY_MESSAGE_MAX 4096
#define NOTIFY_FDS_MAX 768

struct notify_message;
struct notify_socket;
struct ucred;

typedef void notify_handler(struct run *run, const struct ucred *sender,
                            struct notify_message *message, int *fds, size_t n_fds);

// Opens runtime_dir/notify (an abstract address if that path is too long). 0 or -errno.
int notify_socket_new(struct manager *m, notify_handler *on_message, struct notify_socket **ret);
void notify_socket_free(struct notify_socket *n); // NULL is fine
DEFINE_CLEANUP(notify_socket, struct notify_socket *, notify_socket_free)
// "NOTIFY_SOCKET=/run/usher/notify", borrowed.
const char *notify_socket_environment(const struct notify_socket *n);
// Handles the messages that have arrived, before another event is acted on (the end of a process).
void notify_socket_drain(struct notify_socket *n);

// One parsed message. Strings point into the text that was parsed; NULL: not in it.
struct notify_message {
        bool ready, reloading, stopping, watchdog, watchdog_trigger;
        bool fdstore, fdstore_remove, fdpoll_off, barrier, restart_reset;
        const char *status, *fdname, *main_pid, *notify_access, *status_errno;
        usec_t monotonic;      // MONOTONIC_USEC=; USEC_INFINITY: not in it
        usec_t watchdog_usec;  // USEC_INFINITY: not in it
        usec_t extend_timeout; // USEC_INFINITY: not in it
        size_t n_assignments;
};

// Parses text in place (size bytes, followed by a NUL that the caller adds). 0; -EINVAL: an
// embedded NUL, or empty. Public for tests.
int notify_parse(char *text, size_t size, struct notify_message *ret);
