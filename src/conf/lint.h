// `usherctl lint`: loads units as the daemon does, and looks at what only shows at run time. What a
// start would be refused for is an error (a required unit or a socket's service that is not there,
// an address that is listened on twice); a warning is what only the service would fail for (a
// program or a user that this machine lacks) or what is hardly meant. All goes to the caller's
// sink.
#pragma once

#include "conf/load.h"

struct lint;

struct lint_options {
        char *const *unit_path; // borrowed
        bool is_user, compat_systemd;
        const struct settings *settings; // of usher.conf; NULL: the defaults; borrowed
        enum trust_mode trust;           // a file that is named is trusted with its owner
        struct diag *diag;               // borrowed; its counters tell the result
};

int lint_new(const struct lint_options *options, struct lint **ret); // 0 or -errno
void lint_free(struct lint *lint);                                   // NULL is fine
DEFINE_CLEANUP(lint, struct lint *, lint_free)

// A unit of the path. 0 (also when complaints were made), or -errno.
int lint_unit(struct lint *lint, const char *name);
// A file. Its folder comes first in the unit path. -EINVAL: its name is no unit's.
int lint_file(struct lint *lint, const char *path);
// Every unit of the path; one that is wrong does not keep the others from being checked. How many
// there were, or -errno.
int lint_all(struct lint *lint);
