// Combinations of values for which a unit is refused. Pure: checks a finished conf (conf/assign.h)
// and reports its faults. Whether files exist is checked by conf/lint.h.
#pragma once

#include "conf/unit_conf.h"

// Complains to diag about all values without effect, and about the first invalid combination: then
// conf's load state becomes BAD_SETTING, with the reason in load_error. Ignores a conf that is not
// LOADED. has_explicit_service: the file has Service= (the default is filled in by now).
// 0 or -ENOMEM.
int check_unit(struct unit_conf *conf, bool has_explicit_service, struct diag *diag);
