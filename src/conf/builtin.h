// Targets that every usher has, also where no file gives them: the fixed points that other units
// are ordered by (systemd.special(7)). A file of the same name on the unit path takes their place.
// They have the dependencies that systemd's own files give them, less mounts, swap and login.
// default.target is not among them: whether there is one decides what is started.
#pragma once

#include "base/def.h"

// The unit as text of a unit file; NULL: no such target.
const char *builtin_find(const char *name, bool is_user);
