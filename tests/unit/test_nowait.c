// Calls that could block because other processes share the open file description.
#include "base/nowait.h"

#include "net/accept.h"
#include "unit/net_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

static void test_read(void **state)
{
        struct itimerval left;
        int ends[2];
        char c = 0;

        assert_int_equal(pipe(ends), 0);
        for (int i = 0; i < 3; i++) {
                nowait_begin();
                assert_int_equal(read(ends[0], &c, 1), -1);
                nowait_end();
                assert_int_equal(errno, EINTR);
        }
        assert_int_equal(getitimer(ITIMER_REAL, &left), 0);
        assert_int_equal(left.it_value.tv_sec + left.it_value.tv_usec, 0);
        // What is there is not lost.
        assert_int_equal(write(ends[1], "x", 1), 1);
        nowait_begin();
        assert_int_equal(read(ends[0], &c, 1), 1);
        nowait_end();
        close(ends[0]);
        close(ends[1]);
}

static void test_accept(void **state)
{
        static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};

        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
                const struct sockaddr_un name = {.sun_family = AF_UNIX};
                struct sockaddr_un bound;
                socklen_t size = sizeof(bound);
                struct address remote;
                int listener = socket(AF_UNIX, types[i], 0), connection = -1;
                int client = socket(AF_UNIX, types[i], 0);

                assert_int_equal(bind(listener, (const void *)&name, sizeof(sa_family_t)), 0);
                assert_int_equal(listen(listener, 5), 0);
                assert_int_equal(getsockname(listener, (void *)&bound, &size), 0);
                assert_int_equal(net_accept(listener, false, &remote, &connection), ACCEPT_NONE);
                assert_true(fcntl(listener, F_GETFL) & O_NONBLOCK);
                assert_int_equal(fcntl(listener, F_SETFL, 0), 0);
                assert_int_equal(connect(client, (const void *)&bound, size), 0);
                assert_int_equal(net_accept(listener, false, &remote, &connection), ACCEPT_OK);
                close(connection);
                close(client);
                close(listener);
        }
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_read),
                                          cmocka_unit_test(test_accept)};
HARNESS_MAIN(tests)
