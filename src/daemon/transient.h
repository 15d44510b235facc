// usherd run: the units that serve one command, written into the private runtime folder, so that
// they are loaded, shown and reloaded like all others.
#pragma once

#include "daemon/options.h"

// Writes them into dir (made here), and checks them: a program that is not there is found before
// anybody is listened to. 0, COMPLAINED or -errno.
int transient_write(const struct options *o, const char *dir);
unsigned transient_n_sockets(const struct options *o); // units that it writes
