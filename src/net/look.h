// Checks a listener that other processes share: a service may shut it down, connect it, set its
// options, and remove its node, as may the owner of the node's folder. Called by
// core/socket/sock_mend.
#pragma once

#include "conf/unit_conf.h"
#include "net/node.h"

enum net_look {
        NET_LOOK_FINE,
        NET_LOOK_SHUT,       // nothing can arrive any more
        NET_LOOK_CONNECTED,  // a datagram socket that receives only from one peer: net_dissolve()
        NET_LOOK_NODE_GONE,  // its path no longer exists
        NET_LOOK_NODE_TAKEN, // another node has its path
};

// Called right after fd was opened: identifies its node in the file system.
void net_node_get(int fd, const struct port *port, struct net_node *ret);
enum net_look net_look(int fd, const struct port *port, const struct net_node *node);
// 0; -errno: it has to be reopened.
int net_dissolve(int fd, const struct port *port, const struct socket_group *group);
// Called when no other process uses the listener: restores the unit's settings that a service may
// have changed (blocking mode, backlog, filters, options). 0. It has to be opened again if the
// result is -EPERM (a filter cannot be removed) or -EPIPE (it was shut down for sending, which a
// service that only receives may intend).
int net_restore(int fd, const struct port *port, const struct socket_group *group);
// Removes the node if the path still leads to it.
void net_node_remove(const struct port *port, const struct net_node *node);
