// Units that nobody needs are unloaded: those that are not active, have no job and nothing to keep,
// and that no unit which stays names. Units that only name one another go together, so that nobody
// finds one of them without what it names.
//
// Costs as much as the units that are looked at and those that name them have edges, whatever their
// number and order.
#pragma once

#include "core/unit/unit.h"

// May u be unloaded? Looked at, and done, later (WORK_COLLECT). To be called when something has
// ended that kept it.
void collect_unit_later(struct unit *u);
