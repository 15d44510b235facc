// The directive table, row by row: defaults, examples, bad examples, reset, print and read again.
#include "conf/directive.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/assign.h"
#include "unit/conf_fixture.h"

static const struct {
        enum conf_group group;
        enum unit_type type;
        const char *unit, *section;
} groups[] = {
        {GROUP_UNIT, UNIT_SERVICE, "test@inst.service", "Unit"},
        {GROUP_INSTALL, UNIT_SERVICE, "test@inst.service", "Install"},
        {GROUP_SOCKET, UNIT_SOCKET, "test.socket", "Socket"},
        {GROUP_SERVICE, UNIT_SERVICE, "test@inst.service", "Service"},
        {GROUP_EXEC, UNIT_SERVICE, "test@inst.service", "Service"},
        {GROUP_KILL, UNIT_SERVICE, "test@inst.service", "Service"},
        {GROUP_CGROUP, UNIT_SERVICE, "test@inst.service", "Service"},
};

// All faulty rows are reported, not only the first.
static unsigned n_wrong;

static void wrong(const char *fmt, ...) PRINTF(1, 2);
static void wrong(const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputc('\n', stderr);
        n_wrong++;
}

// One row at a time, and what the test needs for it.
struct row {
        const struct directive *d;
        enum unit_type type;
        const char *unit, *section;
};

static void each_row(void (*f)(const struct row *row))
{
        unsigned n_rows = 0;

        n_wrong = 0;
        for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
                size_t n;
                const struct directive *table = directive_table(groups[g].group, &n);

                for (size_t i = 0; i < n; i++, n_rows++)
                        f(&(struct row){&table[i], groups[g].type, groups[g].unit,
                                        groups[g].section});
        }
        assert_true(n_rows > 400);
        assert_int_equal(n_wrong, 0);
}

// A unit under construction, with what was complained about.
struct bench {
        struct complaints said;
        struct specifier_context specifiers;
        struct conf_builder *builder;
};

static void bench_init(struct bench *b, const struct row *row)
{
        struct diag *diag = complaints_init(&b->said);

        b->specifiers = (struct specifier_context){.unit_name = row->unit};
        assert_int_equal(conf_builder_new(row->unit, row->type, &b->specifiers, diag, &b->builder),
                         0);
}

static void bench_done(struct bench *b)
{
        conf_builder_free(b->builder);
        buf_done(&b->said.text);
}

static void assign(struct bench *b, const struct row *row, const char *value)
{
        assert_int_equal(
                conf_builder_assign(b->builder, row->section, row->d->name, value, "FILE", 7), 0);
}

static const void *value_of(const struct bench *b, const struct row *row)
{
        return directive_value(row->d, conf_builder_conf(b->builder));
}

static bool is_equal(const struct row *row, const struct bench *a, const struct bench *b)
{
        return kind_equal(row->d->kind, value_of(a, row), value_of(b, row));
}

// Notices are no complaints: a row may say that it is obsolete, or not acted on.
static unsigned n_complaints(const struct bench *b)
{
        return b->said.diag.warnings + b->said.diag.errors;
}

// ---- what every row has

static void check_columns(const struct row *row)
{
        const struct directive *d = row->d;

        if (directive_find(row->type, row->section, d->name) != d)
                wrong("%s= is not found in [%s]", d->name, row->section);
        if (!d->example || !d->doc || !*d->doc)
                wrong("%s= lacks an example or a word about it", d->name);
        if (d->how != DIRECTIVE_ACTED)
                return;
        if (!d->kind || (d->is_more && d->default_) || (d->default_ && !*d->default_))
                wrong("%s= lacks a kind, or has a default that needs none", d->name);
        // The file that acts on it is there; tests/lint/owners.sh says whether it does.
        if ((d->flags & DIRECTIVE_INERT) && !d->owner)
                return;
        const char *root = getenv("SRC");
        CLEANUP(free) char *owner = str_printf("%s/src/%s", root ? root : ".", d->owner);

        if (access(owner, F_OK) < 0)
                wrong("%s=: there is no %s", d->name, d->owner);
}

static void test_columns(void **state)
{
        each_row(check_columns);
}

// ---- values

