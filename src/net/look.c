#include "net/look.h"

#include "base/fd.h"
#include "base/fs_node.h"
#include "base/local.h"
#include "net/adopt.h"
#include "net/listen.h"
#include "net/sockopt.h"

#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_datagram(const struct port *port)
{
        return port->kind == PORT_SOCKET && port->type == SOCK_DGRAM;
}

// ---- the node

// Fails instead of waiting for the file system. 0 or -errno.
static int stat_path(const struct port *port, struct fs_entry *ret_entry, struct stat *ret)
{
        bool was_local = local_only_set(true);
        int r = fs_entry_open(port->path, 0, ret_entry, NULL);

        if (r == 0)
                r = fs_entry_stat(ret_entry, ret);
        (void)local_only_set(was_local);
        return r;
}

static bool is_same(const struct net_node *node, const struct stat *st)
{
        return node->dev == st->st_dev && node->ino == st->st_ino;
}

void net_node_get(int fd, const struct port *port, struct net_node *ret)
{
        bool is_socket = port->kind == PORT_SOCKET && port->path;
        CLEANUP(fd) int opened = is_socket ? fs_node_open(fd, port->path, NULL) : -1;
        int node = is_socket ? opened : port->kind == PORT_FIFO ? fd : -1;

        *ret = (struct net_node){0};
        if (node >= 0 && fd_get_node(node, &ret->dev, &ret->ino) < 0)
                *ret = (struct net_node){0};
}

static enum net_look look_at_node(int fd, const struct port *port, const struct net_node *node)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        struct stat st;

        if (port->kind == PORT_MQUEUE) // mqueue file systems need not be mounted
                return fstat(fd, &st) == 0 && st.st_nlink == 0 ? NET_LOOK_NODE_GONE : NET_LOOK_FINE;
        if (node->ino == 0 || (port->kind == PORT_SOCKET && fs_node_is_at(fd, port->path)))
                return NET_LOOK_FINE;
        int r = stat_path(port, &e, &st);

        if (r == -ENOENT || r == -ENOTDIR)
                return NET_LOOK_NODE_GONE;
        return r == 0 && !is_same(node, &st) ? NET_LOOK_NODE_TAKEN : NET_LOOK_FINE;
}

void net_node_remove(const struct port *port, const struct net_node *node)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        struct stat st;

        if (node->ino != 0 && stat_path(port, &e, &st) == 0 && is_same(node, &st))
                (void)unlinkat(e.dir, e.name, 0);
}

// ---- the socket

static bool is_shut(int fd, const struct port *port)
{
        struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
        int is_listening = 0;
        socklen_t size = sizeof(is_listening);

        if (port->kind != PORT_SOCKET)
                return false;
        // After a shutdown TCP no longer listens; other types listen, but receive nothing.
        if (!is_datagram(port) &&
            (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) < 0 || !is_listening))
                return true;
        return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLNVAL)) != 0;
}

static bool is_connected(int fd, const struct port *port)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);

        return is_datagram(port) && getpeername(fd, (struct sockaddr *)&peer, &size) == 0;
}

enum net_look net_look(int fd, const struct port *port, const struct net_node *node)
{
        if (is_shut(fd, port))
                return NET_LOOK_SHUT;
        if (is_connected(fd, port))
                return NET_LOOK_CONNECTED;
        return look_at_node(fd, port, node);
}

int net_dissolve(int fd, const struct port *port, const struct socket_group *group)
{
        const struct sockaddr none = {.sa_family = AF_UNSPEC};

        if (connect(fd, &none, sizeof(none)) < 0)
                return -errno;
        return net_adopt_fits(fd, port, group) ? 0 : -EADDRNOTAVAIL;
}

// A filter may drop everything that arrives; the kernel does not show eBPF filters.
static int remove_filter(int fd)
{
        socklen_t n = 0;
        int ignored = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &n) == 0 && n == 0)
                return 0;
        return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &ignored, sizeof(ignored)) < 0 &&
                               errno != ENOENT
                       ? -errno
                       : 0;
}

// Has the socket been shut down for sending? poll() does not show it. The kernel reports EPIPE when
// it allocates a datagram, before it reads the data; that lies beyond the end of a file, so that
// nothing is sent in any case.
static bool is_mute(int fd)
{
        CLEANUP(fd) int empty = memfd_create("empty", MFD_CLOEXEC);
        void *nothing = empty < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ, MAP_PRIVATE, empty, 0);
        struct sockaddr_storage own;
        socklen_t size = sizeof(own);
        bool has_failed = false;

        if (nothing == MAP_FAILED)
                return false;
        if (getsockname(fd, (struct sockaddr *)&own, &size) == 0)
                has_failed = sendto(fd, nothing, 1, MSG_DONTWAIT | MSG_NOSIGNAL,
                                    (struct sockaddr *)&own, size) < 0 &&
                             errno == EPIPE;
        (void)munmap(nothing, 1);
        return has_failed;
}

int net_restore(int fd, const struct port *port, const struct socket_group *group)
{
        (void)fd_set_nonblock(fd, true);
        if (port->kind != PORT_SOCKET)
                return 0;
        net_listen_again(port, group, fd);
        net_sockopt_reapply(fd, port, group, NULL, NULL);
        return is_datagram(port) && is_mute(fd) ? -EPIPE : remove_filter(fd);
}
