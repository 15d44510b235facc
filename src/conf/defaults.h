// Defaults that depend on usher.conf, on --compat=systemd, or on the unit's other values. Constant
// defaults are in the rows of the table. Called by conf/load.c, and by
// conf/assign.c, which knows no directive by name.
#pragma once

#include "conf/assign.h"
#include "conf/directive.h"

struct settings;

// Called before the unit's files are read: sets the defaults of usher.conf. 0 or -ENOMEM.
int defaults_set_settings(struct conf_builder *b, enum unit_type type, const struct settings *s);
// --compat=systemd: directives that choose a difference default to systemd's behaviour. 0 or
// -ENOMEM.
int defaults_set_compat(struct conf_builder *b, enum unit_type type);

// Called after all assignments; b knows which were made.
void defaults_fill_service(const struct conf_builder *b, struct service_group *g);
// Drops names of descriptors (FileDescriptorName=) that do not fit the Listen lines, and says so.
void defaults_fill_socket(struct conf_builder *b, struct socket_group *g, struct diag *diag);
// The name of the directive, of the same section, that an assignment to d sets as well. NULL: none.
const char *defaults_companion(const struct directive *d);
