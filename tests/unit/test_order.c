#include "core/unit/order.h"

#include "unit/harness.h"

#include <string.h>

#define NODES_MAX 9
#define ROUNDS 3000

// A generator of its own: the same graphs on every machine.
static uint32_t seed;

static uint32_t pick(uint32_t n)
{
        seed = seed * 1664525U + 1013904223U;
        return (seed >> 8) % n;
}

struct graph {
        uint32_t n;
        bool waits[NODES_MAX][NODES_MAX]; // [then][first]
};

static struct order *build(const struct graph *g)
{
        struct order *o;

        assert_int_equal(order_new(g->n, &o), 0);
        for (uint32_t then = 0; then < g->n; then++)
                for (uint32_t first = 0; first < g->n; first++)
                        if (g->waits[then][first])
                                assert_int_equal(order_add(o, first, then), 0);
        return o;
}

// Take away, again and again, what waits for nothing: what is left is on or behind a cycle.
static uint32_t count_stuck(const struct graph *g)
{
        bool is_done[NODES_MAX] = {false};
        uint32_t left = 0;
        bool is_moving = true;

        while (is_moving) {
                is_moving = false;
                for (uint32_t i = 0; i < g->n; i++) {
                        bool is_free = !is_done[i];

                        for (uint32_t k = 0; k < g->n; k++)
                                is_free = is_free && !(g->waits[i][k] && !is_done[k]);
                        is_moving |= is_free;
                        is_done[i] |= is_free;
                }
        }
        for (uint32_t i = 0; i < g->n; i++)
                left += !is_done[i];
        return left;
}

static void assert_sorted(const struct graph *g, const uint32_t *nodes, uint32_t n)
{
        bool is_placed[NODES_MAX] = {false};

        assert_int_equal(n, g->n);
        for (uint32_t i = 0; i < n; i++) {
                assert_true(nodes[i] < g->n && !is_placed[nodes[i]]);
                for (uint32_t k = 0; k < g->n; k++)
                        assert_true(!g->waits[nodes[i]][k] || is_placed[k]);
                is_placed[nodes[i]] = true;
        }
}

static void assert_cycle(const struct graph *g, const uint32_t *nodes, uint32_t n)
{
        bool is_seen[NODES_MAX] = {false};

        assert_true(n >= 1);
        for (uint32_t i = 0; i < n; i++) {
                assert_false(is_seen[nodes[i]]);
                is_seen[nodes[i]] = true;
                assert_true(g->waits[nodes[i]][nodes[(i + n - 1) % n]]);
        }
}

static void test_random_graphs(void **state)
{
        unsigned n_cycles = 0;

        for (seed = 1; seed < ROUNDS; seed++) {
                struct graph g = {0};
                uint32_t own = seed, *nodes, n;

                g.n = 1 + pick(NODES_MAX);
                for (uint32_t e = pick(2 * g.n); e > 0; e--)
                        g.waits[pick(g.n)][pick(g.n)] = true;
                CLEANUP(order) struct order *o = build(&g);
                int r = order_sort(o, &nodes, &n);

                assert_int_equal(r, count_stuck(&g) == 0);
                if (r)
                        assert_sorted(&g, nodes, n);
                else
                        assert_cycle(&g, nodes, n);
                n_cycles += !r;
                free(nodes);
                seed = own;
        }
        // Both sorts of graphs were there.
        assert_in_range(n_cycles, ROUNDS / 10, ROUNDS * 9 / 10);
}

// Lower numbers first where the edges leave it open.
static void test_stable(void **state)
{
        CLEANUP(order) struct order *o = NULL;
        static const uint32_t expected[] = {0, 2, 1, 3, 4};
        uint32_t *nodes, n;

        assert_int_equal(order_new(5, &o), 0);
        assert_int_equal(order_add(o, 2, 1), 0);
        assert_int_equal(order_add(o, 2, 1), 0);
        assert_int_equal(order_sort(o, &nodes, &n), 1);
        assert_int_equal(n, 5);
        assert_memory_equal(nodes, expected, sizeof(expected));
        free(nodes);
}

// A chain that would be as deep a stack.
static void test_deep(void **state)
{
        enum { DEPTH = 200000 };
        CLEANUP(order) struct order *o = NULL;
        uint32_t *nodes, n;

        assert_int_equal(order_new(2, &o), 0);
        for (uint32_t i = DEPTH - 1; i > 0; i--)
                assert_int_equal(order_add(o, i, i - 1), 0);
        assert_int_equal(order_sort(o, &nodes, &n), 1);
        assert_int_equal(n, DEPTH);
        assert_int_equal(nodes[0], DEPTH - 1);
        free(nodes);
        assert_int_equal(order_add(o, 0, DEPTH - 1), 0);
        assert_int_equal(order_sort(o, &nodes, &n), 0);
        assert_int_equal(n, DEPTH);
        free(nodes);
}

static int sort_once(void *arg)
{
        CLEANUP(order) struct order *o = NULL;
        uint32_t *nodes, n;
        int r = order_new(3, &o);

        if (r == 0)
                r = order_add(o, 5, 1);
        if (r == 0)
                r = order_sort(o, &nodes, &n);
        if (r < 0)
                return r;
        free(nodes);
        return r == 1 && n == 6 ? 0 : -EINVAL;
}

static void test_oom(void **state)
{
        oom_prove(sort_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_graphs),
        cmocka_unit_test(test_stable),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
