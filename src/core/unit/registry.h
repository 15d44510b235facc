// All loaded units by name: look-ups, and (for core itself) adding and removing units.
#pragma once

#include "core/unit/manager.h"

#define REGISTRY_UNITS_MAX 131072

// The unit with this name, if it is loaded; aliases are resolved. NULL otherwise.
struct unit *registry_find_unit(struct manager *m, const char *name);
// The unit with this name, loaded now if necessary. Always gives a unit (its conf->load_state may
// be not-found, masked, ...), and loads all units that it names. -EINVAL (bad name, or that of a
// template), -ENOMEM, -E2BIG (registry full), other -errno.
int registry_load_unit(struct manager *m, const char *name, struct unit **ret);
// Walks all units, each once (aliases are not repeated). NULL starts, NULL ends.
struct unit *registry_next_unit(struct manager *m, struct unit *after);

// ---- for core itself

// Adds a unit with this conf (reference taken) under all its names. registry_build() makes its
// edges. 0, -ENOMEM, -E2BIG.
int registry_add_unit(struct manager *m, struct unit_conf *conf, struct unit **ret);
// Makes the edges of all new units, loading the units that they name. What failed (-ENOMEM) is
// tried again by the next call.
int registry_build(struct manager *m);
// Puts u on the list of units whose edges are to be made. 0 or -ENOMEM.
int registry_queue_build(struct unit *u);
// Adds the names and edges of a unit that has got its first real conf. 0 or -errno.
int registry_rebuild_unit(struct unit *u);
// Maps a further name to u. 0 or -ENOMEM.
int registry_add_name(struct unit *u, const char *name);
// Drops all names of u but its id.
void registry_drop_aliases(struct unit *u);
// Removes u from all tables and frees it. It must have no job and no edges.
void registry_remove_unit(struct unit *u);
