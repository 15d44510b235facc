// Names on the message bus: who waits for one is told when it gets an owner, and when it has none
// any longer. The bus is that of the system, for a supervisor of a user the user's own.
//
// The connection is made for the first who waits, and made again when it is lost. Where the bus is
// run by a dbus.service among our units there is one only while that runs: to connect would start
// it.
#pragma once

#include "core/unit/manager.h"

#include <systemd/sd-bus.h>

struct bus_names; // in the manager; NULL: nobody waits

// Zero-initialise; must be unwatched before it goes. The callbacks may unwatch it.
struct bus_name {
        struct list_node node;
        struct manager *manager;
        char *name; // owned; NULL: not watched
        bool has_owner;
        sd_bus_slot *match, *owner_query, *process_query;
        void (*on_owner)(struct bus_name *n);              // has_owner may have changed
        void (*on_process)(struct bus_name *n, pid_t pid); // of the owner; NULL: is not asked for
};

// 0: it is told from now on. -EEXIST: somebody else watches this name. Other -errno: there is no
// bus to be asked (then it is tried again later, and what comes is told).
int bus_name_watch(struct manager *m, struct bus_name *n, const char *name);
void bus_name_unwatch(struct bus_name *n);
