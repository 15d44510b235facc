// The back-off of a socket that pauses.
#include "core/socket/sock_priv.h"
#include "unit/harness.h"

#define S USEC_PER_SEC

static void test_length(void **state)
{
        static const struct {
                usec_t last, ended, first, now, length;
        } rows[] = {
                {0, 0, 2 * S, 100 * S, 2 * S}, // the first one
                {2 * S, 100 * S, 2 * S, 101 * S, 4 * S},
                {4 * S, 100 * S, 2 * S, 104 * S, 8 * S},  // just not calm
                {4 * S, 100 * S, 2 * S, 105 * S, 2 * S},  // calm for longer than it paused
                {1 * S, 100 * S, 10 * S, 109 * S, 2 * S}, // or than the first pause is
                {1 * S, 100 * S, 10 * S, 111 * S, 10 * S},
                {40 * S, 100 * S, 2 * S, 101 * S, SOCK_PAUSE_MAX},
                {SOCK_PAUSE_MAX, 100 * S, 2 * S, 101 * S, SOCK_PAUSE_MAX},
                {0, 0, 300 * S, 100 * S, 300 * S}, // what a unit asks for may be longer
                {300 * S, 400 * S, 300 * S, 401 * S, 300 * S},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                assert_int_equal(
                        sock_pause_length(rows[i].last, rows[i].ended, rows[i].first, rows[i].now),
                        rows[i].length);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_length)};
HARNESS_MAIN(tests)
