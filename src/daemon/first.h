// What comes first in main(): the process is made what the rest relies on, whatever its parent left
// behind. Nothing here can fail in a way that others have to know of.
#pragma once

#include "conf/types.h"

#include <sys/resource.h>

// To be the first call of main(), before anything is opened, allocated or read:
//  * where this process may change uids it is not dumpable from here on, so that a child which
//    shares its memory and has another uid is no way into that memory (ptrace(2), /proc/PID/mem,
//    core files); nothing sets it back;
//  * such a process has a session keyring of its own, and so nothing that it starts, as whatever
//    user, can get at the keys of whoever has started it (session-keyring(7)), nor put keys there
//    for others; that of an ordinary user's supervisor stays, as it is the same user's;
//  * 0, 1 and 2 are open, so that no file of ours gets such a number and is written to;
//  * no signal is ignored and none is blocked: with SIGCHLD ignored no exit status could be had;
//  * limits that would end or starve the supervisor are raised. limits[RLIMIT_*] gets what children
//    have to get in place, with is_set where something was changed.
void first_set_up(struct rlimit_value limits[RLIM_NLIMITS]);
