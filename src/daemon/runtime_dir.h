// The runtime folder: where it is, that it is ours, and that only one supervisor uses it. Everybody
// may pass through it, to the notify and the control socket; what is in it only we may change.
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
