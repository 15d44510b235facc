// Sets of filters: which units share one, and that one is compiled for each that differs.
#include "spawn/filters.h"

#include "conf/assign.h"
#include "unit/harness.h"

#include <stdio.h>

// A line is "Name=value".
static struct unit_conf *make_conf(const char *const *lines)
{
        struct specifier_context specifiers = {.unit_name = "test.service"};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct unit_conf *conf;

        assert_int_equal(conf_builder_new("test.service", UNIT_SERVICE, &specifiers, NULL, &b), 0);
        for (; *lines; lines++) {
                CLEANUP(free) char *name = strdup(*lines);
                char *value = strchr(name, '=');

                *value++ = '\0';
                assert_int_equal(conf_builder_assign(b, "Service", name, value, "FILE", 1), 0);
        }
        assert_int_equal(conf_builder_finish(b, &conf), 0);
        return conf;
}

#define LINES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_sharing(void **state)
{
        const struct {
                const char *const *a, *const *b;
                bool is_shared;
        } rows[] = {
                {LINES("LockPersonality=yes"), LINES("LockPersonality=yes"), true},
                // what has nothing to do with it
                {LINES("LockPersonality=yes", "Nice=1"), LINES("LockPersonality=yes"), true},
                {LINES("LockPersonality=yes"), LINES("RestrictRealtime=yes"), false},
                {LINES("LockPersonality=yes"), LINES("LockPersonality=yes", "Personality=x86"),
                 false},
                {LINES("SystemCallFilter=~uname"), LINES("SystemCallFilter=~uname"), true},
                {LINES("SystemCallFilter=~uname"), LINES("SystemCallFilter=~swapon"), false},
                {LINES("SystemCallFilter=~uname"), LINES("SystemCallFilter=uname"), false},
                {LINES("SystemCallFilter=~uname"), LINES("SystemCallFilter=~uname:EPERM"), false},
                {LINES("SystemCallFilter=~uname"), LINES("SystemCallLog=uname"), false},
                {LINES("SystemCallFilter=~uname"),
                 LINES("SystemCallFilter=~uname", "SystemCallErrorNumber=EPERM"), false},
                {LINES("SystemCallFilter=~uname"),
                 LINES("SystemCallFilter=~uname", "SystemCallArchitectures=native"), false},
                {LINES("RestrictAddressFamilies=AF_UNIX"),
                 LINES("RestrictAddressFamilies=~AF_UNIX"), false},
                {LINES("RestrictNamespaces=net"), LINES("RestrictNamespaces=pid"), false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct unit_conf *a = make_conf(rows[i].a), *b = make_conf(rows[i].b);
                struct filter_set *x = NULL, *y = NULL;

                assert_int_equal(filters_get(a, &x), 1);
                // The set keeps what it was compiled from.
                unit_conf_unref(a);
                filters_unref(x);
                assert_int_equal(filters_get(b, &y), 1);
                if ((x == y) != rows[i].is_shared)
                        print_error("%s, %s\n", rows[i].a[0], rows[i].b[0]);
                assert_int_equal(x == y, rows[i].is_shared);
                filters_unref(y);
                unit_conf_unref(b);
        }
        filters_forget();
}

static void test_none(void **state)
{
        struct unit_conf *conf = make_conf(LINES("Nice=1", "RestrictNamespaces=no"));
        struct filter_set *set = NULL;

        assert_int_equal(filters_get(conf, &set), 0);
        assert_null(set);
        unit_conf_unref(conf);
}

// More sets than are kept: those in use stay whole, the others go.
static void test_many(void **state)
{
        struct filter_set *first = NULL, *again = NULL, *set;
        struct unit_conf *conf = make_conf(LINES("SystemCallFilter=~uname"));

        assert_int_equal(filters_get(conf, &first), 1);
        for (int error = 1; error <= 40; error++) {
                char text[32];

                snprintf(text, sizeof(text), "SystemCallFilter=~swapon:%d", error);
                struct unit_conf *other = make_conf(LINES(text));

                assert_int_equal(filters_get(other, &set), 1);
                filters_unref(set);
                unit_conf_unref(other);
        }
        assert_int_equal(first->n, 1);
        assert_true(first->programs[0].len > 0 && first->programs[0].filter != NULL);
        assert_int_equal(filters_get(conf, &again), 1);
        assert_ptr_not_equal(again, first);
        assert_int_equal(again->programs[0].len, first->programs[0].len);
        filters_unref(again);
        filters_unref(first);
        unit_conf_unref(conf);
        filters_forget();
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_many),
};
HARNESS_MAIN(tests)