static void check_example(const struct row *row)
{
        struct bench fresh, b;

        bench_init(&fresh, row);
        bench_init(&b, row);
        assign(&b, row, row->d->example);
        if (n_complaints(&b) > 0 && row->d->how != DIRECTIVE_REFUSE)
                wrong("%s=%s: %s", row->d->name, row->d->example, buf_text(&b.said.text));
        if (row->d->how == DIRECTIVE_REFUSE) {
                CLEANUP(unit_conf) struct unit_conf *conf = NULL;

                assert_int_equal(conf_builder_finish(b.builder, &conf), 0);
                if (conf->load_state != LOAD_BAD_SETTING)
                        wrong("%s= does not refuse the unit", row->d->name);
        }
        if (row->d->how == DIRECTIVE_ACTED) {
                if (conf_builder_conf(b.builder)->load_state != LOAD_LOADED)
                        wrong("%s=%s refuses the unit", row->d->name, row->d->example);
                if (is_equal(row, &fresh, &b))
                        wrong("%s=%s is the default already: it shows nothing", row->d->name,
                              row->d->example);
        }
        bench_done(&b);
        bench_done(&fresh);
}

static void test_examples(void **state)
{
        each_row(check_example);
}

static void check_default(const struct row *row)
{
        struct bench fresh, b;

        if (row->d->how != DIRECTIVE_ACTED || !row->d->default_)
                return;
        bench_init(&fresh, row);
        bench_init(&b, row);
        assign(&b, row, row->d->default_);
        if (n_complaints(&b) > 0 || !is_equal(row, &fresh, &b))
                wrong("%s=%s is not the default: %s", row->d->name, row->d->default_,
                      buf_text(&b.said.text));
        bench_done(&b);
        bench_done(&fresh);
}

static void test_defaults(void **state)
{
        each_row(check_default);
}

static bool may_refuse(const struct directive *d)
{
        return d->flags & DIRECTIVE_SECURITY || streq(d->kind->name, "commands") ||
               streq(d->kind->name, "user") || streq(d->kind->name, "users") ||
               streq(d->kind->name, "unit_name");
}

// One complaint with file and line; the value stays, and but for what would be dangerous the unit
// does, too.
static void check_bad(const struct row *row)
{
        struct bench fresh, b;

        if (row->d->how != DIRECTIVE_ACTED || !row->d->bad)
                return;
        bench_init(&fresh, row);
        bench_init(&b, row);
        assign(&b, row, row->d->bad);
        bool is_refused = conf_builder_conf(b.builder)->load_state != LOAD_LOADED;

        // The refusal of the unit is a second line.
        if (n_complaints(&b) != (is_refused ? 2 : 1) && n_complaints(&b) != 1)
                wrong("%s=%s: %u complaints\n%s", row->d->name, row->d->bad, n_complaints(&b),
                      buf_text(&b.said.text));
        if (!strstr(buf_text(&b.said.text), "FILE:7: ") ||
            !strstr(buf_text(&b.said.text), row->d->name))
                wrong("%s=%s: %s", row->d->name, row->d->bad, buf_text(&b.said.text));
        if (is_refused && !may_refuse(row->d))
                wrong("%s=%s refuses the unit", row->d->name, row->d->bad);
        if (!is_equal(row, &fresh, &b))
                wrong("%s=%s changes the value", row->d->name, row->d->bad);
        bench_done(&b);
        bench_done(&fresh);
}

static void test_bad_values(void **state)
{
        each_row(check_bad);
}

// The empty assignment: back to the default. Lists of dependencies only grow.
static void check_reset(const struct row *row)
{
        static const char *const growing[] = {"unit_names", "mount_paths"};
        struct bench fresh, b, kept;
        bool grows = false;

        // CapabilityBoundingSet= empty is the empty set; "~" is all of them.
        if (row->d->how != DIRECTIVE_ACTED ||
            (streq(row->d->kind->name, "capabilities") && row->d->default_))
                return;
        for (size_t i = 0; i < ARRAY_SIZE(growing); i++)
                grows = grows || streq(row->d->kind->name, growing[i]);
        bench_init(&fresh, row);
        bench_init(&b, row);
        bench_init(&kept, row);
        assign(&kept, row, row->d->example);
        assign(&b, row, row->d->example);
        assign(&b, row, "");
        if (!is_equal(row, grows ? &kept : &fresh, &b) && n_complaints(&b) == 0)
                wrong("%s= (empty) %s", row->d->name,
                      grows ? "takes away what is only added to" : "is not the default");
        bench_done(&kept);
        bench_done(&b);
        bench_done(&fresh);
}

