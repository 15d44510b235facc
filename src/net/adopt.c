#include "net/adopt.h"

#include "base/fd.h"
#include "base/fs_node.h"
#include "base/local.h"
#include "base/str.h"
#include "conf/address.h"
#include "net/listen.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_LINK_MAX 32

static int get_int(int fd, int option, int fallback)
{
        socklen_t size = sizeof(int);
        int value = fallback;

        return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? fallback : value;
}

// Like stat(2). 0; -EREMOTE if it could block; another -errno.
static int look(const char *path, struct stat *ret)
{
        bool was_only = local_only_set(true);
        CLEANUP(fd) int fd = fs_open_trusting(path, O_PATH, FS_EVERYBODY, NULL, NULL);
        int r = local_was_refused() ? -EREMOTE : fd < 0 ? fd : fstat(fd, ret) < 0 ? -errno : 0;

        (void)local_only_set(was_only);
        return r;
}

// Is that the path of fd in the kernel? No file system is asked.
static bool is_called(int fd, const char *path)
{
        char link[FD_LINK_MAX], target[PATH_MAX];

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, target, sizeof(target) - 1);

        if (n < 0)
                return false;
        target[n] = '\0';
        return streq(target, path);
}

// A node that cannot be checked without blocking counts as existing: the socket was bound to that
// path.
static bool fits_node(int fd, const struct port *port, const struct address *own)
{
        struct stat st;

        if (own->addr.sa.sa_family != AF_UNIX ||
            strncmp(own->addr.un.sun_path, port->path, sizeof(own->addr.un.sun_path)) != 0)
                return false;
        if (fs_node_is_at(fd, port->path))
                return true;
        int r = look(port->path, &st);

        return r == -EREMOTE || (r == 0 && S_ISSOCK(st.st_mode));
}

// For FIFOs and special files.
static bool fits_file(int fd, const struct port *port)
{
        struct net_node own;
        struct stat st;
        int r = fd_get_node(fd, &own.dev, &own.ino);

        if (r == 0)
                r = look(port->path, &st);
        if (r == -EREMOTE)
                return is_called(fd, port->path);
        return r == 0 && own.dev == st.st_dev && own.ino == st.st_ino &&
               (port->kind == PORT_FIFO) == (S_ISFIFO(st.st_mode) != 0);
}

static bool fits_socket(int fd, const struct port *port, const struct socket_group *group)
{
        struct address own = {.size = sizeof(own.addr)};
        bool has_backlog = port->kind == PORT_SOCKET &&
                           (port->type == SOCK_STREAM || port->type == SOCK_SEQPACKET);
        int protocol = net_port_protocol(port, group);

        if (get_int(fd, SO_TYPE, -1) != port->type ||
            (has_backlog && get_int(fd, SO_ACCEPTCONN, 0) == 0) ||
            (protocol > 0 && get_int(fd, SO_PROTOCOL, -1) != protocol) ||
            getsockname(fd, &own.addr.sa, &own.size) < 0)
                return false;
        // The kernel's size of a path includes the NUL; both sizes mean the same name.
        if (port->path)
                return fits_node(fd, port, &own);
        return address_equal(&own, &port->address);
}

bool net_adopt_fits(int fd, const struct port *port, const struct socket_group *group)
{
        if (port->kind == PORT_SOCKET || port->kind == PORT_NETLINK)
                return fits_socket(fd, port, group);
        if (port->kind == PORT_MQUEUE) // mqueue file systems need not be mounted
                return is_called(fd, port->path);
        return fits_file(fd, port);
}
