// The traffic of a TCP connection as the kernel counts it, without the FINs.
#include "net/traffic.h"
#include "unit/harness.h"

#include <linux/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ESTABLISHED = 1, FIN_WAIT_1 = 4, FIN_WAIT_2 = 5, CLOSE = 7, CLOSE_WAIT = 8, LAST_ACK = 9 };

// As Linux 6.18 answers.
static void test_rows(void **state)
{
        static const struct {
                uint8_t state;
                uint64_t acked, received, notsent, sent, repeated;
                uint64_t want_received, want_sent;
        } rows[] = {
                {ESTABLISHED, 0, 0, 0, 0, 0, 0, 0},
                {ESTABLISHED, 3, 5, 0, 3, 0, 5, 3},
                {CLOSE_WAIT, 3, 6, 0, 3, 0, 5, 3}, // the peer has sent its FIN
                {CLOSE_WAIT, 0, 1, 0, 0, 0, 0, 0}, // and nothing else
                {CLOSE, 4, 6, 0, 3, 0, 5, 3},      // both have
                {CLOSE, 0, 2, 0, 0, 0, 2, 0},      // the peer has reset it
                {CLOSE, 4, 0, 0, 3, 0, 0, 3},      // after our FIN
                {FIN_WAIT_2, 4, 0, 0, 3, 0, 0, 3},
                {ESTABLISHED, 128512, 0, 3782144, 176128, 47616, 0, 3910656},
                {FIN_WAIT_1, 128512, 0, 3782145, 176128, 47616, 0, 3910656},
                {LAST_ACK, 128512, 6, 3782145, 176128, 47616, 5, 3910656},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct tcp_info info = {.tcpi_state = rows[i].state,
                                              .tcpi_bytes_acked = rows[i].acked,
                                              .tcpi_bytes_received = rows[i].received,
                                              .tcpi_notsent_bytes = (uint32_t)rows[i].notsent,
                                              .tcpi_bytes_sent = rows[i].sent,
                                              .tcpi_bytes_retrans = rows[i].repeated};
                struct net_traffic t;

                net_traffic_read(&info, sizeof(info), &t);
                assert_true(t.is_known);
                assert_int_equal(t.received, rows[i].want_received);
                assert_int_equal(t.sent, rows[i].want_sent);
        }
}

static void test_old_kernel(void **state)
{
        const struct tcp_info info = {.tcpi_bytes_received = 5};
        struct net_traffic t;

        net_traffic_read(&info, offsetof(struct tcp_info, tcpi_bytes_sent), &t);
        assert_false(t.is_known);
}

static void test_no_tcp(void **state)
{
        struct net_traffic t = {.is_known = true};
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        net_traffic_get(pair[0], &t);
        assert_false(t.is_known);
        net_traffic_get(-1, &t);
        assert_false(t.is_known);
        close(pair[0]);
        close(pair[1]);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_old_kernel),
        cmocka_unit_test(test_no_tcp),
};
HARNESS_MAIN(tests)
