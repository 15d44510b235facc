// A process that something of ours has started, and to whom a process belongs.
#pragma once

#include "base/def.h"

#include <sys/types.h>

struct child {
        pid_t pid; // 0: none
        int pidfd; // owned; -1: none, or the kernel has none (then it is reaped by pid)
};

// To whom a process and those that it leaves behind belong.
struct owner {
        void *self; // NULL: to nobody
        const struct owner_ops *ops;
};

// Of one kind of owners: compared by address.
struct owner_ops {
        // "foo.service", or *buffer, to be freed by the caller.
        const char *(*name)(const void *self, char **buffer);
};

static inline const char *owner_name(const struct owner *owner, char **buffer)
{
        return owner->ops->name(owner->self, buffer);
}
