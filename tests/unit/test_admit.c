#include "core/socket/admit.h"

#include "unit/harness.h"

#include <string.h>

static int try_one(struct admit *a, unsigned max, unsigned per_source, const char *key,
                   struct admit_token *token)
{
        const struct admit_limits limits = {.max_connections = max, .max_per_source = per_source};

        return admit_try(a, &limits, key, key ? strlen(key) : 0, token);
}

static void test_full(void **state)
{
        CLEANUP(admit) struct admit *a = NULL;
        struct admit_token tokens[4] = {{0}};

        assert_int_equal(admit_new(&a), 0);
        for (int i = 0; i < 3; i++)
                assert_int_equal(try_one(a, 3, 0, NULL, &tokens[i]), ADMIT_OK);
        assert_int_equal(try_one(a, 3, 0, NULL, &tokens[3]), ADMIT_FULL);
        assert_int_equal(admit_count(a), 3);
        admit_release(&tokens[1]);
        admit_release(&tokens[1]); // once only
        assert_int_equal(admit_count(a), 2);
        assert_int_equal(try_one(a, 3, 0, NULL, &tokens[1]), ADMIT_OK);
        // A limit that was lowered holds for who comes next.
        admit_release(&tokens[0]);
        assert_int_equal(try_one(a, 2, 0, NULL, &tokens[0]), ADMIT_FULL);
        admit_release(&tokens[1]);
        admit_release(&tokens[2]);
        assert_int_equal(admit_count(a), 0);
}

static void test_sources(void **state)
{
        CLEANUP(admit) struct admit *a = NULL;
        struct admit_token tokens[5] = {{0}};

        assert_int_equal(admit_new(&a), 0);
        assert_int_equal(try_one(a, 10, 2, "one", &tokens[0]), ADMIT_OK);
        assert_int_equal(try_one(a, 10, 2, "one", &tokens[1]), ADMIT_OK);
        assert_int_equal(try_one(a, 10, 2, "one", &tokens[2]), ADMIT_SOURCE_FULL);
        assert_int_equal(try_one(a, 10, 2, "two", &tokens[2]), ADMIT_OK);
        assert_int_equal(try_one(a, 10, 2, NULL, &tokens[3]), ADMIT_OK); // not counted by source
        assert_int_equal(admit_count(a), 4);
        assert_int_equal(admit_count_sources(a), 2);
        // The limit of all connections is reported first.
        assert_int_equal(try_one(a, 4, 2, "one", &tokens[4]), ADMIT_FULL);
        admit_release(&tokens[0]);
        assert_int_equal(try_one(a, 10, 2, "one", &tokens[0]), ADMIT_OK);
        for (int i = 0; i < 4; i++)
                admit_release(&tokens[i]);
        assert_int_equal(admit_count_sources(a), 0);
}

// Many sources come and go: the counts are those of a plain array.
static void test_against_counts(void **state)
{
        enum { SOURCES = 50, LIVE = 200, STEPS = 20000 };
        CLEANUP(admit) struct admit *a = NULL;
        struct admit_token tokens[LIVE] = {{0}};
        int source_of[LIVE];
        unsigned counts[SOURCES] = {0}, live = 0;
        uint32_t seed = 7;

        memset(source_of, -1, sizeof(source_of));
        assert_int_equal(admit_new(&a), 0);
        for (int i = 0; i < STEPS; i++) {
                seed = seed * 1664525U + 1013904223U;
                unsigned slot = (seed >> 8) % LIVE, source = (seed >> 18) % SOURCES;

                if (source_of[slot] >= 0) {
                        admit_release(&tokens[slot]);
                        counts[source_of[slot]]--;
                        live--;
                        source_of[slot] = -1;
                        continue;
                }
                const struct admit_limits limits = {.max_connections = 150, .max_per_source = 4};
                int r = admit_try(a, &limits, &source, sizeof(source), &tokens[slot]);

                assert_int_equal(r, live >= 150           ? ADMIT_FULL
                                    : counts[source] >= 4 ? ADMIT_SOURCE_FULL
                                                          : ADMIT_OK);
                if (r == ADMIT_OK) {
                        counts[source]++;
                        live++;
                        source_of[slot] = (int)source;
                }
                assert_int_equal(admit_count(a), live);
        }
        for (int i = 0; i < LIVE; i++)
                admit_release(&tokens[i]);
}

// The socket goes while its connections live.
static void test_tokens_outlive(void **state)
{
        struct admit *a;
        struct admit_token token = {0};

        assert_int_equal(admit_new(&a), 0);
        assert_int_equal(try_one(a, 10, 2, "one", &token), ADMIT_OK);
        admit_free(a);
        admit_release(&token);
        assert_null(token.admit);
}

static int admit_once(void *arg UNUSED)
{
        CLEANUP(admit) struct admit *a = NULL;
        struct admit_token token = {0};
        int r = admit_new(&a);

        if (r == 0)
                r = try_one(a, 10, 2, "one", &token);
        admit_release(&token);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(admit_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_against_counts),
        cmocka_unit_test(test_tokens_outlive),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