static void test_reset(void **state)
{
        each_row(check_reset);
}

// What is printed is read again as the same.
static void check_round_trip(const struct row *row)
{
        CLEANUP(strv) char **lines = NULL;
        struct row printed = *row;
        struct bench a, b;

        if (row->d->how != DIRECTIVE_ACTED)
                return;
        // Another way to write a value is printed as the one that has the field.
        while (printed.d->is_more && !printed.d->kind->item_arg)
                printed.d--;
        bench_init(&a, row);
        bench_init(&b, row);
        assign(&a, row, row->d->example);
        assert_int_equal(printed.d->kind->format(printed.d, value_of(&a, row), &lines), 0);
        if (strv_length(lines) == 0)
                wrong("%s=%s prints nothing", row->d->name, row->d->example);
        STRV_FOREACH (line, lines)
                assign(&b, &printed, *line);
        if (n_complaints(&b) > 0 || !is_equal(row, &a, &b))
                wrong("%s=%s is printed as %s\n%s", row->d->name, row->d->example, lines[0],
                      buf_text(&b.said.text));
        bench_done(&b);
        bench_done(&a);
}

static void test_round_trip(void **state)
{
        each_row(check_round_trip);
}

// Bytes that are no UTF-8 come with escapes only, since a file that has them is refused as a whole.
// Whatever the kind makes of them, what it prints goes into messages of D-Bus and JSON.
static void check_bytes(const struct row *row)
{
        static const char *const values[] = {"a\\xff",    "/a\\xff",         "\"/a\\xff\"",
                                             "A=\\xff",   "\"A=\\xff\"",     "/bin/true \\xff",
                                             "a:\\xff",   "/a:\\xff",        "$'\\xff'",
                                             "\"\\377\"", "/bin/true \\377", "\"a:\\xc0\\xaf\""};

        if (row->d->how != DIRECTIVE_ACTED)
                return;
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                CLEANUP(strv) char **lines = NULL;
                struct row printed = *row;
                struct bench b;

                while (printed.d->is_more && !printed.d->kind->item_arg)
                        printed.d--;
                bench_init(&b, row);
                assign(&b, row, values[i]);
                assert_int_equal(printed.d->kind->format(printed.d, value_of(&b, row), &lines), 0);
                STRV_FOREACH (line, lines)
                        if (!str_is_utf8(*line))
                                wrong("%s=%s prints what is no UTF-8", row->d->name, values[i]);
                if (!str_is_utf8(buf_text(&b.said.text)))
                        wrong("%s=%s: the complaint is no UTF-8", row->d->name, values[i]);
                bench_done(&b);
        }
}

static void test_bytes(void **state)
{
        each_row(check_bytes);
}

