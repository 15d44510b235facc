// The registry's side that only core itself uses: making and removing units. See core/manager.h for
// look-ups.
#pragma once

#include "core/manager.h"

#define REGISTRY_UNITS_MAX 131072

// A unit of this conf (reference taken) and all its names. Its edges are made by registry_build().
// 0, -ENOMEM, -E2BIG.
int registry_add_unit(struct manager *m, struct unit_conf *conf, struct unit **ret);
// Makes the edges of all new units, loading what they name. What could not be built (-ENOMEM) is
// tried again by the next call.
int registry_build(struct manager *m);
// Puts u on the list of units whose edges are to be made. 0 or -ENOMEM.
int registry_queue_build(struct unit *u);
// Map a further name to u. 0 or -ENOMEM.
int registry_add_name(struct unit *u, const char *name);
// Drops all names of u but its id.
void registry_drop_aliases(struct unit *u);
// Takes u out of everything and frees it. It must have no job and no edges.
void registry_remove_unit(struct unit *u);
