#include "net/link.h"

#include "base/fd.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define DRAIN_MAX 64 // messages for one wake-up

int net_link_open(void)
{
        struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                      .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
                                                   RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
                                                   RTMGRP_IPV6_ROUTE};
        CLEANUP(fd)
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return fd_move_up(TAKE_FD(fd));
}

void net_link_drain(int fd)
{
        char buffer[64];

        // The content does not matter (it is truncated), nor do lost messages (ENOBUFS).
        for (unsigned i = 0; i < DRAIN_MAX; i++)
                if (recv(fd, buffer, sizeof(buffer), MSG_TRUNC) < 0 && errno != ENOBUFS)
                        return;
}
