// FlushPending=: discards the connections and data that wait at a listener.
#pragma once

#include "conf/types.h"

// Discards a bounded number, so that a flood cannot hold up the caller.
void net_flush(int fd, const struct port *port);
