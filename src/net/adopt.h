// Does a descriptor that was inherited, or kept over a reload, belong to a port? Compares type and
// address (and the inode of a node), so that no other descriptor is used by mistake.
#pragma once

#include "conf/unit_conf.h"

bool net_adopt_fits(int fd, const struct port *port, const struct socket_group *group);
