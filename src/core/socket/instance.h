// Connections: from an accepted descriptor to a run, and back. An instance is no unit: it has no
// place in the registry, its name is formatted only when somebody asks, and it shares its
// template's conf. Only where the template asks for what a unit alone has (dependencies,
// conditions, a specifier outside the process settings) is a unit of that name loaded and started
// by a job.
//
// Called by core/socket/sock_run (start), core/service/service (end, environment), core/unit/stop,
// bus (look-ups).
#pragma once

#include "core/service/run.h"
#include "net/peer.h"

struct sock;
struct unit;

// What is needed of the template before a connection is taken: 0 or -errno (-ENOENT: none is
// usable; logged).
int instance_prepare(struct sock *s);
// Takes over fd and token (always; *token is empty afterwards). 0 or -errno: then the connection is
// closed and the place given back; -ENOENT: no usable template.
int instance_start(struct sock *s, int fd, const struct peer_info *peer, struct admit_token *token);
// Nothing of it uses the connection any longer: our copy is closed, its place in the limits is
// given back. Nothing happens the second time.
void instance_release(struct run *run);
// The run is over and jobless (called by core/service/service): releases the connection, and frees
// the run unless it is a unit's.
void instance_on_end(struct run *run);
// The socket goes while connections live (the supervisor ends without having stopped them): nothing
// is kept of them, their processes are left alone.
void instance_forget_all(struct sock *s);
// Variables that tell the service about its peer ("REMOTE_ADDR=...", "REMOTE_PORT=..."), appended.
// 0 or -ENOMEM. Nothing for families that have none.
int instance_environment(const struct run *run, char ***env);

// "foo@3-127.0.0.1:80-127.0.0.1:4711.service"; new string.
int instance_name(const struct run *run, char **ret);
// Both ends in words ("127.0.0.1:4711"); "" where one has no name.
void instance_addresses(const struct run *run, char local[PEER_TEXT_MAX],
                        char remote[PEER_TEXT_MAX]);
// The peer alone, new string.
int instance_peer(const struct run *run, char **ret);
// "foo@.service": the template of a socket's connections; new string.
int instance_template_name(const struct sock *s, char **ret);

// Find a live connection's run by its unit name; NULL.
struct run *instance_find(struct manager *m, const char *name);
// Walk all live connections: NULL starts and ends. Nothing may end while walking.
struct run *instance_next(struct manager *m, struct run *after);
// Shutdown: ask every connection's service to stop.
void instance_stop_all(struct manager *m);
