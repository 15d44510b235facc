// From a port to a descriptor that listens: sockets of every family, FIFOs, special files, message
// queues, with the nodes that they leave in the file system. Options that are set on connections,
// too, are net/sockopt's; owners of nodes are the core's to set.
//
// Called by core/socket/sock_open, which decides what a failure means.
#pragma once

#include "base/fail.h"
#include "conf/unit_conf.h"
#include "net/node.h"

struct net_listen_params {
        const struct socket_group *socket;
        unsigned umask; // the supervisor's
        // A node that is in the way is removed as it is (systemd's way); else it is asked first,
        // and only a socket that nobody listens on is removed.
        bool unlink_blindly;
        bool is_retry;         // who holds an address is known: it is not looked for again
        struct net_node known; // a FIFO that is ours, whoever owns it
};

// Opens, binds and listens. *ret_fd: close-on-exec, non-blocking, above the low window. 0 or
// -errno, with *fail saying what could not be done, and for a port in use by whom, where /proc
// shows it.
int net_listen_open(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                    struct fail *fail);
// The protocol for socket(2): that of netlink; SocketProtocol= where the type has it (features
// §1.1: not applied to others); else 0.
int net_port_protocol(const struct port *port, const struct socket_group *group);
// Applies Backlog= to an open listener. Peers see this process as the listening one from then on.
void net_listen_again(const struct port *port, const struct socket_group *group, int fd);
// Does it come to a file system, which may not answer? What does so heeds base/local.h.
bool net_port_has_node(const struct port *port);
// SocketMode= of the node (AF_UNIX, FIFO) of the open port; nothing for those without one. 0 or
// -errno.
int net_port_chmod(const struct net_listen_params *params, const struct port *port, int fd,
                   struct fail *fail);
// Remove the node of a port (RemoveOnStop=); nothing for those without one.
void net_port_unlink(const struct port *port);
// Give the node (AF_UNIX, FIFO) of the open port to its owner; nothing for those without one. 0 or
// -errno.
int net_port_chown(const struct port *port, int fd, uid_t uid, gid_t gid, struct fail *fail);
// Symlinks= to the node of the unit. One that is there already, and right, is fine; with
// RemoveOnStop= another one is replaced. 0 or the first -errno (the others are made all the same).
int net_symlinks_make(const struct net_listen_params *params, struct fail *fail);
void net_symlinks_remove(const struct socket_group *group);
