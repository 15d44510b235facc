#include "base/rate.h"

#include "unit/harness.h"

// Windows are fixed: the first event opens one, and later events do not prolong it.
static void test_window(void **state)
{
        struct rate r = {.interval = 100, .burst = 3};
        static const struct {
                usec_t now;
                bool is_below;
        } cases[] = {
                {1000, true}, {1001, true}, {1099, true}, {1100, false}, {1100, false},
                {1101, true}, {1102, true}, {1150, true}, {1201, false}, {1202, true},
        };

        assert_int_equal(rate_window_end(&r, 7), 7);
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                assert_int_equal(rate_has_room(&r, cases[i].now), cases[i].is_below);
                assert_int_equal(rate_below(&r, cases[i].now), cases[i].is_below);
        }
        assert_int_equal(rate_window_end(&r, 1210), 1302);
        assert_int_equal(rate_window_end(&r, 9999), 9999);
        rate_reset(&r);
        assert_int_equal(rate_window_end(&r, 8), 8);
        assert_true(rate_below(&r, 1203));
}

static void test_off(void **state)
{
        struct rate no_interval = {.burst = 1}, no_burst = {.interval = 100};

        for (usec_t now = 1; now < 50; now++) {
                assert_true(rate_below(&no_interval, now));
                assert_true(rate_below(&no_burst, now));
                assert_true(rate_has_room(&no_interval, now) && rate_has_room(&no_burst, now));
        }
}

static void test_endless_window(void **state)
{
        struct rate r = {.interval = USEC_INFINITY, .burst = 1};

        assert_true(rate_below(&r, 10));
        assert_false(rate_below(&r, USEC_INFINITY - 1));
        assert_int_equal(rate_window_end(&r, 20), USEC_INFINITY);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_endless_window),
};
HARNESS_MAIN(tests)
