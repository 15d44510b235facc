// Whose hand made a file: is it as good as root's, or a stranger's?
#pragma once

#include "base/def.h"

#include <sys/stat.h>
#include <sys/types.h>

// Root; the user that this process acts as; and whoever our user namespace does not map: the real
// root and others outside of a container, whom nobody in here can become. Such owners are shown as
// the overflow uid (user_namespaces(7)); where that number is mapped, too, it is a stranger's.
bool owner_is_trusted(uid_t uid);
// Does the kernel keep others from giving files more names (fs.protected_hardlinks, proc(5))?
bool owner_kernel_protects_names(void);
// Does a text like that of /proc/PID/uid_map map uid? Public for tests.
bool owner_map_has(const char *map, uid_t uid);

// May somebody other than the owner have put a file's name into the folder? (The file has several
// names, and who may write the folder does not own it: link(2) needs no right to a file, unless
// the sysctl fs.protected_hardlinks is on.)
bool owner_may_be_planted(const struct stat *folder, const struct stat *file);
