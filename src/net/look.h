// What has become of a listener that others have, too: a service may shut it down, connect it, set
// its options, and remove its node; so may whoever owns the folder. Called by
// core/socket/sock_mend.
#pragma once

#include "conf/unit_conf.h"
#include "net/node.h"

enum net_look {
        NET_LOOK_FINE,
        NET_LOOK_SHUT,       // nothing arrives any more, nor ever will
        NET_LOOK_CONNECTED,  // a datagram socket that hears one peer alone: net_dissolve()
        NET_LOOK_NODE_GONE,  // its path does not exist any more
        NET_LOOK_NODE_TAKEN, // another node has its path
};

// Right after it was opened: which node of the file system is its own?
void net_node_get(int fd, const struct port *port, struct net_node *ret);
enum net_look net_look(int fd, const struct port *port, const struct net_node *node);
// 0; -errno: it has to be reopened.
int net_dissolve(int fd, const struct port *port, const struct socket_group *group);
// Nobody else uses it now: what a service may have set on the socket is as the unit says again
// (blocking mode, backlog, filters, options). 0; it has to be opened anew: -EPERM, a filter cannot
// be taken off it; -EPIPE, it was shut for what is sent (a service that only hears may want that).
int net_restore(int fd, const struct port *port, const struct socket_group *group);
// Remove the node, if it is still that one.
void net_node_remove(const struct port *port, const struct net_node *node);
