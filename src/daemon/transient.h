// usherd run: the units that serve one command, written into the private runtime folder, so that
// they are loaded, shown and reloaded like all others.
#pragma once

#include "daemon/options.h"

// Makes dir, writes the units into it, and checks them, so that a missing program is found before
// usherd listens. 0, COMPLAINED or -errno.
int transient_write(const struct options *o, const char *dir);
unsigned transient_n_sockets(const struct options *o); // units that it writes
