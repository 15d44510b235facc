#include "net/multicast.h"

#include <string.h>

bool net_multicast_fits(const struct port *port, const struct multicast_group *group)
{
        sa_family_t family = port->address.addr.sa.sa_family;

        return port->kind == PORT_SOCKET && port->type == SOCK_DGRAM &&
               (family == group->family || (family == AF_INET6 && group->family == AF_INET));
}

static int set_membership(int fd, const struct multicast_group *group, int option)
{
        struct group_req request = {0};
        union sockaddr_any address = {0};
        int level = group->family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;

        if (group->interface) {
                request.gr_interface = if_nametoindex(group->interface);
                if (request.gr_interface == 0)
                        return -ENODEV;
        }
        address.sa.sa_family = group->family;
        if (group->family == AF_INET)
                address.in.sin_addr = group->addr.in;
        else
                address.in6.sin6_addr = group->addr.in6;
        memcpy(&request.gr_group, &address, sizeof(request.gr_group));
        return setsockopt(fd, level, option, &request, sizeof(request)) < 0 ? -errno : 0;
}

int net_multicast_join(int fd, const struct multicast_group *group)
{
        int r = set_membership(fd, group, MCAST_JOIN_GROUP);

        return r == -EADDRINUSE ? 0 : r;
}

void net_multicast_leave(int fd, const struct multicast_group *group)
{
        (void)set_membership(fd, group, MCAST_LEAVE_GROUP); // it may never have been a member
}
