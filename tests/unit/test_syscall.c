// The directives that restrict system calls: the result of several lines, and how it is printed.
#include "conf/syscall.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/assign.h"
#include "conf/directive.h"
#include "unit/conf_fixture.h"

// The lines of a unit, separated by newlines, as they are written back.
static char *written(const char *name, const char *lines)
{
        const struct directive *d = directive_find(UNIT_SERVICE, "Service", name);
        void *field = calloc(1, d->kind->size);
        struct parse_context context = {.unit = "a.service", .directive = d, .section = "Service"};
        struct complaints complaints;
        char **rows = NULL, **out = NULL;

        context.diag = complaints_init(&complaints);
        assert_int_equal(strv_split(lines, "\n", &rows), 0);
        assert_true(d->kind->parse(&context, d->default_ ? d->default_ : "", field) >= 0);
        STRV_FOREACH (row, rows)
                assert_true(d->kind->parse(&context, *row, field) >= 0);
        assert_int_equal(d->kind->format(d, field, &out), 0);
        char *text = out ? strv_join(out, "|") : strdup("");

        if (complaints.text.size > 0) {
                char *both = str_printf("%s [complaint]", text);

                free(text);
                text = both;
        }
        if (d->kind->free)
                d->kind->free(field);
        free(field);
        strv_free(rows);
        strv_free(out);
        cleanup_complaints(&complaints);
        return text;
}

static void test_lines(void **state)
{
        static const struct {
                const char *name, *lines, *written;
        } rows[] = {
                // What the first line says decides what the list means.
                {"SystemCallFilter", "~read write", "~read write"},
                {"SystemCallFilter", "~read write\nwrite", "~read"},
                {"SystemCallFilter", "~read:EPERM\n~read", "~read"},
                {"SystemCallFilter", "~read\n~read:EPERM", "~read:EPERM"},
                {"SystemCallFilter", "~read:kill write:22", "~read:kill write:EINVAL"},
                {"SystemCallFilter", "~", "~"},
                {"SystemCallFilter", "~read\n\n", "~read"},
                {"SystemCallFilter", "~nosuchcall read", "~read [complaint]"},
                {"SystemCallFilter", "~@nosuchgroup", "~ [complaint]"},
                {"SystemCallFilter", "~read:EWHAT", "~ [complaint]"},
                {"SystemCallFilter", "~@swap", "~swapoff swapon"},
                {"SystemCallLog", "read", "read"},
                {"SystemCallLog", "~read", "~read"},
                {"SystemCallLog", "read\n~read", "execve|~execve"},
                {"SystemCallErrorNumber", "EPERM", "EPERM"},
                {"SystemCallErrorNumber", "1", "EPERM"},
                {"SystemCallErrorNumber", "EPERM\nkill", "kill"},
                {"SystemCallErrorNumber", "EPERM\nEWHAT", "EPERM [complaint]"},
                {"SystemCallErrorNumber", "0", "kill [complaint]"},
                {"SystemCallErrorNumber", "4096", "kill [complaint]"},
                {"SystemCallErrorNumber", "EWOULDBLOCK", "EAGAIN"},
                {"SystemCallArchitectures", "x86-64 native\nx86", "native x86 x86-64"},
                {"SystemCallArchitectures", "native vax", "native [complaint]"},
                {"RestrictAddressFamilies", "AF_UNIX AF_INET", "AF_INET AF_UNIX"},
                {"RestrictAddressFamilies", "AF_UNIX AF_INET\n~AF_INET", "AF_UNIX"},
                {"RestrictAddressFamilies", "~AF_UNIX AF_INET\nAF_INET", "~AF_UNIX"},
                {"RestrictAddressFamilies", "AF_UNIX\nnone", "none"},
                {"RestrictAddressFamilies", "AF_LOCAL AF_OUTER", "AF_UNIX [complaint]"},
                {"RestrictNamespaces", "yes", "yes"},
                {"RestrictNamespaces", "no", "no"},
                {"RestrictNamespaces", "net pid", "net pid"},
                {"RestrictNamespaces", "net\npid", "net pid"},
                {"RestrictNamespaces", "~net pid", "cgroup ipc mnt user uts"},
                {"RestrictNamespaces", "net pid\n~net", "pid"},
                {"RestrictNamespaces", "net moon", " [complaint]"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char *text = written(rows[i].name, rows[i].lines);

                if (!streq(text, rows[i].written))
                        print_error("%s: %s\n", rows[i].name, rows[i].lines);
                assert_string_equal(text, rows[i].written);
                free(text);
        }
}

// A list of what is allowed has what every program needs, until it is taken away; both are written.
static void test_allow_list(void **state)
{
        char *text = written("SystemCallFilter", "read"), *again;
        char **words = NULL;

        assert_int_equal(strv_split(text, " ", &words), 0);
        assert_true(strv_contains(words, "read"));
        assert_true(strv_contains(words, "execve"));
        assert_true(strv_contains(words, "exit_group"));
        assert_false(strv_contains(words, "open"));
        strv_free(words);
        free(text);
        text = written("SystemCallFilter", "read\n~execve\nuname:EPERM");
        assert_non_null(strstr(text, "|~execve"));
        assert_non_null(strstr(text, " uname:EPERM"));
        for (char *p = text; (p = strchr(p, '|'));)
                *p = '\n';
        again = written("SystemCallFilter", text);
        for (char *p = text; (p = strchr(p, '\n'));)
                *p = '|';
        assert_string_equal(again, text);
        free(again);
        free(text);
}

static int count(void *arg, int number)
{
        ++*(unsigned *)arg;
        return 0;
}

static int stop_at_third(void *arg, int number)
{
        return ++*(unsigned *)arg == 3 ? -ECANCELED : 0;
}

static void test_groups(void **state)
{
        static const char *const names[] = {
#define SYSCALL_GROUP(name, members) name,
#include "conf/syscall_groups.def"
#undef SYSCALL_GROUP
        };
        unsigned n = 0, n_known = 0;

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                unsigned before = n;

                assert_int_equal(syscall_group_each(names[i], count, &n), 0);
                assert_true(n > before);
        }
        assert_int_equal(syscall_group_each("@known", count, &n_known), 0);
        assert_true(n_known > 300);
        assert_int_equal(syscall_group_each("@unknown", count, &n), -ENOENT);
        n = 0;
        assert_int_equal(syscall_group_each("@system-service", stop_at_third, &n), -ECANCELED);
        assert_int_equal(n, 3);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_allow_list),
        cmocka_unit_test(test_groups),
};
HARNESS_MAIN(tests)
