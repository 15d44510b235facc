// FlushPending=: throw away what waits at a listener, connections and data.
#pragma once

#include "conf/types.h"

// Bounded: a flood cannot keep the caller here.
void net_flush(int fd, const struct port *port);
