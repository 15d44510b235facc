#include "net/sockopt.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "conf/directive.h"
#include "conf/group.h"
#include "net/listen.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>

#define CONGESTION_NAME_MAX 16 // TCP_CA_NAME_MAX of the kernel

struct applying {
        int fd;
        int fresh; // what a new socket has is set where nothing is asked for; -1: it is left alone
        sa_family_t family; // AF_UNSPEC: no socket
        bool is_tcp, is_sctp;
        void (*cb)(const struct net_sockopt_failure *failure, void *data);
        void *data;
};

static void fail(const struct applying *a, const char *directive, int error)
{
        const struct net_sockopt_failure failure = {error, directive};

        if (a->cb)
                a->cb(&failure, a->data);
}

// Must the option be set? If the unit does not set it, *value becomes the default of a new socket.
static bool is_due(const struct applying *a, bool is_wanted, int level, int option, int *value)
{
        socklen_t size = sizeof(int);
        int now;

        if (is_wanted || a->fresh < 0)
                return is_wanted;
        return getsockopt(a->fresh, level, option, value, &size) == 0 &&
               getsockopt(a->fd, level, option, &now, &size) == 0 && now != *value;
}

static void set_int(const struct applying *a, bool is_wanted, const char *directive, int level,
                    int option, int value)
{
        if (!is_due(a, is_wanted, level, option, &value))
                return;
        if (setsockopt(a->fd, level, option, &value, sizeof(value)) < 0)
                fail(a, directive, errno);
}

// The forced variant may exceed the administrator's maximum, and needs CAP_NET_ADMIN.
static void set_buffer(const struct applying *a, const char *directive, int option, int forced,
                       uint64_t size)
{
        int value = size > INT32_MAX ? INT32_MAX : (int)size;

        if (!is_due(a, size > 0, SOL_SOCKET, option, &value))
                return;
        if (size == 0)
                value /= 2; // the kernel reports twice the value that was set
        if (setsockopt(a->fd, SOL_SOCKET, forced, &value, sizeof(value)) < 0)
                set_int(a, true, directive, SOL_SOCKET, option, value);
}

// ---- rows whose option is a number

static bool has_option_of_ipv6(const struct directive *d)
{
        for (size_t i = 0; i < DIRECTIVE_SOCKOPTS; i++)
                if (d->sockopt[i].level == IPPROTO_IPV6)
                        return true;
        return false;
}

static bool applies(const struct applying *a, const struct directive *d, uint8_t level)
{
        switch (level) {
        case SOL_SOCKET:
                return true;
        case IPPROTO_TCP:
                return a->is_tcp;
        case IPPROTO_SCTP:
                return a->is_sctp;
        case IPPROTO_IP:
                return a->family == AF_INET || (a->family == AF_INET6 && !has_option_of_ipv6(d));
        case IPPROTO_IPV6:
                return a->family == AF_INET6;
        default:
                return false;
        }
}

static void apply_row(const struct applying *a, const struct directive *d, const void *value,
                      const void *unset)
{
        bool is_wanted = !kind_equal(d->kind, value, unset);

        for (size_t i = 0; i < DIRECTIVE_SOCKOPTS && d->sockopt[i].option != 0; i++)
                if (applies(a, d, d->sockopt[i].level))
                        set_int(a, is_wanted, d->name, d->sockopt[i].level, d->sockopt[i].option,
                                d->kind->number(value));
}

static void apply_rows(const struct applying *a, const struct socket_group *g)
{
        const void *defaults = group_default(GROUP_SOCKET);
        size_t n;
        const struct directive *const *rows = directive_sockopt_rows(&n);

        for (size_t i = 0; defaults && i < n; i++)
                apply_row(a, rows[i], (const char *)g + rows[i]->offset,
                          (const char *)defaults + rows[i]->offset);
        group_unref(defaults);
}

// ---- the others

static void apply_general(const struct applying *a, const struct socket_group *g)
{
        set_int(a, g->timestamping == TIMESTAMPING_US, "Timestamping", SOL_SOCKET, SO_TIMESTAMP, 1);
        set_int(a, g->timestamping == TIMESTAMPING_NS, "Timestamping", SOL_SOCKET, SO_TIMESTAMPNS,
                1);
        if (a->family == AF_NETLINK) // SOL_NETLINK is too large for a row
                set_int(a, g->pass_packet_info, "PassPacketInfo", SOL_NETLINK, NETLINK_PKTINFO, 1);
        set_buffer(a, "ReceiveBuffer", SO_RCVBUF, SO_RCVBUFFORCE, g->receive_buffer);
        set_buffer(a, "SendBuffer", SO_SNDBUF, SO_SNDBUFFORCE, g->send_buffer);
}

static void apply_congestion(const struct applying *a, const char *name)
{
        char fallback[CONGESTION_NAME_MAX] = "";
        socklen_t size = sizeof(fallback);

        if (!name && a->fresh >= 0 &&
            getsockopt(a->fresh, IPPROTO_TCP, TCP_CONGESTION, fallback, &size) == 0)
                name = fallback;
        if (name &&
            setsockopt(a->fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) < 0)
                fail(a, "TCPCongestion", errno);
}

static void apply_all(struct applying *a, const struct port *port, const struct socket_group *group)
{
        int protocol = net_port_protocol(port, group);

        a->family = port->address.addr.sa.sa_family;
        bool is_ip = a->family == AF_INET || a->family == AF_INET6;

        a->is_sctp = is_ip && protocol == IPPROTO_SCTP;
        a->is_tcp = is_ip && port->type == SOCK_STREAM && !a->is_sctp;
        apply_rows(a, group);
        apply_general(a, group);
        if (a->is_tcp)
                apply_congestion(a, group->tcp_congestion);
}

static bool is_socket(const struct port *port)
{
        return port->kind == PORT_SOCKET || port->kind == PORT_NETLINK;
}

void net_sockopt_apply(int fd, const struct port *port, const struct socket_group *group,
                       bool is_accepted,
                       void (*cb)(const struct net_sockopt_failure *failure, void *data),
                       void *data)
{
        struct applying a = {.fd = fd, .fresh = -1, .cb = cb, .data = data};

        if (is_socket(port)) {
                apply_all(&a, port, group);
        } else if (port->kind == PORT_FIFO && group->pipe_size > 0 && !is_accepted) {
                int size = group->pipe_size > INT32_MAX ? INT32_MAX : (int)group->pipe_size;

                if (fcntl(fd, F_SETPIPE_SZ, size) < 0)
                        fail(&a, "PipeSize", errno);
        }
}

void net_sockopt_reapply(int fd, const struct port *port, const struct socket_group *group,
                         void (*cb)(const struct net_sockopt_failure *failure, void *data),
                         void *data)
{
        if (!is_socket(port)) {
                net_sockopt_apply(fd, port, group, false, cb, data);
                return;
        }
        struct applying a = {.fd = fd, .cb = cb, .data = data};

        // Without it (no descriptor is left) options that were removed from the file keep their
        // values.
        a.fresh = socket(port->address.addr.sa.sa_family, port->type | SOCK_CLOEXEC,
                         net_port_protocol(port, group));
        apply_all(&a, port, group);
        fd_close(a.fresh);
}
