// What a unit asks for that usher does not act on: collected while its lines are assigned, judged
// at the end. A later assignment that asks for nothing (the empty one, "no", the default) takes
// back what earlier ones asked for, so that a drop-in can. Called by conf/assign.c.
#pragma once

#include "conf/assign.h"
#include "conf/directive.h"

struct unacted_item {
        const struct directive *directive;
        char *file; // NULL: unknown
        unsigned line;
};

struct unacted {
        struct unacted_item *items;
        size_t n, capacity;
        unsigned allowed; // IPAddressAllow=: bit 0: all of IPv4, bit 1: all of IPv6
};

void unacted_done(struct unacted *u);
// An assignment to a directive that is not acted on. 0 or -ENOMEM.
int unacted_note(struct unacted *u, const struct directive *d, const char *value, const char *file,
                 unsigned line);
// All assignments were made: gives conf->unacted and conf->unguarded, and a notice. If the rules
// refuse the unit, its load state becomes BAD_SETTING, with load_error. 0 or -ENOMEM.
int unacted_judge(struct unacted *u, const struct conf_rules *rules, struct unit_conf *conf,
                  struct diag *diag);