// Single assignments, and how systemd 252 reads them; NULL: it complains and skips the line. What
// differs is said.
static const struct {
        enum conf_group group;
        const char *name, *value, *printed;
} assignments[] = {
        {GROUP_SOCKET, "BindIPv6Only", "yes", "ipv6-only"},
        {GROUP_SOCKET, "BindIPv6Only", "true", "ipv6-only"},
        {GROUP_SOCKET, "BindIPv6Only", "1", "ipv6-only"},
        {GROUP_SOCKET, "BindIPv6Only", "off", "both"},
        {GROUP_SOCKET, "BindIPv6Only", "both", "both"},
        {GROUP_SOCKET, "BindIPv6Only", "Both", NULL},
        {GROUP_SOCKET, "Backlog", "+5", "5"},
        {GROUP_SOCKET, "Backlog", "0x10", "16"},
        {GROUP_SOCKET, "Backlog", "010", "8"},
        {GROUP_SOCKET, "Backlog", "-1", NULL},
        {GROUP_SOCKET, "MaxConnections", "+5", "5"},
        {GROUP_SOCKET, "MaxConnections", "-1", NULL},
        {GROUP_SOCKET, "MaxConnections", "infinity", "infinity"},          // systemd: skipped
        {GROUP_SOCKET, "MaxConnectionsPerSource", "infinity", "infinity"}, // systemd: skipped
        {GROUP_SOCKET, "ListenNetlink", "15 1", "kobject-uevent 1"},
        {GROUP_SOCKET, "ListenNetlink", "kobject-uevent 0x1", "kobject-uevent 1"},
        {GROUP_SOCKET, "ListenStream", "127.0.0.1:08080", NULL},
        {GROUP_SOCKET, "ListenStream", "/run/a\033b", "/run/a\033b"},
        {GROUP_SOCKET, "ListenStream", "@a\033b", "@a\033b"},
        {GROUP_SOCKET, "ListenStream", "/run/a\001b", NULL}, // marks specifiers
        {GROUP_EXEC, "SyslogIdentifier", "a\001b", "a\001b"},
        {GROUP_EXEC, "PAMName", "a\001b", "a\001b"}, // has no specifiers
        {GROUP_EXEC, "SyslogFacility", "3", "daemon"},
        {GROUP_EXEC, "SyslogFacility", "24", "24"},
        {GROUP_EXEC, "SyslogFacility", "127", "127"},
        {GROUP_EXEC, "SyslogFacility", "128", NULL},
        {GROUP_EXEC, "SyslogFacility", "KERN", NULL},
        {GROUP_EXEC, "SyslogLevel", "3", "err"},
        {GROUP_EXEC, "SyslogLevel", "8", NULL},
        {GROUP_SOCKET, "ListenStream", "/", NULL},
        {GROUP_SOCKET, "ListenStream", "/run/../x", NULL}, // systemd refuses the unit
        {GROUP_SOCKET, "ListenFIFO", "/run/../x", NULL},
        {GROUP_SOCKET, "Symlinks", "/run/../x", NULL},
        {GROUP_SOCKET, "SocketProtocol", "UDPLITE", "udplite"},
        {GROUP_SERVICE, "PIDFile", "../x", NULL},
        {GROUP_SERVICE, "PIDFile", "a..b", "/run/a..b"},
        {GROUP_EXEC, "ExecSearchPath", "/a/../b", NULL},
        {GROUP_EXEC, "EnvironmentFile", "-/a/../b", NULL},
        {GROUP_UNIT, "ConditionPathExists", "/a/..", NULL},
        {GROUP_UNIT, "RequiresMountsFor", "/a/../b", NULL},
};

// Addresses as other programs take them: the complaint tells what to write.
static const struct {
        const char *value, *hint;
} not_addresses[] = {
        {"unix:/run/x", "write the path alone"},
        {"tcp://127.0.0.1:80", "not a URL"},
        {"http://localhost/", "not a URL"},
        {"*:80", "write the port alone"},
        {":80", "write the port alone"},
        {"::1:80", "in brackets"},
        {"localhost:80", "X-ListenName=stream HOST SERVICE"},
        {"http", "X-ListenName=stream HOST SERVICE"},
        {"127.0.0.1", "not an address ("},
};

static void test_address_hints(void **state)
{
        const struct directive *d = directive_find(UNIT_SOCKET, "Socket", "ListenStream");
        const struct row row = {d, UNIT_SOCKET, "test.socket", "Socket"};

        for (size_t i = 0; i < ARRAY_SIZE(not_addresses); i++) {
                struct bench b;

                bench_init(&b, &row);
                assign(&b, &row, not_addresses[i].value);
                if (n_complaints(&b) != 1 || !strstr(buf_text(&b.said.text), not_addresses[i].hint))
                        fail_msg("%s: %s", not_addresses[i].value, buf_text(&b.said.text));
                bench_done(&b);
        }
}

// A folder that cannot be entered as meant refuses the unit, unless it may be missing.
static void test_working_directory(void **state)
{
        static const struct {
                const char *value;
                enum load_state state;
        } values[] = {
                {"/srv", LOAD_LOADED}, {"~", LOAD_LOADED},        {"", LOAD_LOADED},
                {"-srv", LOAD_LOADED}, {"srv", LOAD_BAD_SETTING}, {"./srv", LOAD_BAD_SETTING},
                {"-", LOAD_LOADED},    {"%Z", LOAD_BAD_SETTING},  {"~user", LOAD_BAD_SETTING},
        };
        const struct directive *d = directive_find(UNIT_SERVICE, "Service", "WorkingDirectory");
        const struct row row = {d, UNIT_SERVICE, "test.service", "Service"};

        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
                struct bench b;

                bench_init(&b, &row);
                assign(&b, &row, values[i].value);
                if (conf_builder_conf(b.builder)->load_state != values[i].state)
                        fail_msg("WorkingDirectory=%s: %s", values[i].value,
                                 buf_text(&b.said.text));
                bench_done(&b);
        }
}

