#include "core/service/fdstore.h"

#include "base/fd.h"
#include "base/str.h"
#include "core/loop/events.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

static int some_file(void)
{
        return fd_move_up(open("/dev/null", O_RDONLY | O_CLOEXEC));
}

static void test_add_and_remove(void **state)
{
        struct events *e;
        struct fdstore s;

        assert_int_equal(events_new(&e), 0);
        fdstore_init(&s);
        assert_int_equal(fdstore_add(&s, e, some_file(), "one", true, 3), 1);
        assert_int_equal(fdstore_add(&s, e, some_file(), "two", true, 3), 1);
        assert_int_equal(fdstore_add(&s, e, some_file(), "two", true, 3), 1);
        assert_int_equal(fdstore_add(&s, e, some_file(), "more", true, 3), -E2BIG);
        assert_int_equal(fdstore_add(&s, e, some_file(), "bad:name", true, 9), -EINVAL);
        assert_int_equal(s.n, 3);
        assert_int_equal(fdstore_remove(&s, "two"), 2);
        assert_int_equal(fdstore_remove(&s, "two"), 0);
        assert_int_equal(s.n, 1);
        fdstore_clear(&s);
        assert_int_equal(s.n, 0);
        events_free(e);
}

// The same open file is kept once, under the name that it came with first.
static void test_same_file(void **state)
{
        struct events *e;
        struct fdstore s;
        int fd = some_file(), copy = fd_move_up(fcntl(fd, F_DUPFD_CLOEXEC, 3));

        assert_int_equal(events_new(&e), 0);
        fdstore_init(&s);
        assert_int_equal(fdstore_add(&s, e, fd, "one", true, 9), 1);
        assert_int_equal(fdstore_add(&s, e, copy, "other", true, 9), 0);
        assert_int_equal(s.n, 1);
        fdstore_clear(&s);
        events_free(e);
}

// One whose peer is gone is dropped, unless it came with FDPOLL=0.
static void test_hang_up(void **state)
{
        struct events *e;
        struct fdstore s;
        int watched[2], left[2];

        assert_int_equal(events_new(&e), 0);
        fdstore_init(&s);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, watched), 0);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, left), 0);
        assert_int_equal(fdstore_add(&s, e, fd_move_up(watched[0]), "watched", true, 9), 1);
        assert_int_equal(fdstore_add(&s, e, fd_move_up(left[0]), "left", false, 9), 1);
        for (int i = 0; i < 3; i++)
                assert_true(events_turn(e, 0) >= 0);
        assert_int_equal(s.n, 2);
        fd_close(watched[1]);
        fd_close(left[1]);
        for (int i = 0; i < 10 && s.n > 1; i++)
                assert_true(events_turn(e, 10 * USEC_PER_MSEC) >= 0);
        assert_int_equal(s.n, 1);
        assert_int_equal(fdstore_remove(&s, "left"), 1);
        events_free(e);
}

static void test_names(void **state)
{
        char long_name[300];

        memset(long_name, 'x', sizeof(long_name));
        long_name[255] = '\0';
        assert_true(fdstore_name_is_valid(long_name));
        long_name[255] = 'x';
        long_name[256] = '\0';
        assert_false(fdstore_name_is_valid(long_name));
        assert_true(fdstore_name_is_valid("a b"));
        assert_false(fdstore_name_is_valid(""));
        assert_false(fdstore_name_is_valid("a:b"));
        assert_false(fdstore_name_is_valid("a\nb"));
        assert_false(fdstore_name_is_valid("\xc3\xa4"));
}

static void test_oom(void **state)
{
        struct events *e;

        assert_int_equal(events_new(&e), 0);
        OOM_LOOP {
                struct fdstore s;

                fdstore_init(&s);
                int r = fdstore_add(&s, e, some_file(), "one", true, 9);

                if (!oom_struck(r))
                        assert_int_equal(r, 1);
                fdstore_clear(&s); // and no descriptor is lost
        }
        events_free(e);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_remove),
        cmocka_unit_test(test_same_file),
        cmocka_unit_test(test_hang_up),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
