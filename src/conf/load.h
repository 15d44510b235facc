// From names to confs: search path, aliases, masks, templates, drop-ins, parse, assign, check. Both
// `usherctl lint` and the daemon load units only in this way.
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
        enum trust_mode trust;           // which files are refused (conf/trust.h)
        const char *runtime_root;        // %t; NULL: default
        const struct cfgfile *cfgfile;   // blocks of usher.conf; may be NULL; borrowed
        const struct settings *settings; // defaults for units; NULL: systemd's; borrowed
        struct diag *diag; // for complaints about the folders; used only by conf_loader_new()
};

// Reads the folders. Missing ones are fine. The options' strings are copied. 0 or -errno.
int conf_loader_new(const struct conf_loader_options *options, struct conf_loader **ret);
void conf_loader_free(struct conf_loader *loader);
DEFINE_CLEANUP(conf_loader, struct conf_loader *, conf_loader_free)

// The index of the unit path, for conf/install.h.
struct search;
struct search *conf_loader_search(struct conf_loader *loader);

// Load one unit. -EINVAL: not a unit name. Otherwise it makes a conf (0), whose load_state is
// loaded, not-found, bad-setting, error or masked; -ENOMEM or another errno only if no conf could
// be made. An alias gives the conf of its target (conf->id differs from name). A template name
// ("foo@.service") gives the shared conf of its connections (defers_instance). Built-in targets
// (systemd.special(7)) exist without a file. A unit that boots the machine (according to boot_role)
// is loaded, but does nothing, and its description says why.
int conf_load(struct conf_loader *loader, const char *name, struct diag *diag,
              struct unit_conf **ret);
// Loads one file as a unit, by path (lint of a named file; drop-ins from the loader's path).
// -EINVAL: its name is not that of a socket, service or target.
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
// conf_unit_file_state() keeps what it has read while the folders do not change; this frees it.
void conf_loader_forget_states(struct conf_loader *loader);
