// A connection between accept(2) and its instance: it passes a sequence of gates, each of which
// admits or refuses it. A refused connection is closed and counted (core/socket/refusals); nothing
// is allocated for it, and it does not use up a limit of the connections that are served
// (difference refused-uncounted).
//
// Called by core/socket/sock_run.
#pragma once

#include "conf/enums.h"
#include "net/peer.h"

struct listener;
struct sock;

enum incoming_end {
        INCOMING_SERVED, // an instance serves it
        INCOMING_CLOSED, // it was refused, or its peer had closed already
        INCOMING_STOP,   // it could not be served: the socket has paused, or is stopping
};

// Takes over fd, which has just been accepted from remote.
enum incoming_end incoming_pass(struct listener *l, int fd, const struct address *remote,
                                usec_t now, bool is_last);
// The same if it is known that no instance can serve it: -errno says why.
void incoming_drop(struct listener *l, int fd, int error, usec_t now);
// The same for a connection whose instance could not start: its user has as many processes as
// LimitNPROC= allows.
void incoming_refused_by_service(struct sock *s, const struct peer_info *peer, enum log_peer how);
