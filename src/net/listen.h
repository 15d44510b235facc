// From a port to a descriptor that listens: sockets of every family, FIFOs, special files, message
// queues, and their nodes in the file system. net/sockopt sets the options that also apply to
// connections; core sets the owners of nodes.
//
// Called by core/socket/sock_open, which decides about failures.
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
        bool is_retry; // the holder of an address is known: do not look for it again
        // Owner of the node that is made (-1: as it comes). Until it has it, nobody but the
        // supervisor's own user may use the node; a node that cannot be given is removed.
        bool has_owner;
        uid_t uid;
        gid_t gid;
        struct net_node known; // a FIFO that is ours, whoever owns it
};

// Opens, binds and listens. *ret_fd: close-on-exec, non-blocking, above the low window. 0 or
// -errno, with the failed operation in *fail, and for a port in use its process, if /proc shows it.
int net_listen_open(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                    struct fail *fail);
// The protocol for socket(2): that of netlink; SocketProtocol= for the types that have it;
// else 0.
int net_port_protocol(const struct port *port, const struct socket_group *group);
// Applies Backlog= to an open listener. Peers see this process as the listening one from then on.
void net_listen_again(const struct port *port, const struct socket_group *group, int fd);
// Does the port have a node in a file system, which may not answer? If so, functions for it obey
// base/local.h.
bool net_port_has_node(const struct port *port);
// Sets SocketMode= on the node (AF_UNIX, FIFO) of the open port; nothing for ports without one. 0
// or -errno.
int net_port_chmod(const struct net_listen_params *params, const struct port *port, int fd,
                   struct fail *fail);
// Removes the node of a port (RemoveOnStop=); nothing for ports without one.
void net_port_unlink(const struct port *port);
// Sets the owner of the node (AF_UNIX, FIFO) of the open port; nothing for ports without one. 0 or
// -errno.
int net_port_chown(const struct port *port, int fd, uid_t uid, gid_t gid, struct fail *fail);
// Makes Symlinks= to the node of the unit. Existing links with this target stay; with RemoveOnStop=
// a link with another target is replaced. 0 or the first -errno (after which the other links are
// made).
int net_symlinks_make(const struct net_listen_params *params, struct fail *fail);
void net_symlinks_remove(const struct socket_group *group);
