// The runtime folder: finds it, checks that it is ours, and locks it for one supervisor. All users
// may pass through it to the notify and control sockets; only we may change its content.
#pragma once

#include "base/def.h"

struct runtime_dir {
        char *path;
        int lock_fd;
        bool is_private; // made for usherd run, and removed at its end
};

// given: --runtime-dir, or NULL. Makes and locks it. 0, COMPLAINED or -ENOMEM.
int runtime_dir_open(const char *given, bool is_private, struct runtime_dir *ret);
void runtime_dir_close(struct runtime_dir *d);
static inline void cleanup_runtime_dir(struct runtime_dir *d)
{
        runtime_dir_close(d);
}
