// Host and service names as addresses (X-ListenName=): an inquiry asks the name services.
#pragma once

#include "conf/types.h"

struct net_names; // a query, pending or answered

// Queries all named ports of the list, which must not change until the answer is read. 0 or -errno.
int net_names_new(const struct port_list *ports, struct net_names **ret);
void net_names_free(struct net_names *names); // NULL is fine
DEFINE_CLEANUP(net_names, struct net_names *, net_names_free)
// As inquiry_fd().
int net_names_fd(const struct net_names *names);

// Called once for each named port: with the addresses found (as separate ports, which the callback
// may take over by emptying the list), or with none and the reason in words. A result other than 0
// ends the walk.
typedef int (*net_names_cb)(const struct port *port, struct port_list *found, const char *error,
                            void *data);
// Reads the answer: 0, -EAGAIN: not complete yet, -ETIMEDOUT: there is none, -ENOMEM, or the
// callback's result.
int net_names_read(struct net_names *names, net_names_cb cb, void *data);
// For tests: a query with this answer. 0 or -ENOMEM.
int net_names_new_answered(const struct port_list *ports, const char *answer, size_t size,
                           struct net_names **ret);
