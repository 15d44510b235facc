#include "base/map.h"

#include "unit/harness.h"

#include <stdio.h>

#define MANY 100000

static void *number(size_t i)
{
        return (void *)(uintptr_t)(i + 1);
}

static void test_set_get_remove(void **state)
{
        CLEANUP(map) struct map *m = map_new();

        map_free(NULL);
        assert_null(map_get(m, "a"));
        assert_null(map_remove(m, "a"));
        assert_int_equal(map_set(m, "a", number(1)), 1);
        assert_int_equal(map_set(m, "a", number(2)), 0);
        assert_int_equal(map_set(m, "", number(3)), 1);
        assert_int_equal(map_size(m), 2);
        assert_ptr_equal(map_get(m, "a"), number(2));
        assert_ptr_equal(map_get(m, ""), number(3));
        assert_ptr_equal(map_remove(m, "a"), number(2));
        assert_null(map_get(m, "a"));
        assert_int_equal(map_size(m), 1);
        assert_int_equal(map_set(m, "a", number(4)), 1);
        assert_ptr_equal(map_get(m, "a"), number(4));
}

static void test_keys_are_copied(void **state)
{
        CLEANUP(map) struct map *m = map_new();
        char key[] = "abc";
        const char *seen = NULL;
        size_t position = 0;

        assert_int_equal(map_set(m, key, number(1)), 1);
        key[0] = 'X';
        assert_ptr_equal(map_get(m, "abc"), number(1));
        assert_true(map_next(m, &position, &seen, NULL));
        assert_ptr_equal(map_get_key(m, "abc"), seen);
        assert_null(map_get_key(m, "Xbc"));
        assert_ptr_equal(map_remove(m, seen), number(1)); // by its own copy
}

static void test_walk_is_in_insertion_order(void **state)
{
        CLEANUP(map) struct map *m = map_new();
        char key[16];
        size_t position = 0, next = 0;
        void *value;
        const char *name;

        for (size_t i = 0; i < 1000; i++) {
                snprintf(key, sizeof(key), "k%zu", i);
                assert_int_equal(map_set(m, key, number(i)), 1);
        }
        // Replacing moves nothing; removing while walking skips nothing.
        assert_int_equal(map_set(m, "k5", number(5)), 0);
        while (map_next(m, &position, &name, &value)) {
                assert_ptr_equal(value, number(next));
                snprintf(key, sizeof(key), "k%zu", next++);
                assert_string_equal(name, key);
                if (next % 3)
                        assert_ptr_equal(map_remove(m, key), value);
        }
        assert_int_equal(next, 1000);
        assert_int_equal(map_size(m), 333);
        for (position = 0, next = 2; map_next(m, &position, NULL, &value); next += 3)
                assert_ptr_equal(value, number(next));
        assert_int_equal(next, 1001);
}

static void test_walk_that_removes_all(void **state)
{
        CLEANUP(u64map) struct u64map *m = u64map_new();
        size_t position = 0, n = 0;
        uint64_t key;

        for (uint64_t i = 0; i < 500; i++)
                assert_int_equal(u64map_set(m, i, number(i)), 1);
        while (u64map_next(m, &position, &key, NULL)) {
                assert_int_equal(key, n++);
                assert_non_null(u64map_remove(m, key));
        }
        assert_int_equal(n, 500);
        assert_int_equal(u64map_size(m), 0);
        position = 0;
        assert_false(u64map_next(m, &position, &key, NULL));
        assert_int_equal(u64map_set(m, 7, number(7)), 1);
        assert_ptr_equal(u64map_get(m, 7), number(7));
}

