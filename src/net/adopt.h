// Does a descriptor that was inherited, or kept over a reload, fit a port? By type and address
// (node: also by inode), so that nothing else is taken for it.
#pragma once

#include "conf/unit_conf.h"

bool net_adopt_fits(int fd, const struct port *port, const struct socket_group *group);
