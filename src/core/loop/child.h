// A process that a unit or the supervisor has started, and the owner that a process belongs to.
#pragma once

#include "base/def.h"

#include <sys/types.h>

struct child {
        pid_t pid; // 0: none
        int pidfd; // owned; -1: no child, or the kernel has no pidfds (then it is reaped by pid)
};

// The owner of a process and of the processes that it leaves behind.
struct owner {
        void *self; // NULL: no owner
        const struct owner_ops *ops;
};

// The kind of owner; kinds are compared by address.
struct owner_ops {
        // "foo.service", or *buffer, to be freed by the caller.
        const char *(*name)(const void *self, char **buffer);
};

static inline const char *owner_name(const struct owner *owner, char **buffer)
{
        return owner->ops->name(owner->self, buffer);
}
