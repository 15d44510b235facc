// The first step of main(): puts the process into the state on which the rest relies, whatever it
// inherited. No failure here matters to a caller.
#pragma once

#include "conf/types.h"

#include <sys/resource.h>

// Must be the first call of main(), before anything is opened, allocated or read:
//  * if this process may change uids it is not dumpable from here on, so that users cannot read its
//    memory through a child that shares it with another uid (ptrace(2), /proc/PID/mem, core files);
//  * such a process gets its own session keyring, so that its children, of whatever user, can
//  neither
//    read the keys of the user who started usherd (session-keyring(7)) nor add keys for others; an
//    ordinary user's supervisor keeps its keyring, which is the same user's;
//  * 0, 1 and 2 are open, so that no other file gets such a number and is written to;
//  * no signal is ignored and none is blocked: with SIGCHLD ignored, exit statuses are lost;
//  * limits that would end or starve the supervisor are raised. limits[RLIMIT_*] gets the values
//    to restore in children, with is_set for those that were changed.
void first_set_up(struct rlimit_value limits[RLIM_NLIMITS]);
