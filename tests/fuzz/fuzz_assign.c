// First byte: what unit it is; then lines Name=value, of whichever section has that name. Each
// value that is accepted is printed as a unit file has it, and read again as the same.
#include "conf/assign.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/directive.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

#include <stdio.h>

static const struct {
        const char *name;
        bool defers; // a template that its instances share
} units[] = {
        {"a.service", false}, {"a@b\\x2dc.service", false}, {"a@.service", true},
        {"a.socket", false},  {"a.target", false},
};

static const char *const sections[] = {"Unit", "Install", "Socket", "Service"};

static void on_complaint(struct diag *diag, const struct diag_entry *entry)
{
        char text[4096];

        assert(*entry->text && *diag_format(entry, text, sizeof(text)));
        assert(strlen(text) < sizeof(text));
}

struct bench {
        struct diag diag;
        struct specifier_context specifiers;
        struct conf_builder *builder;
        bool had_unknown, is_incomplete;
};

static void bench_init(struct bench *b, unsigned unit)
{
        *b = (struct bench){
                .diag.emit = on_complaint,
                .specifiers = {.unit_name = units[unit].name,
                               .fragment_path = "/etc/usher/a.service",
                               .defer_instance = units[unit].defers},
        };
        assert(conf_builder_new(units[unit].name, unit_name_type(units[unit].name), &b->specifiers,
                                &b->diag, &b->builder) == 0);
}

static const struct unit_conf *bench_conf(const struct bench *b)
{
        return conf_builder_conf(b->builder);
}

static void assign(struct bench *b, const char *section, const char *name, const char *value)
{
        assert(conf_builder_assign(b->builder, section, name, value, "f", 1) == 0);
}

// As from a file: valid UTF-8 without blanks at its ends.
static void assign_line(struct bench *b, char *line)
{
        char *value = strchr(line, '=');

        if (!value || !str_is_utf8(line) || strchr(line, '\r'))
                return;
        *value++ = '\0';
        value = str_strip(value);
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                if (directive_find(bench_conf(b)->type, sections[i], line)) {
                        assign(b, sections[i], line, value);
                        return;
                }
        // The hint for an unknown name is slow to find: once is enough.
        if (!b->had_unknown)
                assign(b, "Unit", line, value);
        b->had_unknown = true;
}

static const char *section_of(const struct directive *d, enum unit_type type)
{
        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                if (directive_find(type, sections[i], d->name) == d)
                        return sections[i];
        return NULL;
}

// The row that writes an item of a list which several rows fill.
static const struct directive *row_of_item(const struct directive *d, const void *field, size_t i,
                                           enum unit_type type)
{
        const struct directive *row;
        size_t position = 0;

        while (d->kind->item_arg && (row = directive_next(type, &position)))
                if (row->kind == d->kind && row->group == d->group && row->offset == d->offset &&
                    row->arg == d->kind->item_arg(field, i))
                        return row;
        return d;
}

// A specifier that stands for nothing can leave at the front what only quotes could keep there.
static bool can_be_written(const struct directive *d, const char *line)
{
        if (!streq(d->kind->name, "conditions"))
                return true;
        line += *line == '|';
        line += *line == '!';
        return !strchr(" \t|!", *line);
}

static void copy_printed(const struct bench *from, struct bench *to, const struct directive *d)
{
        enum unit_type type = bench_conf(from)->type;
        const void *field = directive_value(d, bench_conf(from));
        CLEANUP(strv) char **lines = NULL;
        const char *section;

        if (kind_equal(d->kind, field, directive_value(d, bench_conf(to))) ||
            !(section = section_of(d, type)))
                return;
        assert(d->kind->format(d, field, &lines) == 0);
        // Nothing to write is what the empty assignment makes.
        if (!lines)
                assign(to, section, d->name, "");
        STRV_FOREACH (line, lines) {
                const struct directive *row = row_of_item(d, field, (size_t)(line - lines), type);

                assert(str_is_utf8(*line) && !strpbrk(*line, "\n\r"));
                to->is_incomplete |= !can_be_written(d, *line);
                assign(to, section_of(row, type), row->name, *line);
        }
}

static void fail_row(const struct directive *d, const void *field)
{
        CLEANUP(strv) char **lines = NULL;

        (void)d->kind->format(d, field, &lines);
        fprintf(stderr, "%s= is not read as it is printed:\n", d->name);
        STRV_FOREACH (line, lines)
                fprintf(stderr, "<%s>\n", *line);
        abort();
}

static void check_round_trip(const struct bench *a, unsigned unit)
{
        const struct directive *d;
        size_t position = 0;
        struct bench b;

        bench_init(&b, unit);
        while ((d = directive_next(bench_conf(a)->type, &position)))
                if (d->how == DIRECTIVE_ACTED && !d->is_more)
                        copy_printed(a, &b, d);
        for (position = 0; (d = directive_next(bench_conf(a)->type, &position));) {
                const void *was = directive_value(d, bench_conf(a));

                if (d->how != DIRECTIVE_ACTED || d->is_more)
                        continue;
                if (!kind_equal(d->kind, was, directive_value(d, bench_conf(&b))) &&
                    !b.is_incomplete)
                        fail_row(d, was);
        }
        assert(b.diag.warnings == 0 && b.diag.errors == 0);
        conf_builder_free(b.builder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        unsigned unit = input_byte(&in) % ARRAY_SIZE(units);
        CLEANUP(free) char *text = input_string(&in);
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct bench b;

        bench_init(&b, unit);
        for (char *line = text, *end; line; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                assign_line(&b, line);
        }
        check_round_trip(&b, unit);
        assert(conf_builder_finish(b.builder, &conf) == 0);
        assert(conf->load_state == LOAD_LOADED || conf->load_error);
        conf_builder_free(b.builder);
        return 0;
}
