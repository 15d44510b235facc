// `usherctl lint`: loads units as the daemon does, and also finds faults that appear only at run
// time. It is an error if a start would be refused (a required unit or a socket's service is
// missing, two units listen on one address), and a warning if only the service would fail (a
// program or a user is missing on this machine) or if a setting is probably a mistake. All reports
// go to the caller's sink.
#pragma once

#include "conf/load.h"

struct lint;

struct lint_options {
        char *const *unit_path; // borrowed
        bool is_user, compat_systemd;
        const struct settings *settings; // of usher.conf; NULL: the defaults; borrowed
        enum trust_mode trust;           // the owner of a file named on the command line is trusted
        struct diag *diag;               // borrowed; its counters are the result
};

int lint_new(const struct lint_options *options, struct lint **ret); // 0 or -errno
void lint_free(struct lint *lint);                                   // NULL is fine
DEFINE_CLEANUP(lint, struct lint *, lint_free)

// Checks a unit of the path. 0 (also after complaints), or -errno.
int lint_unit(struct lint *lint, const char *name);
// Checks a file. Its folder comes first in the unit path. -EINVAL: its name is no unit name.
int lint_file(struct lint *lint, const char *path);
// Checks every unit of the path, whatever the result of the others. Returns the number of units, or
// -errno.
int lint_all(struct lint *lint);
