// Expansion of % specifiers (systemd.unit(5), "Specifiers"). Each call looks the values up, so that
// only loading uses it. The name service is asked only for the supervisor's own user.
#pragma once

#include "base/def.h"

struct specifier_context {
        const char *unit_name;     // "foo@bar.service"
        const char *fragment_path; // may be NULL
        bool is_user;              // user manager: XDG folders
        bool defer_instance;      // template shared by its instances: leave SPECIFIER_MARK + letter
        const char *runtime_root; // %t; NULL: /run (or XDG_RUNTIME_DIR)
};

enum specifier_set {
        SPECIFIERS_ALL,       // values
        SPECIFIERS_UNIT_NAME, // unit-name valued keys: i j n N p, host and os group, u U g G
        SPECIFIERS_INSTALL,   // [Install]
};

// New string in *ret. -EINVAL for an unknown %x (x a letter or digit) or one outside the set, with
// the letter in *ret_bad (may be NULL); -ENOMEM; other -errno if a value is not available (%m
// without id). A % before any other character is kept.
int specifier_expand(const char *text, const struct specifier_context *context,
                     enum specifier_set set, char **ret, char *ret_bad);
// Fills the marks that defer_instance left, for one instance. A literal mark byte is doubled in a
// deferred text. New string, or NULL (no memory).
char *specifier_fill(const char *text, const char *unit_name);
// A text that specifier_fill() turns back into this one: doubles its mark bytes. New string, or
// NULL (no memory).
char *specifier_protect(const char *text);
bool specifier_has_marks(const char *text);
