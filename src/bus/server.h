// The private D-Bus server: org.freedesktop.systemd1 on an AF_UNIX socket at systemd/private below
// the runtime folder, so that the stock systemctl and busctl drive usher. Peer-to-peer, no bus
// daemon.
//
// Owns the listening socket and the clients. Nothing here may delay the loop: clients, their queues
// and the time for authentication are bounded, and a client that does not read is disconnected.
#pragma once

#include "base/def.h"

struct bus_server;
struct manager;

// Starts to listen. -EADDRINUSE and the like when the socket cannot be made (logged).
int bus_server_new(struct manager *m, const char *runtime_dir, struct bus_server **ret);
void bus_server_free(struct bus_server *s);
DEFINE_CLEANUP(bus_server, struct bus_server *, bus_server_free)
// Before the process exits: writes what is still queued for the clients, for at most `limit`.
void bus_server_flush(struct bus_server *s, usec_t limit);
