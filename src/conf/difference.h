// The deliberate differences from systemd, as a table (conf/differences.def) for the code, the
// manual, and `usherctl explain`.
#pragma once

#include "base/def.h"

enum difference {
#define DIFFERENCE(id, key, section, directive, value, theirs, ours, chosen_by) DIFFERENCE_##id,
#include "conf/differences.def"
#undef DIFFERENCE
        _DIFFERENCE_MAX,
};

struct difference_row {
        const char *key;                       // "trigger-limit"
        const char *section, *directive;       // the directive that chooses, NULL: none
        const char *compat_value;              // its default under --compat=systemd
        const char *theirs, *ours, *chosen_by; // prose
};

const struct difference_row *difference_row(enum difference d);
// Does usher differ from systemd here? (If a directive chooses, check its value instead: its
// default depends on compat_systemd when the unit is loaded.)
bool difference_applies(enum difference d, bool compat_systemd);
