// Targets: groups of units, active as soon as their start job runs.
#pragma once

#include "core/unit/unit.h"

extern const struct unit_ops target_ops;
// For unit types that usher does not run (.slice, .mount, ...): never active, not-found.
extern const struct unit_ops placeholder_ops;
