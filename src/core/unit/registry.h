// All units in memory by their names: look-ups, and (for core itself) making and removing units.
#pragma once

#include "core/unit/manager.h"

#define REGISTRY_UNITS_MAX 131072

// The unit of a name, if it is in memory; aliases resolve. NULL otherwise.
struct unit *registry_find_unit(struct manager *m, const char *name);
// The unit of a name, loaded now if it is not in memory. Always gives a unit (its conf->load_state
// may be not-found, masked, ...), and all units that it names with it. -EINVAL (bad name, or that
// of a template), -ENOMEM, -E2BIG (registry full), other -errno.
int registry_load_unit(struct manager *m, const char *name, struct unit **ret);
// Walk the units of all types once each (aliases do not repeat). NULL starts, NULL ends.
struct unit *registry_next_unit(struct manager *m, struct unit *after);

// ---- for core itself

// A unit of this conf (reference taken) and all its names. Its edges are made by registry_build().
// 0, -ENOMEM, -E2BIG.
int registry_add_unit(struct manager *m, struct unit_conf *conf, struct unit **ret);
// Makes the edges of all new units, loading what they name. What could not be built (-ENOMEM) is
// tried again by the next call.
int registry_build(struct manager *m);
// Puts u on the list of units whose edges are to be made. 0 or -ENOMEM.
int registry_queue_build(struct unit *u);
// The names and edges of a unit that has got its first real conf. 0 or -errno.
int registry_rebuild_unit(struct unit *u);
// Map a further name to u. 0 or -ENOMEM.
int registry_add_name(struct unit *u, const char *name);
// Drops all names of u but its id.
void registry_drop_aliases(struct unit *u);
// Takes u out of everything and frees it. It must have no job and no edges.
void registry_remove_unit(struct unit *u);
