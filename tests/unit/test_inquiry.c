// Helper processes: answers, and what is left of one that gives none.
#include "base/inquiry.h"

#include "base/clock.h"
#include "unit/harness.h"

#include <poll.h>
#include <unistd.h>

static void say(struct buf *answer, const void *question)
{
        inquiry_put_field(answer, question);
        inquiry_put_field(answer, NULL);
        inquiry_put_field(answer, "last");
}

static void say_nothing(struct buf *answer UNUSED, const void *question UNUSED)
{
}

static void die(struct buf *answer, const void *question)
{
        inquiry_put_field(answer, question);
        _exit(1);
}

static void hang(struct buf *answer UNUSED, const void *question UNUSED)
{
        (void)pause();
}

static void await(const struct inquiry *h)
{
        struct pollfd p = {.fd = inquiry_fd(h), .events = POLLIN};

        assert_int_equal(poll(&p, 1, 20000), 1);
}

static void test_answer(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(say, "first", &h), 0);
        await(h);
        assert_int_equal(inquiry_read(h), 0);
        assert_int_equal(inquiry_read(h), 0); // it is kept
        assert_string_equal(inquiry_next_field(h), "first");
        assert_string_equal(inquiry_next_field(h), "");
        assert_string_equal(inquiry_next_field(h), "last");
        assert_null(inquiry_next_field(h));
}

static void test_empty(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(say_nothing, NULL, &h), 0);
        await(h);
        assert_int_equal(inquiry_read(h), 0);
        assert_null(inquiry_next_field(h));
}

static void test_none(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(die, "lost", &h), 0);
        await(h);
        assert_int_equal(inquiry_read(h), -ETIMEDOUT);
        assert_null(inquiry_next_field(h));
}

// Freeing does not wait for it.
static void test_given_up(void **state UNUSED)
{
        struct inquiry *h = NULL;
        usec_t begin = clock_now();

        assert_int_equal(inquiry_start(hang, NULL, &h), 0);
        inquiry_free(h);
        assert_true(clock_now() - begin < INQUIRY_TIMEOUT_SEC * USEC_PER_SEC);
}

static int start_once(void *arg UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        return inquiry_start(say, "first", &h);
}

static void test_oom(void **state UNUSED)
{
        oom_prove(start_once, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answer), cmocka_unit_test(test_empty),
                cmocka_unit_test(test_none),   cmocka_unit_test(test_given_up),
                cmocka_unit_test(test_oom),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
