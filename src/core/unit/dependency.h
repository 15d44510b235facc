// Edges between units: kept at both ends, made from the configuration and from what each type adds
// by itself (the sections on implicit and default dependencies of systemd.unit(5),
// systemd.socket(5), systemd.service(5), systemd.target(5)). Called by the registry (load) and by
// reload.
#pragma once

#include "core/unit/unit.h"

// In addition to the kinds: which unit names which. A unit that no other names can be unloaded.
#define DEP_REFERENCES (UINT32_C(1) << 30)
#define DEP_REFERENCED_BY (UINT32_C(1) << 31)

// Adds an edge from u to other, and the inverse edge. Does nothing if other == u. 0 or -ENOMEM.
int dependency_add(struct unit *u, enum dependency d, struct unit *other);
bool dependency_exists(const struct unit *u, enum dependency d, const struct unit *other);
// Removes the edges of u to units that are about to be freed (is_gone).
void dependency_drop_gone(struct unit *u);
// Removes all edges of u, but only at its own end: for units that are freed together, and before
// all edges of all units are rebuilt.
void dependency_clear(struct unit *u);
// Makes all edges that u asks for, loading the units that it names (registry). May be repeated. 0
// or -ENOMEM.
int dependency_build(struct unit *u);
// A target is ordered after the units that it pulls in. To be called when the edges of all these
// units are made. 0 or -ENOMEM.
int dependency_build_target_order(struct unit *target);
