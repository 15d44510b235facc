// Notifications of the kernel about network interfaces and addresses (rtnetlink(7)).
#pragma once

#include "base/def.h"

// A descriptor that becomes readable when an interface or an address appears or disappears. -errno.
int net_link_open(void);
// Reads all pending messages. It does not report what has changed: the caller checks again.
void net_link_drain(int fd);
