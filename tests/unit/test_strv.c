#include "base/strv.h"

#include "unit/harness.h"

#include <string.h>

#define V(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static void assert_strv(char *const *v, char *const *expected)
{
        oom_pause();
        CLEANUP(free) char *have = strv_join(v, "|"), *want = strv_join(expected, "|");
        oom_resume();

        assert_string_equal(have, want);
        assert_int_equal(strv_length(v), strv_length(expected));
}

static void test_null_is_the_empty_array(void **state)
{
        CLEANUP(free) char *joined = strv_join(NULL, ",");
        char **copy = NULL;

        strv_free(NULL);
        strv_sort(NULL);
        strv_sort_unique(NULL);
        assert_int_equal(strv_length(NULL), 0);
        assert_false(strv_contains(NULL, "a"));
        assert_true(strv_equal(NULL, (char *[]){NULL}));
        assert_false(strv_equal(NULL, V("a")));
        assert_string_equal(joined, "");
        assert_int_equal(strv_copy(NULL, &copy), 0);
        assert_null(copy);
        assert_int_equal(strv_remove(NULL, "a"), 0);
        assert_null(strv_env_get(NULL, "A"));
        strv_env_unset(NULL, "A");
}

static void test_push_and_extend(void **state)
{
        CLEANUP(strv) char **v = NULL;

        assert_int_equal(strv_push(&v, "a"), 0);
        assert_int_equal(strv_push_take(&v, strdup("b")), 0);
        assert_int_equal(strv_push_take(&v, NULL), -ENOMEM);
        assert_int_equal(strv_extend(&v, V("c", "d")), 0);
        assert_int_equal(strv_extend(&v, NULL), 0);
        assert_int_equal(strv_extend(&v, v), 0); // itself
        assert_strv(v, V("a", "b", "c", "d", "a", "b", "c", "d"));
        assert_true(strv_contains(v, "d"));
        assert_false(strv_contains(v, "dd"));
}

static void test_split_and_join(void **state)
{
        static const struct {
                const char *text, *separators, *joined;
        } cases[] = {
                {"", " ", ""},
                {"   ", " ", ""},
                {"a", " ", "a"},
                {" a  b c ", " ", "a|b|c"},
                {"a:b,c", ":,", "a|b|c"},
                {"a b", ":", "a b"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                CLEANUP(strv) char **v = NULL;

                assert_int_equal(strv_split(cases[i].text, cases[i].separators, &v), 0);
                CLEANUP(free) char *joined = strv_join(v, "|");
                assert_string_equal(joined, cases[i].joined);
        }
}

static void test_sort_and_remove(void **state)
{
        CLEANUP(strv) char **v = NULL;

        assert_int_equal(strv_extend(&v, V("b", "a", "c", "a", "b", "a")), 0);
        strv_sort(v);
        assert_strv(v, V("a", "a", "a", "b", "b", "c"));
        strv_sort_unique(v);
        assert_strv(v, V("a", "b", "c"));
        assert_int_equal(strv_push(&v, "b"), 0);
        assert_int_equal(strv_remove(v, "b"), 2);
        assert_int_equal(strv_remove(v, "x"), 0);
        assert_strv(v, V("a", "c"));
        assert_true(strv_equal(v, V("a", "c")));
        assert_false(strv_equal(v, V("c", "a")));
}

static void test_environment(void **state)
{
        CLEANUP(strv) char **env = NULL;

        assert_int_equal(strv_env_set(&env, "A=1"), 0);
        assert_int_equal(strv_env_set(&env, "AB=2"), 0);
        assert_int_equal(strv_env_set(&env, "A=3=4"), 0);
        assert_strv(env, V("A=3=4", "AB=2"));
        assert_string_equal(strv_env_get(env, "A"), "3=4");
        assert_string_equal(strv_env_get(env, "AB"), "2");
        assert_null(strv_env_get(env, "ABC"));
        assert_null(strv_env_get(env, ""));
        assert_string_equal(strv_env_get(V("X=1", "X=2"), "X"), "2"); // the last wins
        strv_env_unset(env, "A=3");                                   // not that assignment
        assert_int_equal(strv_length(env), 2);
        strv_env_unset(env, "A=3=4");
        strv_env_unset(env, "B");
        assert_strv(env, V("AB=2"));
        strv_env_unset(env, "AB");
        assert_int_equal(strv_length(env), 0);
}

static void test_environment_with_duplicates(void **state)
{
        CLEANUP(strv) char **env = NULL;

        assert_int_equal(strv_extend(&env, V("X=1", "Y=1", "X=2")), 0);
        assert_int_equal(strv_env_set(&env, "X=3"), 0);
        assert_string_equal(strv_env_get(env, "X"), "3");
        strv_env_unset(env, "X");
        assert_strv(env, V("Y=1"));
}

static void test_variable_names(void **state)
{
        static const struct {
                const char *name;
                bool is_valid;
        } cases[] = {
                {"A", true},  {"_", true},    {"a1_B", true},      {"", false},
                {"1", false}, {"A-B", false}, {"\xc3\xa4", false}, {"A=", false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_int_equal(strv_env_name_is_valid(cases[i].name, strlen(cases[i].name)),
                                 cases[i].is_valid);
        assert_true(strv_env_name_is_valid("AB=1", 2)); // only that much of it
}

static int build(void *arg)
{
        CLEANUP(strv) char **v = NULL, **copy = NULL, **parts = NULL;
        int r = strv_push(&v, "a");

        if (r >= 0)
                r = strv_extend(&v, V("b", "c"));
        if (r >= 0)
                r = strv_env_set(&v, "A=1");
        if (r >= 0)
                r = strv_env_set(&v, "A=2");
        if (r >= 0)
                r = strv_copy(v, &copy);
        if (r >= 0)
                r = strv_split("x y", " ", &parts);
        if (r < 0)
                return r;
        CLEANUP(free) char *joined = strv_join(copy, " ");
        return joined ? 0 : -ENOMEM;
}

static void test_oom(void **state)
{
        oom_prove(build, NULL);
}

static void test_oom_extend_changes_nothing(void **state)
{
        OOM_LOOP {
                CLEANUP(strv) char **v = NULL;

                oom_pause();
                assert_int_equal(strv_push(&v, "a"), 0);
                oom_resume();
                if (oom_struck(strv_extend(&v, V("b", "c"))))
                        assert_strv(v, V("a"));
                else
                        assert_strv(v, V("a", "b", "c"));
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null_is_the_empty_array),
        cmocka_unit_test(test_push_and_extend),
        cmocka_unit_test(test_split_and_join),
        cmocka_unit_test(test_sort_and_remove),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_environment_with_duplicates),
        cmocka_unit_test(test_variable_names),
        cmocka_unit_test(test_oom),
        cmocka_unit_test(test_oom_extend_changes_nothing),
};
HARNESS_MAIN(tests)
