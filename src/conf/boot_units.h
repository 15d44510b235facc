// Units that boot a machine (conf/boot_units.def). They count as reached without being run: another
// init has run them, and a second run would empty folders, mount again, and start running services.
#pragma once

#include "conf/types.h"

// The program that booted the system on which usher runs.
enum boot_role {
        BOOT_NOT_OURS, // for a user's supervisor, and if only files are read: no unit is left out
        BOOT_FIRST,    // usher is PID 1
        BOOT_BESIDE,   // another init
};

// Why a unit of this main name is left out; NULL: it is not. Static.
const char *boot_unit_find_reason(const char *name, enum boot_role role);
// The text of a unit that does nothing and states the reason. New string; NULL: no memory.
char *boot_unit_make_text(enum unit_type type, const char *reason);
