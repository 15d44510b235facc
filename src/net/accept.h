// Taking one connection off a listening socket, and what its errors mean (accept(2), "Error
// handling": pending network errors of the new socket count as "nothing there").
#pragma once

#include "base/def.h"

enum accept_outcome {
        ACCEPT_OK,
        ACCEPT_NONE,      // nothing there (any more)
        ACCEPT_EXHAUSTED, // out of descriptors or memory; errno tells which
};

// *ret_fd: close-on-exec, blocking as a service expects it, above the low window as long as there
// is room above it. ACCEPT_*, or -errno: the listener is of no use any more.
int net_accept(int fd, int *ret_fd);
