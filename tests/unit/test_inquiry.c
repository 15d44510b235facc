// Helper processes: their answers, and that nothing is left of one that does not answer.
#include "base/inquiry.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/local.h"
#include "base/mounts.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(struct inquiry_answer *answer, const void *question)
{
        inquiry_put_field(answer, question);
        inquiry_put_field(answer, NULL);
        inquiry_put_number(answer, -12);
        inquiry_put_field(answer, "last");
}

static void say_nothing(struct inquiry_answer *answer UNUSED, const void *question UNUSED)
{
}

static void die(struct inquiry_answer *answer, const void *question)
{
        inquiry_put_field(answer, question);
        _exit(1);
}

static void hang(struct inquiry_answer *answer UNUSED, const void *question UNUSED)
{
        (void)pause();
}

// More than a socket holds, with more descriptors than fit one message.
#define N_FDS 300
#define N_FIELDS 20000

static void say_much(struct inquiry_answer *answer, const void *question UNUSED)
{
        for (int i = 0; i < N_FDS; i++)
                inquiry_put_fd(answer, eventfd((unsigned)i, EFD_CLOEXEC | EFD_NONBLOCK));
        for (int i = 0; i < N_FIELDS; i++)
                inquiry_put_field(answer, "a field of some twenty bytes");
}

// Until all is there.
static int take(struct inquiry *h)
{
        struct pollfd p = {.fd = inquiry_fd(h), .events = POLLIN};
        int r;

        while ((r = inquiry_read(h)) == -EAGAIN)
                assert_int_equal(poll(&p, 1, 20000), 1);
        return r;
}

static void check_answer(struct inquiry *h)
{
        int64_t number;

        assert_int_equal(inquiry_read(h), 0);
        assert_int_equal(inquiry_read(h), 0); // it is kept
        assert_string_equal(inquiry_next_field(h), "first");
        assert_string_equal(inquiry_next_field(h), "");
        assert_int_equal(inquiry_next_number(h, &number), 0);
        assert_int_equal(number, -12);
        assert_int_equal(inquiry_next_number(h, &number), -EBADMSG);
        assert_int_equal(inquiry_next_number(h, &number), -EBADMSG);
        assert_null(inquiry_next_field(h));
        assert_int_equal(inquiry_next_fd(h), -1);
}

static void test_answer(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(say, "first", &h), 0);
        assert_int_equal(take(h), 0);
        check_answer(h);
}

static void test_much(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;
        uint64_t value;

        assert_int_equal(inquiry_start(say_much, NULL, &h), 0);
        assert_int_equal(take(h), 0);
        for (int i = 0; i < N_FIELDS; i++)
                assert_string_equal(inquiry_next_field(h), "a field of some twenty bytes");
        assert_null(inquiry_next_field(h));
        // The others are the inquiry's to close.
        for (unsigned i = 0; i < N_FDS / 2; i++) {
                CLEANUP(fd) int fd = inquiry_next_fd(h);

                assert_true(fd >= FD_LOW_WINDOW);
                assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
                assert_int_equal(read(fd, &value, sizeof(value)), i == 0 ? -1 : 8);
                assert_true(i == 0 || value == i);
        }
}

static void test_empty(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(say_nothing, NULL, &h), 0);
        assert_int_equal(take(h), 0);
        assert_null(inquiry_next_field(h));
}

static void test_none(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(die, "lost", &h), 0);
        assert_int_equal(take(h), -ETIMEDOUT);
        assert_null(inquiry_next_field(h));
}

// Reading never waits.
static void test_not_yet(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;

        assert_int_equal(inquiry_start(hang, NULL, &h), 0);
        assert_int_equal(inquiry_read(h), -EAGAIN);
        assert_null(inquiry_next_field(h));
}

static void say_and_hang(struct inquiry_answer *answer, const void *question)
{
        inquiry_put_fd(answer, eventfd(5, EFD_CLOEXEC));
        inquiry_put_field(answer, question);
        inquiry_flush(answer);
        inquiry_put_field(answer, "second");
        inquiry_flush(answer);
        inquiry_put_field(answer, "never said");
        (void)pause();
}

static const char *await_field(struct inquiry *h)
{
        struct pollfd p = {.fd = inquiry_fd(h), .events = POLLIN};
        const char *field;

        while (!(field = inquiry_next_field(h))) {
                assert_int_equal(poll(&p, 1, 20000), 1);
                assert_int_equal(inquiry_read(h), -EAGAIN);
        }
        return field;
}

// What has been said before it hangs is heard. It is killed, and left to whoever waits for it.
static void test_half_an_answer(void **state UNUSED)
{
        struct inquiry *h = NULL;
        siginfo_t info;

        assert_int_equal(inquiry_start(say_and_hang, "first", &h), 0);
        assert_string_equal(await_field(h), "first");
        assert_string_equal(await_field(h), "second");
        assert_null(inquiry_next_field(h));
        inquiry_free(h);
        do // those of other tests have ended by themselves, or are about to
                assert_int_equal(waitid(P_ALL, 0, &info, WEXITED), 0);
        while (info.si_code == CLD_EXITED);
        assert_int_equal(info.si_code, CLD_KILLED);
        assert_int_equal(info.si_status, SIGKILL);
}

// ---- tried here first

static int n_calls;

static void say_here(struct inquiry_answer *answer, const void *question)
{
        n_calls++;
        say(answer, question);
        inquiry_put_fd(answer, eventfd(5, EFD_CLOEXEC));
}

static void test_here(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL;
        uint64_t value;

        assert_int_equal(inquiry_try(say_here, "first", &h), 0);
        assert_int_equal(n_calls, 1);
        assert_int_equal(inquiry_fd(h), -1);
        CLEANUP(fd) int fd = inquiry_next_fd(h);

        assert_int_equal(read(fd, &value, sizeof(value)), 8);
        assert_int_equal(value, 5);
        check_answer(h);
}

// What must not be done here is done elsewhere, where it may wait.
static void look(struct inquiry_answer *answer, const void *path)
{
        CLEANUP(fd) int fd = open(path, O_PATH | O_CLOEXEC);
        uint64_t mount = 0;

        inquiry_put_number(answer, local_check(fd, &mount));
}

static void test_elsewhere(void **state UNUSED)
{
        CLEANUP(inquiry) struct inquiry *h = NULL, *near = NULL;
        int64_t number;

        assert_int_equal(mounts_set_table("1 1 0:1 / /none rw - ext4 x rw\n"), 0);
        assert_int_equal(inquiry_try(look, "/proc", &h), 1);
        assert_false(local_is_only());
        assert_string_equal(inquiry_where(h), "/proc");
        assert_int_equal(inquiry_fd(h), -1);
        assert_int_equal(inquiry_launch(h), 0);
        assert_int_equal(inquiry_launch(h), 0);
        assert_int_equal(take(h), 0);
        assert_int_equal(inquiry_next_number(h, &number), 0);
        assert_int_equal(number, 0);
        mounts_done();
        assert_int_equal(inquiry_try(look, "/proc", &near), 0);
        mounts_done();
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
        CLEANUP(inquiry) struct inquiry *h = NULL, *here = NULL;
        int r = inquiry_start(say, "first", &h);

        return r < 0 ? r : inquiry_try(say_here, "first", &here);
}

static void test_oom(void **state UNUSED)
{
        oom_prove(start_once, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),   cmocka_unit_test(test_much),
        cmocka_unit_test(test_empty),    cmocka_unit_test(test_none),
        cmocka_unit_test(test_not_yet),  cmocka_unit_test(test_half_an_answer),
        cmocka_unit_test(test_here),     cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_given_up), cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
