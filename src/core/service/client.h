// The client of a run, as far as the service machine knows it: a connection
// (core/socket/connection) embeds this.
#pragma once

#include "base/def.h"

struct client_ops;
struct spawn_plan;

struct client {
        const struct client_ops *ops;
        int fd; // of the connection, owned; -1: no command of the run needs it any longer
        // Nothing else waits to be done: a start may take a moment longer, and leaves nothing to be
        // given back.
        bool is_calm;
        bool keeps_fd; // fd is kept until the release, although no command needs it
};

struct client_ops {
        // The unit name of its run, if the run has no unit; new string. 0 or -errno.
        int (*name)(const struct client *c, char **ret);
        // The name of the connection's descriptor (LISTEN_FDNAMES=), borrowed.
        const char *(*fd_name)(const struct client *c);
        // Appends variables that describe the peer to the service. 0 or -ENOMEM.
        int (*environment)(const struct client *c, char ***env);
        // The place of the plan that its run shares with others; NULL: the run has its own.
        struct spawn_plan **(*shared_plan)(const struct client *c);
        // A process of the run could not start: its user has as many as LimitNPROC= allows.
        void (*on_refused)(struct client *c);
        // No command of the run uses the connection any longer: our copy is closed, and its place
        // in the limits is released. Does nothing when called again.
        void (*release)(struct client *c);
        // The run is over, and its unit has no job. The client is freed by this call, and so is a
        // run without a unit.
        void (*on_end)(struct client *c);
};
