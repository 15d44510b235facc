// Those who wait for a network address or interface. The kernel is listened to only while there is
// one.
#pragma once

#include "core/unit/manager.h"

struct addresses; // in the manager; NULL: nobody waits

struct address_waiter {
        struct list_node node;
        void (*on_change)(struct address_waiter *w); // queues work, and no more
};

// 0 or -errno (then nothing is told). Waiting already is fine.
int addresses_wait(struct manager *m, struct address_waiter *w);
void addresses_unwait(struct manager *m, struct address_waiter *w);