// Pids and ids: numbers close together, far apart, and at the ends.
static void test_u64_keys(void **state)
{
        static const uint64_t keys[] = {0,
                                        1,
                                        2,
                                        UINT32_MAX,
                                        (uint64_t)UINT32_MAX + 1,
                                        1ULL << 63,
                                        UINT64_MAX,
                                        UINT64_MAX - 1};
        CLEANUP(u64map) struct u64map *m = u64map_new();

        u64map_free(NULL);
        assert_null(u64map_get(m, 0));
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                assert_int_equal(u64map_set(m, keys[i], number(i)), 1);
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                assert_ptr_equal(u64map_get(m, keys[i]), number(i));
        assert_int_equal(u64map_set(m, 1, number(9)), 0);
        assert_ptr_equal(u64map_remove(m, 1), number(9));
        assert_null(u64map_get(m, 1));
        assert_int_equal(u64map_size(m), ARRAY_SIZE(keys) - 1);
}

static void test_a_hundred_thousand(void **state)
{
        size_t n = harness_has_valgrind() ? MANY / 10 : MANY;
        CLEANUP(map) struct map *m = map_new();
        CLEANUP(u64map) struct u64map *u = u64map_new();
        char key[64];

        for (size_t i = 0; i < n; i++) {
                snprintf(key, sizeof(key), "foo@%zu-127.0.0.1:80-127.0.0.1:%zu.service", i, i);
                assert_int_equal(map_set(m, key, number(i)), 1);
                assert_int_equal(u64map_set(u, i << 20, number(i)), 1); // low bits all equal
        }
        for (size_t i = 0; i < n; i += 2) {
                snprintf(key, sizeof(key), "foo@%zu-127.0.0.1:80-127.0.0.1:%zu.service", i, i);
                assert_ptr_equal(map_remove(m, key), number(i));
                assert_ptr_equal(u64map_remove(u, i << 20), number(i));
        }
        for (size_t i = 0; i < n; i++) {
                snprintf(key, sizeof(key), "foo@%zu-127.0.0.1:80-127.0.0.1:%zu.service", i, i);
                assert_ptr_equal(map_get(m, key), i % 2 ? number(i) : NULL);
                assert_ptr_equal(u64map_get(u, i << 20), i % 2 ? number(i) : NULL);
        }
        assert_int_equal(map_size(m), n / 2);
}

// A small population that comes and goes must not make the table grow or slow.
static void test_churn(void **state)
{
        size_t n = harness_has_valgrind() ? MANY / 10 : MANY * 10;
        CLEANUP(u64map) struct u64map *m = u64map_new();

        for (size_t i = 0; i < n; i++) {
                assert_int_equal(u64map_set(m, i, number(i)), 1);
                if (i >= 10)
                        assert_ptr_equal(u64map_remove(m, i - 10), number(i - 10));
        }
        assert_int_equal(u64map_size(m), 10);
}

static void test_oom(void **state)
{
        OOM_LOOP {
                CLEANUP(map) struct map *m = map_new();
                int r = m ? 0 : -ENOMEM;
                size_t n = 0;
                char key[8];

                for (; r >= 0 && n < 100; n++) {
                        snprintf(key, sizeof(key), "%zu", n);
                        r = map_set(m, key, number(n));
                }
                if (!oom_struck(r)) {
                        assert_int_equal(n, 100);
                        continue;
                }
                // What was there before the failure still is.
                for (size_t i = 0; m && i + 1 < n; i++) {
                        snprintf(key, sizeof(key), "%zu", i);
                        assert_ptr_equal(map_get(m, key), number(i));
                }
        }
}

static int fill_u64(void *arg)
{
        CLEANUP(u64map) struct u64map *m = u64map_new();
        int r = m ? 0 : -ENOMEM;

        for (uint64_t i = 0; r >= 0 && i < 100; i++)
                r = u64map_set(m, i, number(i));
        return r < 0 ? r : 0;
}

static void test_oom_u64(void **state)
{
        oom_prove(fill_u64, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_get_remove),
        cmocka_unit_test(test_keys_are_copied),
        cmocka_unit_test(test_walk_is_in_insertion_order),
        cmocka_unit_test(test_walk_that_removes_all),
        cmocka_unit_test(test_u64_keys),
        cmocka_unit_test(test_a_hundred_thousand),
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_oom),
        cmocka_unit_test(test_oom_u64),
};
HARNESS_MAIN(tests)
