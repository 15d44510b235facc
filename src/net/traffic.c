#include "net/traffic.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

// Numbers of the kernel (include/net/tcp_states.h).
enum {
        STATE_FIN_WAIT_1 = 4,
        STATE_CLOSE = 7,
        STATE_CLOSE_WAIT = 8,
        STATE_LAST_ACK = 9,
        STATE_CLOSING = 11,
};

// The kernel counts a FIN like a byte. Once all is over its state no longer tells whether the peer
// sent one: it did if our own was acknowledged, unless it has reset the connection after that.
static bool has_fin_of_peer(const struct tcp_info *info, uint64_t sent)
{
        switch (info->tcpi_state) {
        case STATE_CLOSE_WAIT:
        case STATE_LAST_ACK:
        case STATE_CLOSING:
                return true;
        case STATE_CLOSE:
                return info->tcpi_bytes_acked > sent;
        default:
                return false;
        }
}

static bool has_unsent_fin(const struct tcp_info *info)
{
        return info->tcpi_notsent_bytes > 0 &&
               (info->tcpi_state == STATE_FIN_WAIT_1 || info->tcpi_state == STATE_LAST_ACK ||
                info->tcpi_state == STATE_CLOSING);
}

void net_traffic_read(const struct tcp_info *info, size_t size, struct net_traffic *ret)
{
        *ret = (struct net_traffic){0};
        if (size < offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof(info->tcpi_bytes_retrans))
                return;
        uint64_t sent = info->tcpi_bytes_sent - info->tcpi_bytes_retrans;
        uint64_t received = info->tcpi_bytes_received;

        *ret = (struct net_traffic){
                .is_known = true,
                .received = received - (received > 0 && has_fin_of_peer(info, sent)),
                .sent = sent + info->tcpi_notsent_bytes - has_unsent_fin(info),
        };
}

void net_traffic_get(int fd, struct net_traffic *ret)
{
        struct tcp_info info = {0};
        socklen_t size = sizeof(info);

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
                size = 0;
        net_traffic_read(&info, size, ret);
}
