#include "base/heap.h"

#include "unit/harness.h"

#define N 500

static void check(const struct heap *h)
{
        for (size_t i = 0; i < h->size; i++) {
                assert_int_equal(h->items[i]->index, i + 1);
                if (i > 0)
                        assert_true(h->items[(i - 1) / 2]->key <= h->items[i]->key);
        }
}

static uint32_t random_next(uint32_t *seed)
{
        *seed = *seed * 1664525u + 1013904223u;
        return *seed >> 8;
}

static void test_small(void **state)
{
        struct heap h = {0};
        struct heap_node a = {0}, b = {0};

        assert_null(heap_first(&h));
        heap_remove(&h, &a); // in no heap
        assert_int_equal(heap_set(&h, &a, 5), 0);
        assert_int_equal(heap_set(&h, &b, 3), 0);
        assert_ptr_equal(heap_first(&h), &b);
        assert_int_equal(heap_set(&h, &b, 9), 0); // later
        assert_ptr_equal(heap_first(&h), &a);
        assert_int_equal(heap_set(&h, &b, 1), 0); // earlier
        assert_ptr_equal(heap_first(&h), &b);
        heap_remove(&h, &b);
        assert_int_equal(b.index, 0);
        assert_ptr_equal(heap_first(&h), &a);
        heap_remove(&h, &a);
        assert_null(heap_first(&h));
        heap_done(&h);
}

static void test_random(void **state)
{
        static struct heap_node nodes[N];
        struct heap h = {0};
        uint32_t seed = 42;
        usec_t last = 0;
        size_t n = 0;

        for (int i = 0; i < 20 * N; i++) {
                struct heap_node *node = &nodes[random_next(&seed) % N];

                if (random_next(&seed) % 3 == 0)
                        heap_remove(&h, node);
                else
                        assert_int_equal(heap_set(&h, node, random_next(&seed) % 1000), 0);
                if (i % 50 == 0)
                        check(&h);
        }
        for (size_t i = 0; i < N; i++)
                n += nodes[i].index != 0;
        assert_int_equal(n, h.size);
        while (heap_first(&h)) {
                assert_true(heap_first(&h)->key >= last);
                last = heap_first(&h)->key;
                heap_remove(&h, heap_first(&h));
                n--;
        }
        assert_int_equal(n, 0);
        heap_done(&h);
}

static void test_oom(void **state)
{
        OOM_LOOP {
                struct heap_node nodes[100] = {0};
                struct heap h = {0};
                int r = 0;

                for (size_t i = 0; i < 100 && r == 0; i++) {
                        r = heap_set(&h, &nodes[i], 100 - i);
                        if (r < 0)
                                assert_int_equal(nodes[i].index, 0);
                }
                if (oom_struck(r))
                        check(&h);
                else
                        assert_int_equal(h.size, 100);
                heap_done(&h);
        }
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