static void check_assignment(const struct row *row, const char *value, const char *printed)
{
        CLEANUP(strv) char **lines = NULL;
        struct bench b;

        bench_init(&b, row);
        assign(&b, row, value);
        if (!printed && n_complaints(&b) == 0)
                wrong("%s=%s: no complaint", row->d->name, value);
        if (printed) {
                assert_int_equal(row->d->kind->format(row->d, value_of(&b, row), &lines), 0);
                if (n_complaints(&b) > 0 || strv_length(lines) != 1 || !streq(lines[0], printed))
                        wrong("%s=%s is read as %s\n%s", row->d->name, value,
                              lines ? lines[0] : "nothing", buf_text(&b.said.text));
        }
        bench_done(&b);
}

static void test_assignments(void **state)
{
        n_wrong = 0;
        for (size_t i = 0; i < ARRAY_SIZE(assignments); i++) {
                struct row row = {0};

                for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
                        if (groups[g].group == assignments[i].group)
                                row = (struct row){.type = groups[g].type,
                                                   .unit = groups[g].unit,
                                                   .section = groups[g].section};
                row.d = directive_find(row.type, row.section, assignments[i].name);
                assert_non_null(row.d);
                check_assignment(&row, assignments[i].value, assignments[i].printed);
        }
        assert_int_equal(n_wrong, 0);
}

// ---- names

static void check_typo(const struct row *row)
{
        CLEANUP(free) char *typo = strdup(row->d->name);
        size_t n = strlen(typo);

        if (n < 6)
                return;
        memmove(typo + n / 2, typo + n / 2 + 1, n - n / 2); // one letter is missing
        if (directive_find(row->type, row->section, typo))
                return; // another directive's name
        const char *nearest = directive_nearest(row->type, row->section, typo);

        if (!nearest || !directive_find(row->type, row->section, nearest))
                wrong("%s: nothing near", typo);
}

static void test_typos(void **state)
{
        each_row(check_typo);
        assert_string_equal(directive_nearest(UNIT_SOCKET, "Socket", "ListenStrem"),
                            "ListenStream");
        assert_null(directive_nearest(UNIT_SOCKET, "Socket", "Zzzzzzzzzzzz"));

        CLEANUP(buf) struct buf hint = BUF_NULL;

        directive_hint(UNIT_SOCKET, "Socket", "Listen", &hint);
        assert_non_null(strstr(buf_text(&hint), "Is one of 'ListenStream', 'ListenDatagram', "));
        buf_clear(&hint);
        directive_hint(UNIT_SOCKET, "Socket", "ListenStrem", &hint);
        assert_string_equal(buf_text(&hint), " Is 'ListenStream' meant?");
        buf_clear(&hint);
        directive_hint(UNIT_SOCKET, "Socket", "Zzzzzzzzzzzz", &hint);
        assert_string_equal(buf_text(&hint), "");
        assert_null(directive_find(UNIT_TARGET, "Service", "ExecStart"));
        assert_true(directive_has_section(UNIT_SOCKET, "X-Own"));
        assert_false(directive_has_section(UNIT_SOCKET, "Service"));
}

// ---- memory

static int assign_all(void *arg)
{
        size_t g = *(size_t *)arg, n;
        const struct directive *table = directive_table(groups[g].group, &n);
        struct specifier_context specifiers = {.unit_name = groups[g].unit};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct unit_conf *conf = NULL;
        int r = conf_builder_new(groups[g].unit, groups[g].type, &specifiers, NULL, &b);

        for (size_t i = 0; r == 0 && i < n; i++)
                if (table[i].how == DIRECTIVE_ACTED)
                        r = conf_builder_assign(b, groups[g].section, table[i].name,
                                                table[i].example, "FILE", 1);
        if (r == 0)
                r = conf_builder_finish(b, &conf);
        unit_conf_unref(conf);
        return r;
}

static void test_oom(void **state)
{
        for (size_t g = 0; g < ARRAY_SIZE(groups); g++)
                oom_prove(assign_all, &g);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),       cmocka_unit_test(test_examples),
        cmocka_unit_test(test_defaults),      cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_reset),         cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),         cmocka_unit_test(test_assignments),
        cmocka_unit_test(test_address_hints), cmocka_unit_test(test_working_directory),
        cmocka_unit_test(test_typos),         cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
