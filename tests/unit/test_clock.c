#include "base/clock.h"

#include "unit/harness.h"

#define SEC USEC_PER_SEC

static void test_clocks_run(void **state)
{
        usec_t a = clock_now(), b = clock_now();
        struct timespec ts;

        assert_true(a > 0 && b >= a);
        assert_true(clock_now_boottime() + SEC > a);
        clock_gettime(CLOCK_REALTIME, &ts);
        assert_true(clock_now_realtime() / SEC - (usec_t)ts.tv_sec <= 1);
}

static void test_arithmetic(void **state)
{
        assert_int_equal(usec_add(1, 2), 3);
        assert_int_equal(usec_add(USEC_INFINITY, 2), USEC_INFINITY);
        assert_int_equal(usec_add(2, USEC_INFINITY), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY - 1, 5), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY - 2, 1), USEC_INFINITY - 1);
        assert_int_equal(usec_sub(5, 3), 2);
        assert_int_equal(usec_sub(3, 5), 0);
        assert_int_equal(usec_sub(USEC_INFINITY, 5), USEC_INFINITY);
        assert_int_equal(usec_sub(5, USEC_INFINITY), 0);
}

// Each text as `systemd-analyze timespan` (accuracy 1) and `systemctl show` (accuracy 1 s) print
// it.
static void test_format(void **state)
{
        static const struct {
                usec_t t, accuracy;
                const char *text;
        } cases[] = {
                {0, 1, "0"},
                {USEC_INFINITY, 1, "infinity"},
                {1, 1, "1us"},
                {999, 1, "999us"},
                {1000, 1, "1ms"},
                {1500, 1, "1.500ms"},
                {100 * USEC_PER_MSEC, 1, "100ms"},
                {SEC, 1, "1s"},
                {1500 * USEC_PER_MSEC, 1, "1.500000s"},
                {1500 * USEC_PER_MSEC, USEC_PER_MSEC, "1.500s"},
                {1500 * USEC_PER_MSEC, SEC, "1s"},
                {500 * USEC_PER_MSEC, SEC, "500ms"},
                {90 * SEC, 1, "1min 30s"},
                {90 * SEC + 1, 1, "1min 30.000001s"},
                {3600 * SEC, 1, "1h"},
                {86400 * SEC, 1, "1d"},
                {8 * 86400 * SEC + 3661 * SEC, 1, "1w 1d 1h 1min 1s"},
                {2629800 * SEC, 1, "1month"},
                {31557600 * SEC, 1, "1y"},
                {3 * 31557600 * SEC + 2 * SEC, 1, "3y 2s"},
        };
        char text[USEC_SPAN_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
                assert_string_equal(
                        usec_format_span(cases[i].t, cases[i].accuracy, text, sizeof(text)),
                        cases[i].text);
}

static void test_the_longest_span_fits(void **state)
{
        char text[USEC_SPAN_MAX], small[8];

        usec_format_span(USEC_INFINITY - 1, 1, text, sizeof(text));
        assert_true(strlen(text) < USEC_SPAN_MAX - 1);
        assert_string_equal(text, "584542y 2w 2d 20h 1min 49.551614s");
        usec_format_span(3661 * SEC, 1, small, sizeof(small));
        assert_string_equal(small, "1h 1min");
        usec_format_span(36610 * SEC, 1, small, sizeof(small));
        assert_string_equal(small, "10h 10m");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clocks_run),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_the_longest_span_fits),
};
HARNESS_MAIN(tests)
