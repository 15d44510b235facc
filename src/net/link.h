// What the kernel tells about network interfaces and addresses (rtnetlink(7)).
#pragma once

#include "base/def.h"

// A descriptor that gets readable when an interface or an address comes or goes. -errno.
int net_link_open(void);
// Read all that waits. What has changed is not told: look again.
void net_link_drain(int fd);
