// Membership in multicast groups (X-JoinGroup=).
#pragma once

#include "conf/types.h"

// Is that a port which can be a member: a datagram socket of the group's family, or one of IPv6 for
// a group of IPv4 (dual stack)?
bool net_multicast_fits(const struct port *port, const struct multicast_group *group);
// 0 (also where it is a member already); -ENODEV: no such interface, or no route that tells which;
// other -errno.
int net_multicast_join(int fd, const struct multicast_group *group);
void net_multicast_leave(int fd, const struct multicast_group *group);
