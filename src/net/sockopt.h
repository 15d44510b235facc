// Options of listening and accepted sockets (systemd.socket(5)): each directive to its
// setsockopt(2). Failures are reported, and not fatal.
#pragma once

#include "conf/unit_conf.h"

struct net_sockopt_failure {
        int error;             // positive errno
        const char *directive; // "KeepAlive"
};

// Set what the unit asks for; what a family does not have is left alone. is_accepted: fd is a
// connection (a few options are inherited or make no sense there). cb may be NULL.
void net_sockopt_apply(int fd, const struct port *port, const struct socket_group *group,
                       bool is_accepted,
                       void (*cb)(const struct net_sockopt_failure *failure, void *data),
                       void *data);
// For a listener that is kept over a reload: also set back what is no longer asked for, to what a
// new socket has.
void net_sockopt_reapply(int fd, const struct port *port, const struct socket_group *group,
                         void (*cb)(const struct net_sockopt_failure *failure, void *data),
                         void *data);
