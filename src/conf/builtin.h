// Targets that exist without a file: the fixed points by which other units are ordered
// (systemd.special(7)). A file of the same name on the unit path replaces them. They have the
// dependencies of systemd's files, except for mounts, swap and login. default.target is not among
// them, since its existence decides which units are started.
#pragma once

#include "base/def.h"

// The unit as text of a unit file; NULL: no such target.
const char *builtin_find(const char *name, bool is_user);
