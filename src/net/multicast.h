// Membership in multicast groups (X-JoinGroup=).
#pragma once

#include "conf/types.h"

// Can the port be a member? It must be a datagram socket of the group's family, or an IPv6 one for
// an IPv4 group (dual stack).
bool net_multicast_fits(const struct port *port, const struct multicast_group *group);
// 0 (also if it is a member already); -ENODEV: there is no such interface, or no route to choose
// one; other -errno.
int net_multicast_join(int fd, const struct multicast_group *group);
void net_multicast_leave(int fd, const struct multicast_group *group);
