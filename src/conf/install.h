// Enablement of units: what [Install] and the links on the unit path say (systemd.unit(5),
// systemctl(1) "Unit File Commands"). Works on folders alone, of a running system or below a root;
// tells no daemon about it. Called by the bus and by usherctl.
//
// The first folder of the path is where links are made (those for masks aside, see
// conf/unit_path.h); of the others, those below /run (or the
// user's runtime folder) hold runtime links, those below /usr what packages bring.
#pragma once

#include "conf/diag.h"
#include "conf/trust.h"

struct install;

// Which half of what presets say is done.
enum install_preset_mode {
        INSTALL_PRESET_FULL,
        INSTALL_PRESET_ENABLE_ONLY,
        INSTALL_PRESET_DISABLE_ONLY,
        _INSTALL_PRESET_MODE_MAX,
        _INSTALL_PRESET_MODE_INVALID = -EINVAL,
};

struct install_options {
        char *const *unit_path; // without root; copied
        const char *root;       // file system to work on; NULL: /
        enum trust_mode trust;  // whose files are refused (conf/trust.h)
        bool is_runtime;        // make links in the first runtime folder of the path
        bool is_forced;         // replace links that stand in the way
        enum install_preset_mode preset_mode;
        struct diag *diag; // what was wrong with a name; may be NULL; borrowed
};

// Reads the path. 0 or -errno.
int install_open(const struct install_options *options, struct install **ret);
void install_close(struct install *install); // NULL is fine
DEFINE_CLEANUP(install, struct install *, install_close)

// Are the folders as they were when this was made? Then the states it gives are right. False where
// it cannot be told, and before the first state was asked for.
bool install_is_fresh(const struct install *install);

// systemd's word for the state of a unit file: "enabled", "disabled", "static", "masked", "alias",
// "linked", "indirect", each with "-runtime" where it has one, "bad". *ret is static.
// Links are read once, for the first question. -ENOENT: no such unit; -EINVAL: not a unit name.
int install_get_state(struct install *install, const char *name, const char **ret);

// One link made or removed.
enum install_change_type { INSTALL_SYMLINK, INSTALL_UNLINK };
struct install_change {
        enum install_change_type type;
        char *file;   // the link, root included
        char *source; // where it points to; NULL for INSTALL_UNLINK
};
struct install_changes {
        struct install_change *items;
        size_t n;
};
void install_changes_done(struct install_changes *changes);
static inline void cleanup_install_changes(struct install_changes *changes)
{
        install_changes_done(changes);
}

// names: unit names, or paths of unit files outside the path (which are linked first). Changes are
// appended, also those made before a failure. Positive: how many of the names have an [Install]
// section that says something; 0: none has; -ENOENT (no such unit), -EADDRNOTAVAIL (masked),
// -EEXIST (something else is in the way), -EPERM (the unit's file is not to be trusted), -EINVAL,
// -ELOOP (Also= without end), other -errno; diag was told which.
int install_enable(struct install *install, char *const *names, struct install_changes *changes);
// Removes every link to the units, and those of Also=.
int install_disable(struct install *install, char *const *names, struct install_changes *changes);
int install_mask(struct install *install, char *const *names, struct install_changes *changes);
int install_unmask(struct install *install, char *const *names, struct install_changes *changes);

// What the vendor means to be enabled (systemd.preset(5)): files *.preset in DIR-preset beside each
// folder of the path.
struct install_presets;
// dirs: the unit path (root included). What is wrong in the files is told to diag, which may be
// NULL, and left out. 0, -ENOMEM; -EPERM: one is not to be trusted (told), and without it the
// others would say something else.
int install_presets_read(char *const *dirs, enum trust_mode trust, struct diag *diag,
                         struct install_presets **ret);
// The same of one file's text, which is taken apart. For tests.
int install_presets_parse(char *text, const char *file, struct diag *diag,
                          struct install_presets **ret);
void install_presets_free(struct install_presets *presets); // NULL is fine
DEFINE_CLEANUP(install_presets, struct install_presets *, install_presets_free)
// "enabled" (also if no line matches), "disabled", "ignored". Static.
const char *install_presets_ask(const struct install_presets *presets, const char *name);
// Enable and disable units as the presets say; the second: all there are, names are not looked at.
// Results as of install_enable().
int install_preset(struct install *install, char *const *names, struct install_changes *changes);
int install_preset_all(struct install *install, char *const *names,
                       struct install_changes *changes);
enum install_preset_mode install_preset_mode_from_name(const char *name); // "full", ...

// Every unit file on the path, sorted, with its state. 0 or -errno.
struct install_file {
        char *path;
        const char *state; // static
};
int install_list(struct install *install, struct install_file **ret, size_t *ret_n);
void install_list_free(struct install_file *files, size_t n);
// The same in steps: the names, and the file of one of them. 0 or -errno (-ENOENT: it is gone).
int install_list_names(struct install *install, char ***ret);
int install_get_file(struct install *install, const char *name, struct install_file *ret);

// ---- further changes (install_default.c)

// The target that default.target stands for: new string. -ENOENT: there is no default.target.
int install_get_default(struct install *install, char **ret);
// name: a target that is there. Replaces the link that there is. 0 or -errno, as of enable.
int install_set_default(struct install *install, const char *name, struct install_changes *changes);
// target wants (suffix ".wants") or requires (".requires") the units.
int install_add_dependency(struct install *install, char *const *names, const char *target,
                           const char *suffix, struct install_changes *changes);
// Back to what packages bring: drop-ins in the administrator's and the runtime folders go, and
// files there where a vendor's folder has the unit, too; masks as well. For root's own use.
int install_revert(struct install *install, char *const *names, struct install_changes *changes);
// Where files and links of the administrator's go (with is_runtime: those of this boot), without
// root. New string. -EROFS: the path has no such folder.
int install_get_folder(const struct install *install, char **ret);
// Links of the wanted sort that name a unit: aliases, and those in .wants and its like. New array.
int install_get_links(struct install *install, const char *name, char ***ret);
