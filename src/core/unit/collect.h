// Unloads units that are not needed: those that are inactive, have no job and no other reason to be
// kept, and are not named by a unit that stays. Units that only name each other are unloaded
// together, so that none is left without the units that it names.
//
// The cost is proportional to the edges of the units judged and of those that name them, whatever
// their number and order.
#pragma once

#include "core/unit/unit.h"

// Queues u to be judged, and unloaded if possible (WORK_COLLECT). To be called when something has
// ended that kept it.
void collect_unit_later(struct unit *u);
