// Connections: from an accepted descriptor to a run, and back. Most runs of connections are no
// units: they have no place in the registry, their names are formatted only when somebody asks, and
// they share their template's conf. Only where the template asks for what a unit alone has
// (dependencies, conditions, a specifier outside the process settings) is a unit of that name
// loaded and started by a job.
//
// Called by core/socket/incoming (start), by core/service through struct client, core/open (end of
// the supervisor), bus (look-ups).
#pragma once

#include "core/service/client.h"
#include "core/service/run.h"
#include "core/socket/admit.h"
#include "net/peer.h"

struct sock;

struct connection {
        struct client client;     // what its run knows of it
        struct sock *sock;        // that has accepted it
        struct run *run;          // its own, or that of a unit
        const void *peer;         // packed (net/peer.h)
        uint64_t number;          // NR of the instance's name
        struct admit_token token; // its place in the limits
        struct list_node node;    // in the socket's list
};

// Takes over fd and token (always; *token is empty afterwards). 0 or -errno: then the connection is
// closed and the place given back; -ENOENT: no usable template.
// is_calm: nothing else waits to be done.
int connection_start(struct sock *s, int fd, const struct peer_info *peer,
                     struct admit_token *token, bool is_calm);
// The socket goes while connections live (the supervisor ends without having stopped them): nothing
// is kept of them, their processes are left alone.
void connection_forget_all(struct sock *s);
// Shutdown: ask every connection's service to stop.
void connection_stop_all(struct manager *m);

// The one that a run serves; NULL: it serves none.
struct connection *connection_of(const struct run *run);
// Find a live connection by the unit name of its run; NULL.
struct connection *connection_find(struct manager *m, const char *name);
// Walk all live connections: NULL starts and ends. Nothing may end while walking.
struct connection *connection_next(struct manager *m, const struct connection *after);

// "foo@3-127.0.0.1:80-127.0.0.1:4711.service"; new string.
int connection_name(const struct connection *c, char **ret);
// Both ends in words ("127.0.0.1:4711"); "" where one has no name.
void connection_addresses(const struct connection *c, char local[PEER_TEXT_MAX],
                          char remote[PEER_TEXT_MAX]);
// The peer alone, new string.
int connection_peer(const struct connection *c, char **ret);
