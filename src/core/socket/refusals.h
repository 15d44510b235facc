// Connections that are not served, and the log lines that name their peers: a few of each kind in
// 30 seconds; one line says at the end how many more there were. A line that is left out costs no
// system call.
//
// Called by core/socket/incoming and core/socket/sock_run; the counters of the socket are theirs.
#pragma once

#include "net/peer.h"

struct refusals;
struct sock;

enum refusal {
        REFUSAL_FULL,                      // MaxConnections=
        REFUSAL_SOURCE,                    // MaxConnectionsPerSource=
        REFUSAL_STOPPING,                  // a stop of the socket is pending
        REFUSAL_LIMIT,                     // TriggerLimitBurst=
        REFUSAL_SERVICE,                   // LimitNPROC= of its service
        _REFUSAL_COUNTED,                  // those before are counted for each socket (NRefused)
        REFUSAL_FAILED = _REFUSAL_COUNTED, // it could not be served
        REFUSAL_GONE,                      // not by us: its peer has closed it already
        _REFUSAL_MAX,
};

struct refused {
        enum refusal why;
        enum log_peer log_peer;
        int error;                    // REFUSAL_FAILED: the reason, errno
        const struct peer_info *peer; // NULL: it is asked for
        int fd;                       // of the connection; used if peer is NULL
};

#define REFUSALS_INTERVAL (30 * USEC_PER_SEC)
#define REFUSALS_BURST 5 // lines of one kind in that time

// Logs it, or counts it for the line that follows.
void refusals_tell(struct sock *s, const struct refused *refused, usec_t now);
// The socket is freed: what was counted is logged now.
void refusals_done(struct sock *s);
