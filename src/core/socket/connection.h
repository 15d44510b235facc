// Connections: from an accepted descriptor to a run, and back. Most runs of connections have no
// unit: they are not in the registry, their names are formatted only on request, and they share
// their template's conf. Only if the template needs what a unit alone has (dependencies,
// conditions, a specifier outside the process settings), a unit of that name is loaded and started
// by a job.
//
// Called by core/socket/incoming (start), by core/service through struct client, core/open (end of
// the supervisor), bus (look-ups).
#pragma once

#include "core/service/client.h"
#include "core/service/run.h"
#include "core/socket/admit.h"
#include "net/peer.h"

struct listener;
struct sock;

struct connection {
        struct client client;     // the view that its run has of it
        struct sock *sock;        // the socket that accepted it
        struct unit_conf *conf;   // reference: of that socket, as it was then
        size_t line;              // the number of its Listen line
        struct run *run;          // its own, or that of a unit
        const void *peer;         // packed (net/peer.h)
        uint64_t number;          // NR of the instance's name
        struct admit_token token; // its place in the limits
        struct list_node node;    // in the socket's list
        usec_t begin;             // when it was accepted
        // X-ConnectionLog=full of TCP: filled when the descriptor is closed. NULL: not asked for.
        struct net_traffic *traffic;
        // What counted when it began: its name does not change, and a begin has an end.
        enum connection_log log : 8; // X-ConnectionLog=
        enum log_peer log_peer : 8;  // X-LogPeer=
};

// Takes over fd and token (in any case; *token is empty afterwards). 0 or -errno: then the
// connection is closed and its place released; -ENOENT: no usable template.
int connection_start(const struct listener *l, int fd, const struct peer_info *peer,
                     struct admit_token *token, bool is_calm);
// The socket is freed while connections live (the supervisor ends without having stopped them):
// their data is freed, and their processes are left alone.
void connection_forget_all(struct sock *s);
// Shutdown: asks the service of every connection to stop.
void connection_stop_all(struct manager *m);

// The connection that a run serves; NULL: none.
struct connection *connection_of(const struct run *run);
// Finds a live connection by the unit name of its run; NULL.
struct connection *connection_find(struct manager *m, const char *name);
// Walks all live connections: NULL starts and ends. No connection may end during the walk.
struct connection *connection_next(struct manager *m, const struct connection *after);

// "foo@3-127.0.0.1:80-127.0.0.1:4711.service", with what X-LogPeer= tells of the peer; new string.
int connection_name(const struct connection *c, char **ret);
// Both addresses as text ("127.0.0.1:4711"); "" for an unnamed one. Those of the peer whatever
// X-LogPeer= says: for administrators.
void connection_addresses(const struct connection *c, char local[PEER_TEXT_MAX],
                          char remote[PEER_TEXT_MAX]);
// The peer's alone, as far as X-LogPeer= tells it; "": not at all.
void connection_peer(const struct connection *c, char text[PEER_TEXT_MAX]);
