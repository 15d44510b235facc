// The environment block that services inherit.
#include "core/start/environment.h"

#include "base/strv.h"
#include "unit/harness.h"

#define V(...) ((char **)(void *)(const char *[]){__VA_ARGS__, NULL})

static const struct {
        const char *name;
        enum environment_outcome outcome;
        char **unset, **set;
        const char *block; // after it, without PATH
} rows[] = {
        {"set", ENVIRONMENT_CHANGED, NULL, V("A=2", "B=3"), "A=2 B=3"},
        {"unset-gives-back", ENVIRONMENT_CHANGED, V("A"), NULL, "A=1 B=3"},
        {"unset-assignment", ENVIRONMENT_CHANGED, V("B=4"), NULL, "A=1 B=3"},
        {"set-wins", ENVIRONMENT_CHANGED, V("B"), V("B=5"), "A=1 B=5"},
        {"for-one-process", ENVIRONMENT_CHANGED, NULL, V("LISTEN_FDS=1", "LISTEN_FD=1"),
         "A=1 B=5 LISTEN_FD=1"},
        {"bad-name", ENVIRONMENT_BAD_NAME, V("A-B"), V("A=9"), "A=1 B=5 LISTEN_FD=1"},
        {"bad-assignment", ENVIRONMENT_BAD_ASSIGNMENT, V("B"), V("A=9", "C"),
         "A=1 B=5 LISTEN_FD=1"},
        {"twice", ENVIRONMENT_BAD_ASSIGNMENT, NULL, V("A=9", "A=8"), "A=1 B=5 LISTEN_FD=1"},
        {"no-utf8", ENVIRONMENT_BAD_ASSIGNMENT, NULL, V("A=\xff"), "A=1 B=5 LISTEN_FD=1"},
        {"lines", ENVIRONMENT_CHANGED, V("B", "LISTEN_FD"), V("A=\n\t\x1b\x7f"), "A=\n\t\x1b\x7f"},
};

static const struct environment_source source = {
        .own = V("A=own", "LANG=x"), .defaults = V("A=1"), .manager = V("M=1", "LANG=y")};

static char *text_of(const struct environment *e)
{
        CLEANUP(strv) char **block = NULL;

        assert_int_equal(strv_copy(e->inherited.block, &block), 0);
        strv_env_unset(block, "PATH");
        strv_env_unset(block, "LANG");
        return strv_join(block, " ");
}

static void test_changes(void **state)
{
        CLEANUP(environment) struct environment *e = NULL;

        assert_int_equal(environment_new(&e), 0);
        assert_int_equal(environment_lay_out(e, &source), 0);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(free) char *text = NULL;
                uint64_t before = e->inherited.generation;
                CLEANUP(strv) char **old = NULL;

                assert_int_equal(strv_copy(e->inherited.block, &old), 0);
                assert_int_equal(environment_change(e, rows[i].unset, rows[i].set),
                                 rows[i].outcome);
                text = text_of(e);
                if (strcmp(text, rows[i].block) != 0)
                        fail_msg("%s: %s", rows[i].name, text);
                assert_int_equal(before != e->inherited.generation,
                                 !strv_equal(old, e->inherited.block));
        }
}

static void test_what_is_own(void **state)
{
        CLEANUP(environment) struct environment *e = NULL;

        assert_int_equal(environment_new(&e), 0);
        assert_int_equal(environment_lay_out(e, &source), 0);
        assert_string_equal(strv_env_get(e->inherited.own, "M"), "1");
        assert_string_equal(strv_env_get(e->inherited.own, "A"), "own");
        assert_null(strv_env_get(e->inherited.block, "M"));
        assert_string_equal(strv_env_get(e->inherited.block, "LANG"), "x");
        // What clients have set is kept when it is laid out again.
        assert_int_equal(environment_change(e, NULL, V("C=1")), 0);
        struct environment_source all = source;

        all.passes_all = true;
        assert_int_equal(environment_lay_out(e, &all), 0);
        assert_string_equal(strv_env_get(e->inherited.block, "M"), "1");
        assert_string_equal(strv_env_get(e->inherited.block, "C"), "1");
}

static void test_oom_changes_nothing(void **state)
{
        OOM_LOOP {
                CLEANUP(environment) struct environment *e = NULL;

                oom_pause();
                assert_int_equal(environment_new(&e), 0);
                assert_int_equal(environment_lay_out(e, &source), 0);
                oom_resume();
                if (oom_struck(environment_change(e, V("A"), V("A=2", "B=3")))) {
                        oom_pause();
                        CLEANUP(free) char *text = text_of(e);

                        assert_string_equal(text, "A=1");
                        oom_resume();
                }
                (void)oom_struck(environment_lay_out(e, &source));
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_what_is_own),
        cmocka_unit_test(test_oom_changes_nothing),
};
HARNESS_MAIN(tests)
