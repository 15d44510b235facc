#include "base/fail.h"

#include "unit/harness.h"

#include <stdio.h>

static void test_set_and_format(void **state)
{
        static const struct {
                int error;
                const char *op, *detail, *text;
        } cases[] = {
                {EADDRINUSE, "bind", "127.0.0.1:80", "bind 127.0.0.1:80: Address already in use"},
                {-EADDRINUSE, "bind", "127.0.0.1:80", "bind 127.0.0.1:80: Address already in use"},
                {EACCES, "chown", NULL, "chown: Permission denied"},
                {EACCES, "chown", "", "chown: Permission denied"},
                {ESRCH, "find user", "x", "there is no user named x"},
                {ESRCH, "find group", NULL, "there is no group"},
                {ETIMEDOUT, "find user", "x", "find user x: Connection timed out"},
                {ESRCH, "kill", "7", "kill 7: No such process"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fail fail = {0};
                char text[300];
                int r = cases[i].detail ? fail_set(&fail, cases[i].error, cases[i].op, "%s",
                                                   cases[i].detail)
                                        : fail_set(&fail, cases[i].error, cases[i].op, NULL);

                assert_int_equal(r, -abs(cases[i].error));
                assert_int_equal(fail.error, abs(cases[i].error));
                assert_string_equal(fail_format(&fail, text, sizeof(text)), cases[i].text);
        }
}

static void test_null_is_accepted(void **state)
{
        assert_int_equal(fail_set(NULL, EIO, "read", "%d", 1), -EIO);
}

static void test_everything_is_cut_to_size(void **state)
{
        struct fail fail;
        char longer[1000], text[8];

        memset(longer, 'x', sizeof(longer) - 1);
        longer[sizeof(longer) - 1] = '\0';
        fail_set(&fail, EIO, "read", "%s", longer);
        assert_int_equal(strlen(fail.detail), FAIL_DETAIL_MAX - 1);
        fail_format(&fail, text, sizeof(text));
        assert_string_equal(text, "read xx");
}

static void test_a_new_failure_forgets_the_old_detail(void **state)
{
        struct fail fail;

        fail_set(&fail, EIO, "read", "%s", "old");
        fail_set(&fail, EPERM, "write", NULL);
        assert_string_equal(fail.detail, "");
        assert_string_equal(fail.op, "write");
}

static void test_exhaustion(void **state)
{
        static const int exhausted[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS, EAGAIN};
        static const int others[] = {0, ENOENT, EACCES, EINVAL, ENOSPC, EADDRINUSE};

        for (size_t i = 0; i < ARRAY_SIZE(exhausted); i++)
                assert_true(fail_is_exhaustion(exhausted[i]) && fail_is_exhaustion(-exhausted[i]));
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                assert_false(fail_is_exhaustion(others[i]) || fail_is_exhaustion(-others[i]));
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exhaustion),
        cmocka_unit_test(test_set_and_format),
        cmocka_unit_test(test_null_is_accepted),
        cmocka_unit_test(test_everything_is_cut_to_size),
        cmocka_unit_test(test_a_new_failure_forgets_the_old_detail),
};
HARNESS_MAIN(tests)
