// Names on the message bus: a watcher is notified when its name gets an owner, and when it loses
// it. The bus is the system's; for a user's supervisor it is the user's own.
//
// The connection is made for the first watcher, and made again when it is lost. If a dbus.service
// among our units runs the bus, the connection exists only while that is active: connecting would
// start it.
#pragma once

#include "core/unit/manager.h"

#include <systemd/sd-bus.h>

struct bus_names; // in the manager; NULL: no watcher

// Zero-initialise; must be unwatched before it is freed. The callbacks may unwatch it.
struct bus_name {
        struct list_node node;
        struct manager *manager;
        char *name; // owned; NULL: not watched
        bool has_owner;
        sd_bus_slot *match, *owner_query, *process_query;
        void (*on_owner)(struct bus_name *n);              // has_owner may have changed
        void (*on_process)(struct bus_name *n, pid_t pid); // pid of the owner; NULL: not needed
};

// 0: notifications begin. -EEXIST: another service watches this name. Other -errno: the bus cannot
// be reached (it is tried again later, and notifications begin then).
int bus_name_watch(struct manager *m, struct bus_name *n, const char *name);
void bus_name_unwatch(struct bus_name *n);
