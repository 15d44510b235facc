// Descriptors that a service stores with the supervisor (FDSTORE=1) and gets back at its next
// start. Bounded by FileDescriptorStoreMax=; one whose peer hangs up is dropped, unless FDPOLL=0.
#pragma once

#include "base/list.h"
#include "core/loop/events.h"

struct fdstore {
        struct list_node entries; // struct fdstore_entry, oldest first
        size_t n;
};

struct fdstore_entry {
        struct list_node node;
        struct fdstore *store;
        struct events *events;
        struct watch watch; // fd inside, owned
        char *name;
};

#define FDSTORE_NAME_MAX 255

void fdstore_init(struct fdstore *s);
// Takes fd over in any case. 1: stored, 0: stored already (same open file), -E2BIG: above max,
// -EINVAL: bad name, -ENOMEM.
int fdstore_add(struct fdstore *s, struct events *e, int fd, const char *name, bool poll,
                size_t max);
size_t fdstore_remove(struct fdstore *s, const char *name); // returns how many
void fdstore_clear(struct fdstore *s);
// Is this a name that LISTEN_FDNAMES can carry: printable ASCII without ':', 1 to 255?
bool fdstore_name_is_valid(const char *name);
