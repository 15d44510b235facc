// Enablement of units by [Install] and the links on the unit path (systemd.unit(5), systemctl(1)
// "Unit File Commands"). Works only on folders, of a running system or below a root, and notifies
// no daemon. Called by the bus and by usherctl.
//
// Links are made in the first folder of the path, except for masks (conf/unit_path.h). Folders
// below /run (or the user's runtime folder) contain runtime links, those below /usr the files of
// packages.
#pragma once

#include "conf/diag.h"
#include "conf/trust.h"

struct install;

// Which part of the presets is applied.
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
        enum trust_mode trust;  // which files are refused (conf/trust.h)
        bool is_runtime;        // make links in the first runtime folder of the path
        bool is_forced;         // replace existing links
        enum install_preset_mode preset_mode;
        struct diag *diag; // faults of names; may be NULL; borrowed
};

// Reads the path. 0 or -errno.
int install_open(const struct install_options *options, struct install **ret);
void install_close(struct install *install); // NULL is fine
DEFINE_CLEANUP(install, struct install *, install_close)

// Are the folders unchanged since they were read, so that the states are still right? Also false if
// that is unknown, and before the first query.
bool install_is_fresh(const struct install *install);

// systemd's word for the state of a unit file: "enabled", "disabled", "static", "masked", "alias",
// "linked", "indirect", some with "-runtime", "bad". *ret is static.
// Links are read once, at the first query. -ENOENT: no such unit; -EINVAL: not a unit name.
int install_get_state(struct install *install, const char *name, const char **ret);

// One link made or removed.
enum install_change_type { INSTALL_SYMLINK, INSTALL_UNLINK };
struct install_change {
        enum install_change_type type;
        char *file;   // the link, root included
        char *source; // its target; NULL for INSTALL_UNLINK
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
// appended, also those made before a failure. Positive: the number of names with an [Install]
// section that is not empty; 0: none has; -ENOENT (no such unit), -EADDRNOTAVAIL (masked),
// -EEXIST (another file has the path), -EPERM (the unit's file is not trusted), -EINVAL,
// -ELOOP (Also= without end), other -errno; the details go to diag.
int install_enable(struct install *install, char *const *names, struct install_changes *changes);
// Removes every link to the units, and those of Also=.
int install_disable(struct install *install, char *const *names, struct install_changes *changes);
int install_mask(struct install *install, char *const *names, struct install_changes *changes);
int install_unmask(struct install *install, char *const *names, struct install_changes *changes);

// The vendor's choice of enabled units (systemd.preset(5)): files *.preset in DIR-preset beside
// each folder of the path.
struct install_presets;
// dirs: the unit path (root included). Faulty lines are reported to diag, which may be
// NULL, and ignored. 0, -ENOMEM; -EPERM: a file is not trusted (reported), and without it the
// others would have a different meaning.
int install_presets_read(char *const *dirs, enum trust_mode trust, struct diag *diag,
                         struct install_presets **ret);
// The same for the text of one file, which is changed. For tests.
int install_presets_parse(char *text, const char *file, struct diag *diag,
                          struct install_presets **ret);
void install_presets_free(struct install_presets *presets); // NULL is fine
DEFINE_CLEANUP(install_presets, struct install_presets *, install_presets_free)
// "enabled" (also if no line matches), "disabled", "ignored". Static.
const char *install_presets_ask(const struct install_presets *presets, const char *name);
// Enables and disables units according to the presets; install_preset_all() all units, ignoring
// names. Results as of install_enable().
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

// The target that default.target leads to: new string. -ENOENT: there is no default.target.
int install_get_default(struct install *install, char **ret);
// name: an existing target. Replaces an existing link. 0 or -errno, as of install_enable().
int install_set_default(struct install *install, const char *name, struct install_changes *changes);
// target wants (suffix ".wants") or requires (".requires") the units.
int install_add_dependency(struct install *install, char *const *names, const char *target,
                           const char *suffix, struct install_changes *changes);
// Restores the files of packages: removes drop-ins in the administrator's and the runtime folders,
// unit files there if a vendor's folder also has the unit, and masks. For root's own use.
int install_revert(struct install *install, char *const *names, struct install_changes *changes);
// The folder for the administrator's files and links (with is_runtime: for this boot), without
// root. New string. -EROFS: the path has no such folder.
int install_get_folder(const struct install *install, char **ret);
// Links of the requested rank that name a unit: aliases, and links in .wants, .requires and
// .upholds folders. New array.
int install_get_links(struct install *install, const char *name, char ***ret);
