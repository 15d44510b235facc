// Assignments to a conf under construction: (section, name, value, file, line) to a field of a
// group. Both languages (conf/ini.h, conf/cfgfile.h) end here. Owns the groups while they can
// change; knows no files. Called by conf/load.c.
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

// How a unit is read (--compat=systemd, settings of usher.conf). Without these: as by default.
struct conf_rules {
        bool compat_systemd;
        enum unsupported unsupported;
};

// To be given before all assignments.
void conf_builder_set_rules(struct conf_builder *builder, const struct conf_rules *rules);

// The conf itself: names, paths, links and load state are the loader's to fill in. Its groups point
// to what is being built.
struct unit_conf *conf_builder_conf(struct conf_builder *builder);

// One assignment of a unit file. 0, also for what was complained about; a line that refuses the
// unit (a bad Exec line, a bad User=, a directive that cannot be left out) makes the conf's load
// state BAD_SETTING, with load_error. -ENOMEM. file and line may be NULL and 0.
int conf_builder_assign(struct conf_builder *builder, const char *section, const char *name,
                        const char *value, const char *file, unsigned line);
// Another default than the table's (of usher.conf). To be given before all assignments.
int conf_builder_set_default(struct conf_builder *builder, const char *section, const char *name,
                             const char *value, const char *file, unsigned line);
// Was a row's field assigned (by this name or another that fills the same field)?
bool conf_builder_is_set(const struct conf_builder *builder, const char *section, const char *name);

// Fill in the defaults that depend on other values (Type=, TriggerLimitBurst=, NotifyAccess=, ...),
// give the one notice about directives without effect (conf->unacted), share equal groups, hand the
// conf over. The builder is then good for free only. 0 or -ENOMEM.
int conf_builder_finish(struct conf_builder *builder, struct unit_conf **ret);

// A unit without any file: all defaults, of the load state given. 0 or -ENOMEM.
int unit_conf_new_empty(const char *id, enum unit_type type, enum load_state state,
                        struct unit_conf **ret);
