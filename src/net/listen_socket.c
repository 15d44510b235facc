// Sockets: making them, the options that must be set before bind, bind and listen.
#include "net/listen_priv.h"

#include "base/fd.h"
#include "net/holder.h"

#include <unistd.h>

static bool is_ip(const struct port *port)
{
        sa_family_t family = port->address.addr.sa.sa_family;

        return family == AF_INET || family == AF_INET6;
}

int net_port_protocol(const struct port *port, const struct socket_group *group)
{
        if (port->kind == PORT_NETLINK)
                return port->protocol;
        if (port->kind != PORT_SOCKET || !is_ip(port))
                return 0;
        switch (group->socket_protocol) {
        case IPPROTO_UDPLITE:
                return port->type == SOCK_DGRAM ? IPPROTO_UDPLITE : 0;
        case IPPROTO_SCTP:
                return port->type != SOCK_DGRAM ? IPPROTO_SCTP : 0;
        case PROTOCOL_MPTCP:
                return port->type == SOCK_STREAM ? PROTOCOL_MPTCP : 0;
        default:
                return 0;
        }
}

static int set_flag(int fd, int level, int option)
{
        int one = 1;

        return setsockopt(fd, level, option, &one, sizeof(one)) < 0 ? -errno : 0;
}

// Sets the options without which the socket would not be the requested one.
static int set_required(int fd, const struct net_listen_params *params, const struct port *port,
                        struct fail *fail)
{
        const struct socket_group *g = params->socket;
        int only = g->bind_ipv6_only == BIND_IPV6_IPV6_ONLY;

        if (port->address.addr.sa.sa_family == AF_INET6 && g->bind_ipv6_only != BIND_IPV6_DEFAULT &&
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
                return fail_set(fail, errno, "set BindIPv6Only=", "%s", port->text);
        if (is_ip(port) && g->bind_to_device &&
            setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, g->bind_to_device,
                       (socklen_t)strlen(g->bind_to_device) + 1) < 0)
                return fail_set(fail, errno, "set BindToDevice=", "%s", g->bind_to_device);
        if (set_flag(fd, SOL_SOCKET, SO_REUSEADDR) < 0)
                return fail_set(fail, errno, "set SO_REUSEADDR", "%s", port->text);
        return 0;
}

// Sets the options whose failure appears at bind, or is harmless.
static void set_wished(int fd, const struct net_listen_params *params, const struct port *port)
{
        const struct socket_group *g = params->socket;
        bool is_v6 = port->address.addr.sa.sa_family == AF_INET6;

        if (!is_ip(port))
                return;
        if (g->reuse_port)
                (void)set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
        if (g->free_bind)
                (void)set_flag(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                               is_v6 ? IPV6_FREEBIND : IP_FREEBIND);
        if (g->transparent)
                (void)set_flag(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                               is_v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT);
}

static bool has_backlog(const struct port *port)
{
        return port->kind == PORT_SOCKET &&
               (port->type == SOCK_STREAM || port->type == SOCK_SEQPACKET);
}

// A number too large for an int also means as many as the kernel allows.
static int backlog_of(const struct socket_group *g)
{
        return g->backlog > INT32_MAX ? INT32_MAX : (int)g->backlog;
}

void net_listen_again(const struct port *port, const struct socket_group *group, int fd)
{
        if (has_backlog(port))
                (void)listen(fd, backlog_of(group));
}

static int bind_socket(int fd, const struct net_listen_params *params, const struct port *port,
                       struct fail *fail)
{
        char holder[NET_HOLDER_MAX];

        if (port->path)
                return listen_unix_bind(fd, params, port, fail);
        if (bind(fd, &port->address.addr.sa, port->address.size) == 0)
                return 0;
        int error = errno;

        holder[0] = '\0';
        if (error == EADDRINUSE && !params->is_retry)
                net_holder_of_address(port, holder);
        return fail_set(fail, error, "bind", holder[0] ? "%s (held by %s)" : "%s%s", port->text,
                        holder);
}

int listen_socket(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                  struct fail *fail)
{
        CLEANUP(fd)
        int fd = socket(port->address.addr.sa.sa_family, port->type | SOCK_CLOEXEC | SOCK_NONBLOCK,
                        net_port_protocol(port, params->socket));

        if (fd < 0)
                return fail_set(fail, errno, "socket", "%s", port->text);
        int r = set_required(fd, params, port, fail);

        if (r < 0)
                return r;
        set_wished(fd, params, port);
        r = bind_socket(fd, params, port, fail);
        if (r < 0)
                return r;
        if (has_backlog(port) && listen(fd, backlog_of(params->socket)) < 0) {
                char holder[NET_HOLDER_MAX] = "";
                int error = errno;

                if (error == EADDRINUSE &&
                    !params->is_retry) // SO_REUSEADDR lets bind pass, and listen sees it
                        net_holder_of_address(port, holder);
                return fail_set(fail, error, "listen", holder[0] ? "%s (held by %s)" : "%s%s",
                                port->text, holder);
        }
        *ret_fd = TAKE_FD(fd);
        return 0;
}
