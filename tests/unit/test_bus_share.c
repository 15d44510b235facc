#include "bus/share.h"

#include "unit/harness.h"

#define NOW ((usec_t)1000 * USEC_PER_SEC)

static void test_rest(void **state)
{
        struct share s = {0};

        (void)state;
        assert_true(share_is_open(&s, NOW));
        assert_int_equal(share_next(&s, NOW), NOW);
        // What is there at once is spent, and comes back by and by.
        share_spend(&s, 50 * USEC_PER_MSEC);
        assert_false(share_is_open(&s, NOW));
        usec_t next = share_next(&s, NOW);

        assert_true(next > NOW && next <= NOW + USEC_PER_MSEC);
        assert_false(share_is_open(&s, next - 1));
        assert_true(share_is_open(&s, next));
}

static void test_overdrawn(void **state)
{
        struct share s = {0};

        (void)state;
        assert_true(share_is_open(&s, NOW));
        share_spend(&s, 100 * USEC_PER_MSEC);
        usec_t next = share_next(&s, NOW);

        // 50 ms too much: a fifth of 250 ms.
        assert_in_range(next - NOW, 250 * USEC_PER_MSEC, 251 * USEC_PER_MSEC);
        assert_true(share_is_open(&s, next));
        // No more than at first is saved up.
        assert_true(share_is_open(&s, next + 3600 * USEC_PER_SEC));
        share_spend(&s, 51 * USEC_PER_MSEC);
        assert_false(share_is_open(&s, next + 3600 * USEC_PER_SEC));
}

static void test_many_small(void **state)
{
        struct share s = {0};
        usec_t now = NOW, spent = 0;

        (void)state;
        while (now < NOW + 10 * USEC_PER_SEC) {
                now = share_next(&s, now);
                share_spend(&s, 70);
                spent += 70;
                now += 70;
        }
        assert_in_range(spent, 2 * USEC_PER_SEC, 2 * USEC_PER_SEC + 200 * USEC_PER_MSEC);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_overdrawn),
        cmocka_unit_test(test_many_small),
};
HARNESS_MAIN(tests)
