// Accepting one connection from a listening socket, and what its errors mean (accept(2), "Error
// handling": pending network errors of the new socket count as "no connection").
#pragma once

#include "conf/types.h"

enum accept_outcome {
        ACCEPT_OK,
        ACCEPT_NONE, // no connection is waiting (any more)
};

// Does not block, even if another holder has set the listener to blocking mode. is_ours_alone:
// there is no other holder, and the timer that would end the call is not needed. *ret_remote: from
// where, also if the peer has closed it meanwhile. *ret_fd: close-on-exec, blocking as a service
// expects it, the lowest free number. ACCEPT_*, or -errno: descriptors or memory are
// exhausted (fail_is_exhaustion()), else the listener is no longer usable.
int net_accept(int fd, bool is_ours_alone, struct address *ret_remote, int *ret_fd);
// Is another connection waiting?
bool net_has_connection(int fd);
