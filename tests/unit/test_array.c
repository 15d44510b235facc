#include "base/array.h"

#include "unit/harness.h"

static void test_append(void **state)
{
        uint32_t *items = NULL, capacity = 0; // an integer of any type

        for (uint32_t n = 0; n < 1000; n++) {
                assert_int_equal(ARRAY_RESERVE(items, n, capacity, 5), 0);
                assert_true(capacity > n && capacity <= MAX(5u, 2 * n));
                items[n] = n;
        }
        for (uint32_t n = 0; n < 1000; n++)
                assert_int_equal(items[n], n);
        free(items);
}

// Without memory all stays as it was.
static void test_oom(void **state)
{
        OOM_LOOP {
                CLEANUP(free) char *items = NULL;
                size_t capacity = 0, n = 0;
                int r = 0;

                while (n < 100 && (r = ARRAY_RESERVE(items, n, capacity, 1)) == 0)
                        items[n++] = 'x';
                assert_true(capacity >= n);
                for (size_t i = 0; i < n; i++)
                        assert_int_equal(items[i], 'x');
                if (oom_struck(r))
                        continue;
                assert_int_equal(n, 100);
        }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_append),
                                          cmocka_unit_test(test_oom)};
HARNESS_MAIN(tests)
