// Is the owner of a file trusted like root, or a stranger?
#pragma once

#include "base/def.h"

#include <sys/stat.h>
#include <sys/types.h>

// Trusted are root, the user of this process, and users that our user namespace does not map: the
// real root and others outside of a container, whose uid no process inside can take. Their files
// show the overflow uid (user_namespaces(7)); if that number is mapped as well, it is a stranger.
bool owner_is_trusted(uid_t uid);
// Does the kernel prevent users from linking to others' files (fs.protected_hardlinks, proc(5))?
bool owner_kernel_protects_names(void);
// Does a text like that of /proc/PID/uid_map map uid? Public for tests.
bool owner_map_has(const char *map, uid_t uid);

// May a user other than its owner have linked the file into the folder? This holds if the file has
// several names and a user who does not own it may write the folder: link(2) needs no permission on
// the file, unless the sysctl fs.protected_hardlinks is on.
bool owner_may_be_planted(const struct stat *folder, const struct stat *file);
