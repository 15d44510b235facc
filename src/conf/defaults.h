// What a unit does not say, where that depends on what else it says. Plain defaults stand in the
// rows of the table. Called by conf/assign.c, which knows no directive by name.
#pragma once

#include "conf/assign.h"
#include "conf/directive.h"

// All assignments were made; b knows which.
void defaults_fill_service(const struct conf_builder *b, struct service_group *g);
void defaults_fill_socket(const struct conf_builder *b, struct socket_group *g);
// The name of the directive, of the same section, that an assignment to d sets as well. NULL: none.
const char *defaults_companion(const struct directive *d);
