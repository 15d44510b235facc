// Units that boot a machine (conf/boot_units.def), which count as reached without being run: where
// another init has booted, running them again would empty folders, mount, and start what runs.
#pragma once

#include "conf/types.h"

// What booted the system on which usher runs.
enum boot_role {
        BOOT_NOT_OURS, // nothing is left out: a user's supervisor, or a look at files alone
        BOOT_FIRST,    // usher is PID 1
        BOOT_BESIDE,   // another init
};

// Why a unit of this main name is left out; NULL: it is not. Static.
const char *boot_unit_find_reason(const char *name, enum boot_role role);
// The text of a unit that does nothing and says why. New string; NULL: no memory.
char *boot_unit_make_text(enum unit_type type, const char *reason);
