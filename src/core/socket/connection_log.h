// The lines of X-ConnectionLog=: the begin and the end of a connection, in the name of its socket.
//
// Called by core/socket/connection.
#pragma once

#include "base/def.h"

struct connection;

void connection_log_begin(const struct connection *c);
// Its run is over.
void connection_log_end(const struct connection *c);
