// What a unit's values must be together: the refusals of loading (in systemd's words).
// Pure: looks at a conf that is finished (conf/assign.h) and says what is wrong with it. Which file
// exists is not asked here (conf/lint.h does).
#pragma once

#include "conf/unit_conf.h"

// Complains to diag about all that has no effect, and about the first thing that cannot be: then
// conf's load state becomes BAD_SETTING and load_error tells why. A conf that is not LOADED is left
// alone. has_explicit_service: Service= was written (the default is filled in by now).
// 0 or -ENOMEM.
int check_unit(struct unit_conf *conf, bool has_explicit_service, struct diag *diag);
