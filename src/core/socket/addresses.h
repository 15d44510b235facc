// Sockets that wait for a network address or interface. usher listens to the kernel's notifications
// only while at least one waits.
#pragma once

#include "core/unit/manager.h"

struct addresses; // in the manager; NULL: no waiter

struct address_waiter {
        struct list_node node;
        void (*on_change)(struct address_waiter *w); // may only queue work
};

// 0 or -errno (then there is no notification). Does nothing if it waits already.
int addresses_wait(struct manager *m, struct address_waiter *w);
void addresses_unwait(struct manager *m, struct address_waiter *w);
