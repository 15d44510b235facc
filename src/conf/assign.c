#include "conf/assign.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/defaults.h"
#include "conf/group.h"
#include "conf/unacted.h"

struct conf_builder {
        struct unit_conf *conf;
        const struct specifier_context *specifiers;
        struct diag *diag;
        struct conf_rules rules;
        struct unacted unacted;
        void *owned[_GROUP_MAX]; // groups that can be changed; NULL: still the shared defaults
        uint8_t *assigned[_GROUP_MAX]; // bit n: the field at offset n was assigned; NULL: none
        bool has_marks;                // in a value that is not expanded at each start
        bool has_inert;                // a directive that is parsed but has no effect
};

// ---- groups of a conf

static const void **group_slot(struct unit_conf *conf, enum conf_group group)
{
        switch (group) {
        case GROUP_UNIT:
                return (const void **)&conf->unit;
        case GROUP_INSTALL:
                return (const void **)&conf->install;
        case GROUP_SOCKET:
                return (const void **)&conf->socket;
        case GROUP_SERVICE:
                return (const void **)&conf->service;
        case GROUP_EXEC:
                return (const void **)&conf->exec;
        case GROUP_KILL:
                return (const void **)&conf->kill;
        case GROUP_CGROUP:
        case _GROUP_MAX:
                break;
        }
        return (const void **)&conf->cgroup;
}

static bool has_group(enum unit_type type, enum conf_group group)
{
        if (group == GROUP_SOCKET)
                return type == UNIT_SOCKET;
        if (group == GROUP_SERVICE)
                return type == UNIT_SERVICE;
        return group == GROUP_UNIT || group == GROUP_INSTALL || type == UNIT_SOCKET ||
               type == UNIT_SERVICE;
}

int unit_conf_new_empty(const char *id, enum unit_type type, enum load_state state,
                        struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = calloc(1, sizeof(*conf));

        if (!conf)
                return -ENOMEM;
        conf->refs = 1;
        conf->type = type;
        conf->load_state = state;
        conf->id = strdup(id);
        if (!conf->id)
                return -ENOMEM;
        for (int g = 0; g < _GROUP_MAX; g++) {
                const void **slot = group_slot(conf, (enum conf_group)g);

                if (has_group(type, (enum conf_group)g) &&
                    !(*slot = group_default((enum conf_group)g)))
                        return -ENOMEM;
        }
        *ret = TAKE(conf);
        return 0;
}

// ---- builder

int conf_builder_new(const char *id, enum unit_type type,
                     const struct specifier_context *specifiers, struct diag *diag,
                     struct conf_builder **ret)
{
        CLEANUP(conf_builder) struct conf_builder *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        int r = unit_conf_new_empty(id, type, LOAD_LOADED, &b->conf);

        if (r < 0)
                return r;
        b->conf->defers_instance = specifiers && specifiers->defer_instance;
        b->specifiers = specifiers;
        b->diag = diag;
        *ret = TAKE(b);
        return 0;
}

void conf_builder_free(struct conf_builder *b)
{
        if (!b)
                return;
        unit_conf_unref(b->conf);
        for (int g = 0; g < _GROUP_MAX; g++)
                free(b->assigned[g]);
        unacted_done(&b->unacted);
        free(b);
}

void conf_builder_set_rules(struct conf_builder *b, const struct conf_rules *rules)
{
        b->rules = *rules;
}

struct unit_conf *conf_builder_conf(struct conf_builder *b)
{
        return b->conf;
}

// The group, as a copy that may change: made from the defaults at the first assignment.
static void *own_group(struct conf_builder *b, enum conf_group group)
{
        const void **slot = group_slot(b->conf, group);

        if (b->owned[group])
                return b->owned[group];
        void *copy = group_copy(group, *slot);

        if (!copy)
                return NULL;
        group_unref(*slot);
        *slot = b->owned[group] = copy;
        return copy;
}

static int mark_assigned(struct conf_builder *b, const struct directive *d)
{
        if (!b->assigned[d->group])
                b->assigned[d->group] = calloc(1, conf_group_size(d->group) / 8 + 1);
        if (!b->assigned[d->group])
                return -ENOMEM;
        b->has_inert = b->has_inert || (d->flags & DIRECTIVE_INERT);
        b->assigned[d->group][d->offset / 8] |= (uint8_t)(1U << d->offset % 8);
        return 0;
}

static bool is_assigned(const struct conf_builder *b, const struct directive *d)
{
        const uint8_t *bits = b->assigned[d->group];

        return bits && (bits[d->offset / 8] & (1U << d->offset % 8));
}

bool conf_builder_is_set(const struct conf_builder *b, const char *section, const char *name)
{
        const struct directive *d = directive_find(b->conf->type, section, name);

        return d && d->how == DIRECTIVE_ACTED && is_assigned(b, d);
}

// ---- one assignment

static int refuse_unit(struct conf_builder *b, const char *name, const char *file, unsigned line)
{
        char *why = str_printf("%s:%u: %s= is bad", file ? file : b->conf->id, line, name);

        if (!why)
                return -ENOMEM;
        if (b->conf->load_state == LOAD_LOADED) {
                b->conf->load_state = LOAD_BAD_SETTING;
                free(b->conf->load_error);
                b->conf->load_error = why;
        } else {
                free(why);
        }
        return 0;
}

