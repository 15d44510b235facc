#include "net/sockopt.h"

#include "base/clock.h"
#include "base/str.h"

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

struct applying {
        int fd;
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

static void set_int(const struct applying *a, const char *directive, int level, int option,
                    int value)
{
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

        if (setsockopt(a->fd, SOL_SOCKET, forced, &value, sizeof(value)) < 0)
                set_int(a, directive, SOL_SOCKET, option, value);
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
                if (options[i].is_wanted)
                        set_int(a, options[i].name, SOL_SOCKET, options[i].option,
                                options[i].value);
        if (g->receive_buffer > 0)
                set_buffer(a, "ReceiveBuffer", SO_RCVBUF, SO_RCVBUFFORCE, g->receive_buffer);
        if (g->send_buffer > 0)
                set_buffer(a, "SendBuffer", SO_SNDBUF, SO_SNDBUFFORCE, g->send_buffer);
}

static void apply_tcp(const struct applying *a, const struct socket_group *g)
{
        if (g->no_delay && a->is_sctp)
                set_int(a, "NoDelay", IPPROTO_SCTP, SCTP_NODELAY, 1);
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
                if (options[i].is_wanted)
                        set_int(a, options[i].name, IPPROTO_TCP, options[i].option,
                                options[i].value);
        if (g->tcp_congestion && setsockopt(a->fd, IPPROTO_TCP, TCP_CONGESTION, g->tcp_congestion,
                                            (socklen_t)strlen(g->tcp_congestion)) < 0)
                fail(a, "TCPCongestion", errno);
}

static void apply_ip(const struct applying *a, const struct socket_group *g)
{
        bool is_v6 = a->family == AF_INET6;

        if (a->family != AF_INET && !is_v6)
                return;
        if (g->ip_tos >= 0)
                set_int(a, "IPTOS", IPPROTO_IP, IP_TOS, g->ip_tos);
        if (g->ip_ttl >= 0)
                set_int(a, "IPTTL", is_v6 ? IPPROTO_IPV6 : IPPROTO_IP,
                        is_v6 ? IPV6_UNICAST_HOPS : IP_TTL, g->ip_ttl);
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

        for (size_t i = 0; g->pass_packet_info && i < ARRAY_SIZE(options); i++)
                if (options[i].family == a->family)
                        set_int(a, "PassPacketInfo", options[i].level, options[i].option, 1);
}

void net_sockopt_apply(int fd, const struct port *port, const struct socket_group *group,
                       bool is_accepted,
                       void (*cb)(const struct net_sockopt_failure *failure, void *data),
                       void *data)
{
        bool is_socket = port->kind == PORT_SOCKET || port->kind == PORT_NETLINK;
        struct applying a = {.fd = fd, .cb = cb, .data = data};

        if (is_socket)
                a.family = port->address.addr.sa.sa_family;
        bool is_ip = a.family == AF_INET || a.family == AF_INET6;

        a.is_sctp = is_ip && group->socket_protocol == IPPROTO_SCTP;
        a.is_tcp = is_ip && port->type == SOCK_STREAM &&
                   (group->socket_protocol <= 0 || group->socket_protocol == PROTOCOL_MPTCP);
        if (is_socket) {
                apply_general(&a, group);
                apply_tcp(&a, group);
                apply_ip(&a, group);
                apply_packet_info(&a, group);
        } else if (port->kind == PORT_FIFO && group->pipe_size > 0 && !is_accepted) {
                int size = group->pipe_size > INT32_MAX ? INT32_MAX : (int)group->pipe_size;

                if (fcntl(fd, F_SETPIPE_SZ, size) < 0)
                        fail(&a, "PipeSize", errno);
        }
}
