#include "net/sockopt.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "net/listen.h"

#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <netinet/tcp.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif
#ifndef SCTP_NODELAY
#define SCTP_NODELAY 3
#endif
#define CONGESTION_NAME_MAX 16 // TCP_CA_NAME_MAX of the kernel

struct applying {
        int fd;
        int fresh; // what a new socket has is set where nothing is asked for; -1: it is left alone
        sa_family_t family; // AF_UNSPEC: no socket
        bool is_tcp, is_sctp, is_datagram;
        void (*cb)(const struct net_sockopt_failure *failure, void *data);
        void *data;
};

static void fail(const struct applying *a, const char *directive, int error)
{
        const struct net_sockopt_failure failure = {error, directive};

        if (a->cb)
                a->cb(&failure, a->data);
}

// Is there something to set? What a new socket has replaces *value where it is not wanted.
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

// Whole seconds, cut as systemd does, but at least one.
static int seconds(usec_t span)
{
        usec_t s = span / USEC_PER_SEC;

        return s > INT32_MAX ? INT32_MAX : s == 0 ? 1 : (int)s;
}

// The forced variant goes over the administrator's maximum, and needs the privilege for it.
static void set_buffer(const struct applying *a, const char *directive, int option, int forced,
                       uint64_t size)
{
        int value = size > INT32_MAX ? INT32_MAX : (int)size;

        if (!is_due(a, size > 0, SOL_SOCKET, option, &value))
                return;
        if (size == 0)
                value /= 2; // the kernel tells the double of what it is told
        if (setsockopt(a->fd, SOL_SOCKET, forced, &value, sizeof(value)) < 0)
                set_int(a, true, directive, SOL_SOCKET, option, value);
}

static void apply_general(const struct applying *a, const struct socket_group *g)
{
        const struct {
                bool is_wanted;
                const char *name;
                int option, value;
        } options[] = {
                {g->keep_alive, "KeepAlive", SO_KEEPALIVE, 1},
                {g->priority >= 0, "Priority", SO_PRIORITY, g->priority},
                {g->mark >= 0, "Mark", SO_MARK, g->mark},
                {g->broadcast, "Broadcast", SO_BROADCAST, 1},
                {g->pass_credentials, "PassCredentials", SO_PASSCRED, 1},
                {g->pass_pidfd, "PassPIDFD", SO_PASSPIDFD, 1},
                {g->pass_security, "PassSecurity", SO_PASSSEC, 1},
                {!g->accept_file_descriptors, "AcceptFileDescriptors", SO_PASSRIGHTS, 0},
                {g->timestamping == TIMESTAMPING_US, "Timestamping", SO_TIMESTAMP, 1},
                {g->timestamping == TIMESTAMPING_NS, "Timestamping", SO_TIMESTAMPNS, 1},
        };

        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                set_int(a, options[i].is_wanted, options[i].name, SOL_SOCKET, options[i].option,
                        options[i].value);
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

static void apply_tcp(const struct applying *a, const struct socket_group *g)
{
        if (a->is_sctp)
                set_int(a, g->no_delay, "NoDelay", IPPROTO_SCTP, SCTP_NODELAY, 1);
        if (!a->is_tcp)
                return;
        const struct {
                bool is_wanted;
                const char *name;
                int option, value;
        } options[] = {
                {g->keep_alive_time_sec > 0, "KeepAliveTimeSec", TCP_KEEPIDLE,
                 seconds(g->keep_alive_time_sec)},
                {g->keep_alive_interval_sec > 0, "KeepAliveIntervalSec", TCP_KEEPINTVL,
                 seconds(g->keep_alive_interval_sec)},
                {g->keep_alive_probes > 0, "KeepAliveProbes", TCP_KEEPCNT,
                 (int)g->keep_alive_probes},
                {g->no_delay, "NoDelay", TCP_NODELAY, 1},
                {g->defer_accept_sec > 0, "DeferAcceptSec", TCP_DEFER_ACCEPT,
                 seconds(g->defer_accept_sec)},
        };

        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                set_int(a, options[i].is_wanted, options[i].name, IPPROTO_TCP, options[i].option,
                        options[i].value);
        apply_congestion(a, g->tcp_congestion);
}

static void apply_ip(const struct applying *a, const struct socket_group *g)
{
        bool is_v6 = a->family == AF_INET6;

        if (a->family != AF_INET && !is_v6)
                return;
        int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;

        set_int(a, g->ip_tos >= 0, "IPTOS", IPPROTO_IP, IP_TOS, g->ip_tos);
        set_int(a, g->ip_ttl >= 0, "IPTTL", level, is_v6 ? IPV6_UNICAST_HOPS : IP_TTL, g->ip_ttl);
        if (a->is_datagram)
                set_int(a, !g->x_multicast_loop, "X-MulticastLoop", level,
                        is_v6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, 0);
}

static void apply_packet_info(const struct applying *a, const struct socket_group *g)
{
        static const struct {
                sa_family_t family;
                int level, option;
        } options[] = {
                {AF_INET, IPPROTO_IP, IP_PKTINFO},
                {AF_INET6, IPPROTO_IPV6, IPV6_RECVPKTINFO},
                {AF_NETLINK, SOL_NETLINK, NETLINK_PKTINFO},
                {AF_PACKET, SOL_PACKET, PACKET_AUXDATA},
        };

        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                if (options[i].family == a->family)
                        set_int(a, g->pass_packet_info, "PassPacketInfo", options[i].level,
                                options[i].option, 1);
}

static void apply_all(struct applying *a, const struct port *port, const struct socket_group *group)
{
        int protocol = net_port_protocol(port, group);

        a->family = port->address.addr.sa.sa_family;
        bool is_ip = a->family == AF_INET || a->family == AF_INET6;

        a->is_sctp = is_ip && protocol == IPPROTO_SCTP;
        a->is_tcp = is_ip && port->type == SOCK_STREAM && !a->is_sctp;
        a->is_datagram = is_ip && port->type == SOCK_DGRAM;
        apply_general(a, group);
        apply_tcp(a, group);
        apply_ip(a, group);
        apply_packet_info(a, group);
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

        // Without it (out of descriptors) what was taken out of the file stays as it was.
        a.fresh = socket(port->address.addr.sa.sa_family, port->type | SOCK_CLOEXEC,
                         net_port_protocol(port, group));
        apply_all(&a, port, group);
        fd_close(a.fresh);
}
