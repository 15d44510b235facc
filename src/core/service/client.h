// Whom a run serves, as far as the service machine knows it: a connection (core/socket/connection.h
// embeds this).
#pragma once

#include "base/def.h"

struct client_ops;
struct spawn_plan;

struct client {
        const struct client_ops *ops;
        int fd; // of the connection, owned; -1: no command of the run needs it any more
        // Nothing else waits to be done: a start may take a moment longer, and leaves nothing to be
        // given back.
        bool is_calm;
};

struct client_ops {
        // The unit's name of its run, where that has no unit; new string. 0 or -errno.
        int (*name)(const struct client *c, char **ret);
        // What the connection is called among the descriptors (LISTEN_FDNAMES=), borrowed.
        const char *(*fd_name)(const struct client *c);
        // Variables that tell the service about its peer, appended. 0 or -ENOMEM.
        int (*environment)(const struct client *c, char ***env);
        // Where the plan is that its run shares with others; NULL: the run has one of its own.
        struct spawn_plan **(*shared_plan)(const struct client *c);
        // A process of the run could not begin: its user has all that LimitNPROC= lets it have.
        void (*on_refused)(struct client *c);
        // Nothing of the run uses the connection any longer: our copy is closed, and its place in
        // the limits is given back. Nothing happens the second time.
        void (*release)(struct client *c);
        // The run is over, and there is no job for its unit. The client is gone afterwards, and so
        // is a run that is no unit's.
        void (*on_end)(struct client *c);
};
