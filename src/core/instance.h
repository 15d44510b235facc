// Connections: from an accepted descriptor to a run, and back. Names are formatted only when asked
// for.
#pragma once

#include "core/run.h"

struct sock;
struct unit;

// Takes over fd (always). Counts were taken by admission: token is released when the run ends.
// 0, or -errno (the connection is closed, the token released).
int instance_start(struct sock *s, int fd, struct admit_token *token);
// The run is over and jobless (called by core/service): closes the connection, releases the token,
// frees it.
void instance_on_end(struct run *run);
// "foo@3-127.0.0.1:80-127.0.0.1:4711.service"; new string; works while and after the connection
// lives.
int instance_name(const struct run *run, char **ret);
// Find a live connection's run by its unit name; NULL.
struct run *instance_find(struct manager *m, const char *name);
// Peer in words ("127.0.0.1:4711"), new string.
int instance_peer(const struct run *run, char **ret);
