// From names to confs: search path, aliases, masks, templates, drop-ins, parse, assign, check. This
// is the whole of `usherctl lint` and of the daemon's loading; there is no second way.
#pragma once

#include "conf/boot_units.h"
#include "conf/cfgfile.h"
#include "conf/diag.h"
#include "conf/trust.h"
#include "conf/unit_conf.h"

struct conf_loader; // an index of the unit path (one readdir a folder) and of usher.conf's unit
                    // blocks

struct conf_loader_options {
        char *const *unit_path; // folders, first wins
        bool is_user;
        bool compat_systemd; // --compat=systemd: differences (conf/differences.def) that concern it
                             // are off
        enum boot_role boot_role;        // which units of systemd's folders are left out
        bool is_path_given;              // the command line names the folders of unit_path
        enum trust_mode trust;           // whose files are refused (conf/trust.h)
        const char *runtime_root;        // %t; NULL: default
        const struct cfgfile *cfgfile;   // blocks of usher.conf; may be NULL; borrowed
        const struct settings *settings; // defaults for units; NULL: systemd's; borrowed
        struct diag *diag; // where complaints about the folders go; used by conf_loader_new only
};

// Reads the folders. Missing ones are fine. The options' strings are copied. 0 or -errno.
int conf_loader_new(const struct conf_loader_options *options, struct conf_loader **ret);
void conf_loader_free(struct conf_loader *loader);
DEFINE_CLEANUP(conf_loader, struct conf_loader *, conf_loader_free)

// Where conf_loader_new looked: for enable and its kin (conf/install.h).
struct search;
struct search *conf_loader_search(struct conf_loader *loader);

// Load one unit. -EINVAL: not a unit name. Else it always gives a conf (0), whose load_state tells:
// loaded, not-found, bad-setting, error, masked; -ENOMEM or another errno only when nothing could
// be made. An alias gives the conf of the unit it stands for (conf->id differs from name). A
// template name ("foo@.service") gives the shared conf of its connections (defers_instance).
// Built-in targets (systemd.special(7)) are given where no file is. One that boots the machine (by
// boot_role) is loaded, does nothing, and says why in its description.
int conf_load(struct conf_loader *loader, const char *name, struct diag *diag,
              struct unit_conf **ret);
// Load one file as a unit, by path (lint of a named file; drop-ins from the loader's path).
// -EINVAL: its name is no socket's, service's or target's.
int conf_load_file(struct conf_loader *loader, const char *path, struct diag *diag,
                   struct unit_conf **ret);
// A unit from (section, name, value) text, as if it were a file (usherd run): transient. text: INI.
// -EINVAL as above.
int conf_load_text(struct conf_loader *loader, const char *name, const char *text,
                   struct diag *diag, struct unit_conf **ret);

// Names of all units with a file, link or block of their own on the path; templates included.
// Sorted.
int conf_loader_list(struct conf_loader *loader, char ***ret);
bool conf_loader_has_file(struct conf_loader *loader,
                          const char *name); // file, link or block (not built in)
// systemd's words: enabled, disabled, static, masked, alias, linked, indirect, generated, ... for
// is-enabled; name may be a template. Reads the folders anew (for many names see
// conf/install.h). -ENOENT: no such unit. *ret is a static string.
int conf_unit_file_state(struct conf_loader *loader, const char *name, const char **ret);
// What was read for that is kept, for as long as the folders do not change, until it is forgotten.
void conf_loader_forget_states(struct conf_loader *loader);
