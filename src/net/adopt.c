#include "net/adopt.h"

#include "base/str.h"
#include "conf/address.h"
#include "net/listen.h"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static int get_int(int fd, int option, int fallback)
{
        socklen_t size = sizeof(int);
        int value = fallback;

        return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? fallback : value;
}

static bool fits_socket(int fd, const struct port *port, const struct socket_group *group)
{
        struct address own = {.size = sizeof(own.addr)};
        bool has_backlog = port->kind == PORT_SOCKET &&
                           (port->type == SOCK_STREAM || port->type == SOCK_SEQPACKET);
        int protocol = net_port_protocol(port, group);
        struct stat st;

        if (get_int(fd, SO_TYPE, -1) != port->type ||
            (has_backlog && get_int(fd, SO_ACCEPTCONN, 0) == 0) ||
            (protocol > 0 && get_int(fd, SO_PROTOCOL, -1) != protocol) ||
            getsockname(fd, &own.addr.sa, &own.size) < 0)
                return false;
        // The kernel counts the NUL of a path; both sizes mean the same name.
        if (port->path)
                return own.addr.sa.sa_family == AF_UNIX &&
                       strncmp(own.addr.un.sun_path, port->path, sizeof(own.addr.un.sun_path)) ==
                               0 &&
                       stat(port->path, &st) == 0 && S_ISSOCK(st.st_mode);
        return address_equal(&own, &port->address);
}

bool net_adopt_fits(int fd, const struct port *port, const struct socket_group *group)
{
        struct stat own, node;

        if (port->kind == PORT_SOCKET || port->kind == PORT_NETLINK)
                return fits_socket(fd, port, group);
        if (port->kind == PORT_MQUEUE) { // its node is in no folder that need be mounted
                CLEANUP(free) char *link = str_printf("/proc/self/fd/%d", fd);
                char target[NAME_MAX + 2];
                ssize_t n = link ? readlink(link, target, sizeof(target) - 1) : -1;

                if (n < 0)
                        return false;
                target[n] = '\0';
                return streq(target, port->path);
        }
        return fstat(fd, &own) == 0 && stat(port->path, &node) == 0 && own.st_dev == node.st_dev &&
               own.st_ino == node.st_ino &&
               (port->kind == PORT_FIFO) == (S_ISFIFO(own.st_mode) != 0);
}
