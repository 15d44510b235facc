// Assignments to a conf under construction: (section, name, value, file, line) becomes a field of a
// group. Both languages (conf/ini.h, conf/cfgfile.h) lead here. Owns the groups while they can
// change; reads no files. Called by conf/load.c.
#pragma once

#include "conf/unit_conf.h"

struct conf_builder;

// A unit of this name with all values at their defaults, load state LOADED. specifiers and diag
// (may be NULL) are borrowed until finish. -ENOMEM.
int conf_builder_new(const char *id, enum unit_type type,
                     const struct specifier_context *specifiers, struct diag *diag,
                     struct conf_builder **ret);
void conf_builder_free(struct conf_builder *builder); // NULL is fine
DEFINE_CLEANUP(conf_builder, struct conf_builder *, conf_builder_free)

// How a unit is read (--compat=systemd, settings of usher.conf); zero: the defaults.
struct conf_rules {
        bool compat_systemd;
        enum unsupported unsupported;
};

// Call it before all assignments.
void conf_builder_set_rules(struct conf_builder *builder, const struct conf_rules *rules);

// The conf itself: the loader fills in names, paths, links and load state. Its groups point
// to those under construction.
struct unit_conf *conf_builder_conf(struct conf_builder *builder);

// One assignment of a unit file. 0, also after a complaint; a line that makes the unit unusable (a
// bad Exec line, a bad User=, an unsupported directive that must not be ignored) sets the conf's
// load state to BAD_SETTING, with load_error. -ENOMEM. file and line may be NULL and 0.
int conf_builder_assign(struct conf_builder *builder, const char *section, const char *name,
                        const char *value, const char *file, unsigned line);
// Replaces a default of the table (for usher.conf). Call it before all assignments.
int conf_builder_set_default(struct conf_builder *builder, const char *section, const char *name,
                             const char *value, const char *file, unsigned line);
// Was a row's field assigned (by this name or another that fills the same field)?
bool conf_builder_is_set(const struct conf_builder *builder, const char *section, const char *name);

// Fills in the defaults that depend on other values (Type=, TriggerLimitBurst=, NotifyAccess=,
// ...), makes the one notice about directives without effect (conf->unacted), shares equal groups,
// and gives the conf to the caller. Afterwards the builder can only be freed. 0 or -ENOMEM.
int conf_builder_finish(struct conf_builder *builder, struct unit_conf **ret);

// A unit without any file: all defaults, and this load state. 0 or -ENOMEM.
int unit_conf_new_empty(const char *id, enum unit_type type, enum load_state state,
                        struct unit_conf **ret);
