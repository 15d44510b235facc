// Who the users and groups of SocketUser= and SocketGroup= are. All sockets that ask for the same
// ones at the same time share one look-up, which never holds up the loop: local files are read in
// the next turn, other name services are asked by a process of its own (spawn/ids.h).
#pragma once

#include "core/unit/manager.h"

struct owner_question; // one pair of names that is being looked up

struct owner_answer {
        int r;         // 0; -ESRCH: there is no such user or group; -ETIMEDOUT: no answer; -errno
        bool has_user; // so r is about the group
        uid_t uid;     // (uid_t)-1: none was asked for
        gid_t gid;     // the group's, or the user's own
};

// Embedded in who asks. Zero-initialise.
struct owner_waiter {
        struct list_node node;
        struct owner_question *question; // NULL: it asks nothing
        void (*on_known)(struct owner_waiter *w, const struct owner_answer *answer);
};

// Asks. user, group: NULL: none (not both); copied. on_known is called once, later. 0 or -ENOMEM.
int owners_ask(struct manager *m, struct owner_waiter *w, const char *user, const char *group);
// Does not want to know any longer; may be repeated.
void owners_forget(struct owner_waiter *w);
