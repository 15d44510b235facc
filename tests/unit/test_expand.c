#include "spawn/expand.h"

#include "base/str.h"
#include "base/strv.h"
#include "unit/harness.h"

static char *const env[] = {
        (char *)"A=one",     (char *)"B=two words", (char *)"Q='a b' \"c d\"", (char *)"EMPTY=",
        (char *)"S=  x  y ", (char *)"DIR=/tmp",    (char *)"BAD='un",         NULL};

// Words are separated by "|" on both sides.
static const struct {
        const char *words, *expanded;
        size_t dropped;
} rows[] = {
        {"plain|words", "plain|words", 0},
        {"$A", "one", 0},
        {"${A}", "one", 0},
        {"x${A}y", "xoney", 0},
        {"$B", "two|words", 0},
        {"${B}", "two words", 0},
        {"$Q", "a b|c d", 0},
        {"$S", "x|y", 0},
        {"before|$EMPTY|after", "before|after", 0},
        {"before|${EMPTY}|after", "before||after", 0},
        {"before|$UNSET|after", "before|after", 0},
        {"before|${UNSET}|after", "before||after", 0},
        {"a$A", "a$A", 0},
        {"a$DIR/b", "a$DIR/b", 0},
        {"x|$DIR/x|y", "x|y", 1},
        {"${DIR}/x", "/tmp/x", 0},
        {"$$A", "$A", 0},
        {"a$$b", "a$b", 0},
        {"$${A}", "${A}", 0},
        {"${A}${B}", "onetwo words", 0},
        {"$", "", 1},
        {"a$", "a$", 0},
        {"${", "${", 0},
        {"${A", "${A", 0},
        {"${}", "", 0},
        {"$1", "", 1},
        {"${A:-x}", "${A:-x}", 0},
};

static void *allocate(void *data, size_t size)
{
        char **next = data, *p = *next;

        *next += (size + 15) & ~(size_t)15;
        return p;
}

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                CLEANUP(strv) char **words = NULL;
                static char memory[65536];
                char *next = memory, **expanded;
                size_t dropped = 0;

                assert_int_equal(strv_split(rows[i].words, "|", &words), 0);
                assert_int_equal(expand_argv(words, env, allocate, &next, &expanded, &dropped), 0);
                CLEANUP(free) char *joined = strv_join(expanded, "|");

                if (!streq(joined, rows[i].expanded) || dropped != rows[i].dropped)
                        fail_msg("%s: %s, %zu dropped", rows[i].words, joined, dropped);
                // What does not change need not be looked at again.
                if (!strchr(rows[i].words, '$'))
                        assert_false(expand_is_needed(words));
                else if (!streq(rows[i].words, rows[i].expanded))
                        assert_true(expand_is_needed(words));
        }
}

static void test_no_environment(void **state)
{
        char *const words[] = {(char *)"a", (char *)"$X", (char *)"b${X}", NULL};
        static char memory[4096];
        char *next = memory, **expanded;
        size_t dropped;

        assert_int_equal(expand_argv(words, NULL, allocate, &next, &expanded, &dropped), 0);
        CLEANUP(free) char *joined = strv_join(expanded, "|");
        assert_string_equal(joined, "a|b");
}

static void *allocate_none(void *data UNUSED, size_t size UNUSED)
{
        return NULL;
}

static void test_no_memory(void **state)
{
        char *const words[] = {(char *)"$A", NULL};
        char **expanded;
        size_t dropped;

        assert_int_equal(expand_argv(words, env, allocate_none, NULL, &expanded, &dropped),
                         -ENOMEM);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_environment),
        cmocka_unit_test(test_no_memory),
};
HARNESS_MAIN(tests)
