// Options of listening and accepted sockets (systemd.socket(5)): each directive to its
// setsockopt(2). Failures are reported, and not fatal.
#pragma once

#include "conf/unit_conf.h"

struct net_sockopt_failure {
        int error;             // positive errno
        const char *directive; // "KeepAlive"
};

// Sets the options of the unit that the family has. is_accepted: fd is a connection (some options
// are inherited or make no sense there). cb may be NULL.
void net_sockopt_apply(int fd, const struct port *port, const struct socket_group *group,
                       bool is_accepted,
                       void (*cb)(const struct net_sockopt_failure *failure, void *data),
                       void *data);
// For a listener that is kept over a reload: also resets options that the unit no longer sets to
// the defaults of a new socket.
void net_sockopt_reapply(int fd, const struct port *port, const struct socket_group *group,
                         void (*cb)(const struct net_sockopt_failure *failure, void *data),
                         void *data);