static int complain_unknown(struct conf_builder *b, const char *section, const char *name,
                            const char *file, unsigned line)
{
        if (strncmp(name, "X-", 2) == 0)
                return 0;
        CLEANUP(buf) struct buf hint = BUF_NULL;

        directive_hint(b->conf->type, section, name, &hint);
        diag_report(b->diag, DIAG_WARNING, b->conf->id, file, line,
                    "Unknown key name '%s' in section '%s', ignoring.%s", name, section,
                    buf_text(&hint));
        return 0;
}

static size_t count_ports(const struct conf_builder *b)
{
        return b->conf->socket ? b->conf->socket->ports.n : 0;
}

static int set_field(struct conf_builder *b, const struct directive *d, const char *section,
                     const char *value, const struct specifier_context *specifiers,
                     const char *file, unsigned line)
{
        bool has_kept = false;
        const struct parse_context context = {
                .unit = b->conf->id,
                .file = file,
                .line = line,
                .section = section,
                .directive = d,
                .specifiers = specifiers,
                .is_compat = b->rules.compat_systemd,
                .ret_marks = &b->has_marks,
                .ret_kept = &has_kept,
                .diag = b->diag,
        };
        char *group = own_group(b, d->group);
        size_t n_ports = count_ports(b);
        int r = group ? d->kind->parse(&context, value, group + d->offset) : -ENOMEM;

        if (r >= 0 && streq(d->kind->name, "ports"))
                b->conf->skips_listener =
                        *value && (b->conf->skips_listener || count_ports(b) == n_ports);

        // Only values of a plan are expanded at each start, not those that the unit itself reads.
        if (has_kept && d->group >= GROUP_SERVICE && !(d->flags & DIRECTIVE_AT_START))
                b->conf->needs_own_plan = true;
        return r;
}

int conf_builder_assign(struct conf_builder *b, const char *section, const char *name,
                        const char *value, const char *file, unsigned line)
{
        if (strncmp(section, "X-", 2) == 0)
                return 0;
        const struct directive *d = directive_find(b->conf->type, section, name);

        if (!d)
                return complain_unknown(b, section, name, file, line);
        if (d->how == DIRECTIVE_SILENT)
                return 0;
        if (d->how != DIRECTIVE_ACTED)
                return unacted_note(&b->unacted, d, value, file, line);
        if (d->flags & DIRECTIVE_OBSOLETE)
                diag_report(b->diag, DIAG_NOTICE, b->conf->id, file, line, "%s= is obsolete.",
                            d->name);
        int r = set_field(b, d, section, value, b->specifiers, file, line);

        if (r >= 0 && mark_assigned(b, d) < 0)
                r = -ENOMEM;
        const char *other = defaults_companion(d);

        if (r == 0 && other) {
                struct diag *diag = TAKE(b->diag); // the error was reported

                d = directive_find(b->conf->type, section, other);
                r = set_field(b, d, section, value, b->specifiers, file, line);
                b->diag = diag;
                if (r >= 0 && mark_assigned(b, d) < 0)
                        r = -ENOMEM;
        }
        return r > 0 ? refuse_unit(b, name, file, line) : r;
}

int conf_builder_set_default(struct conf_builder *b, const char *section, const char *name,
                             const char *value, const char *file, unsigned line)
{
        const struct directive *d = directive_find(b->conf->type, section, name);

        if (!d || d->how != DIRECTIVE_ACTED)
                return 0;
        int r = set_field(b, d, section, value, NULL, file, line);

        return r < 0 ? r : 0;
}

// ---- the end

static int fill_defaults(struct conf_builder *b)
{
        enum conf_group group = b->conf->type == UNIT_SERVICE ? GROUP_SERVICE : GROUP_SOCKET;

        if (b->conf->type != UNIT_SERVICE && b->conf->type != UNIT_SOCKET)
                return 0;
        void *own = own_group(b, group);

        if (!own)
                return -ENOMEM;
        if (group == GROUP_SERVICE)
                defaults_fill_service(b, own);
        else
                defaults_fill_socket(b, own, b->diag);
        return 0;
}

// Directives that are parsed but have no effect join the notice about the others.
static int note_inert(struct conf_builder *b)
{
        size_t position = 0;
        const struct directive *d;

        while (b->has_inert && (d = directive_next(b->conf->type, &position))) {
                if (!(d->flags & DIRECTIVE_INERT) || d->is_more || !is_assigned(b, d))
                        continue;
                const void *plain = group_default(d->group);

                if (!plain)
                        return -ENOMEM;
                bool is_default = kind_equal(d->kind, directive_value(d, b->conf),
                                             (const char *)plain + d->offset);

                group_unref(plain);
                if (!is_default && unacted_note(&b->unacted, d, "set", NULL, 0) < 0)
                        return -ENOMEM;
        }
        return 0;
}

int conf_builder_finish(struct conf_builder *b, struct unit_conf **ret)
{
        int r = fill_defaults(b);

        if (r == 0)
                r = note_inert(b);
        if (r == 0)
                r = unacted_judge(&b->unacted, &b->rules, b->conf, b->diag);
        if (r < 0)
                return r;
        for (int g = 0; g < _GROUP_MAX; g++)
                if (b->owned[g]) {
                        *group_slot(b->conf, (enum conf_group)g) =
                                group_share((enum conf_group)g, b->owned[g]);
                        b->owned[g] = NULL;
                }
        b->conf->needs_own_instance = b->conf->defers_instance && b->has_marks;
        *ret = TAKE(b->conf);
        return 0;
}
