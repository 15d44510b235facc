// Host and service names as addresses (X-ListenName=): an inquiry asks the name services.
#pragma once

#include "conf/types.h"

struct net_names; // a question, under way or answered

// Ask for all named ports of the list; the list has to stay until the answer is taken. 0 or -errno.
int net_names_new(const struct port_list *ports, struct net_names **ret);
void net_names_free(struct net_names *names); // NULL is fine
DEFINE_CLEANUP(net_names, struct net_names *, net_names_free)
// As inquiry_fd().
int net_names_fd(const struct net_names *names);

// Called for each named port, once: with the addresses that were found (ports of their own, which
// the callback may take over by emptying the list), or with none and why in words. What it returns
// ends the walk if it is not 0.
typedef int (*net_names_cb)(const struct port *port, struct port_list *found, const char *error,
                            void *data);
// Take the answer: 0, -EAGAIN there is more to come, -ETIMEDOUT there is none, -ENOMEM, or what the
// callback returned.
int net_names_read(struct net_names *names, net_names_cb cb, void *data);
// Tests: a question that has got this answer. 0 or -ENOMEM.
int net_names_new_answered(const struct port_list *ports, const char *answer, size_t size,
                           struct net_names **ret);
