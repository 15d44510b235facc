// Control groups, version 2: where they are writable, processes of a unit are put into one of its
// own (or its template's) and found again there. Knows folders, no units. Called by core.
#pragma once

#include "base/fail.h"

// The folder below which the supervisor may make cgroups: its own one, new string. 0; -EOPNOTSUPP:
// no cgroup v2 here, or it cannot be written.
int cgroup_root(char **ret);
// Path of a unit's cgroup: root/SLICE/NAME with '/'-free parts; slice may be NULL. New string;
// NULL: no memory.
char *cgroup_path(const char *root, const char *slice, const char *unit_name);
// Make it and its missing parents, and open the folder (close-on-exec, above the low window): the
// descriptor is for spawn_params.cgroup_fd. fd or -errno.
int cgroup_create(const char *path, struct fail *why);
// Remove it with the cgroups below it. 0 (also: was not there), -EBUSY: processes in it.
int cgroup_remove(const char *path);
// 1 empty (or gone), 0 not; -errno.
int cgroup_is_empty(const char *path);
// Kill all in it at once (cgroup.kill). 0; -ENOENT: kernel before 5.14, or gone.
int cgroup_kill(const char *path);
