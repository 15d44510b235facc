// Directive, value, and what getsockopt(2) gives afterwards, on a listener and on a connection: one
// row for each way in which options are set. tests/system/sockopts.t.py has a row for each option.
#include "net/sockopt.h"

#include "net/listen.h"
#include "unit/net_fixture.h"

#include <netinet/ip.h>
#include <netinet/tcp.h>

enum where { LISTENER = 1, CONNECTION = 2, BOTH = 3 };

static const struct {
        const char *listen, *key, *value;
        int level, option, expected; // expected -1: not less than twice the value of 8192
        enum where where;
} rows[] = {
        {"tcp", "KeepAlive", "yes", SOL_SOCKET, SO_KEEPALIVE, 1, BOTH},
        {"tcp", "KeepAliveTimeSec", "77", IPPROTO_TCP, TCP_KEEPIDLE, 77, BOTH},
        {"tcp", "IPTTL", "7", IPPROTO_IP, IP_TTL, 7, BOTH},
        {"tcp", "ReceiveBuffer", "8192", SOL_SOCKET, SO_RCVBUF, -1, BOTH},
        {"tcp", "SendBuffer", "8192", SOL_SOCKET, SO_SNDBUF, -1, BOTH},
        {"tcp", "TCPCongestion", "reno", IPPROTO_TCP, TCP_CONGESTION, 0, BOTH},
        {"tcp", "DeferAcceptSec", "3", IPPROTO_TCP, TCP_DEFER_ACCEPT, 3, LISTENER},
        {"tcp", "ReusePort", "yes", SOL_SOCKET, SO_REUSEPORT, 1, LISTENER},
        {"tcp", "FreeBind", "yes", IPPROTO_IP, IP_FREEBIND, 1, LISTENER},
        {"udp", "Timestamping", "us", SOL_SOCKET, SO_TIMESTAMP, 1, LISTENER},
        {"unix", "PassCredentials", "yes", SOL_SOCKET, SO_PASSCRED, 1, BOTH},
};

static void on_failure(const struct net_sockopt_failure *f, void *data)
{
        buf_printf(data, "%s: %s;", f->directive, strerror(f->error));
}

static int option_of(int fd, size_t row)
{
        char name[32] = "";
        int value = -1;
        socklen_t size = rows[row].option == TCP_CONGESTION && rows[row].level == IPPROTO_TCP
                                 ? sizeof(name)
                                 : sizeof(value);
        bool is_name = size == sizeof(name);

        if (getsockopt(fd, rows[row].level, rows[row].option, is_name ? (void *)name : &value,
                       &size) < 0)
                return -errno;
        return is_name ? strcmp(name, rows[row].value) : value;
}

static void assert_option(int fd, size_t row, const char *where)
{
        int value = option_of(fd, row);

        // A time is kept in steps of retransmissions: not less than what was asked for.
        bool is_right = rows[row].expected == -1                 ? value >= 2 * 8192
                        : streq(rows[row].key, "DeferAcceptSec") ? value >= rows[row].expected
                                                                 : value == rows[row].expected;

        if (!is_right)
                fail_msg("%s=%s: %d on the %s", rows[row].key, rows[row].value, value, where);
}

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                bool is_udp = streq(rows[i].listen, "udp");
                int type = is_udp ? SOCK_DGRAM : SOCK_STREAM, fd = -1;
                CLEANUP(free)
                char *address = streq(rows[i].listen, "unix") ? strdup("@usher-test-sockopt")
                                                              : strdup(loopback(free_port(type)));
                CLEANUP(unit_conf)
                struct unit_conf *conf = SOCKET_CONF(is_udp ? "ListenDatagram" : "ListenStream",
                                                     address, rows[i].key, rows[i].value);
                const struct port *port = &conf->socket->ports.items[0];
                const struct net_listen_params params = {.socket = conf->socket, .umask = 022};
                CLEANUP(buf) struct buf failures = BUF_NULL;

                assert_int_equal(net_listen_open(&params, port, &fd, NULL), 0);
                net_sockopt_apply(fd, port, conf->socket, false, on_failure, &failures);
                assert_string_equal(buf_text(&failures), "");
                if (rows[i].where & LISTENER)
                        assert_option(fd, i, "listener");
                if (rows[i].where & CONNECTION) {
                        CLEANUP(fd) int client = connect_to(fd, type);
                        CLEANUP(fd) int connection = accept(fd, NULL, NULL);

                        assert_true(client >= 0 && connection >= 0);
                        net_sockopt_apply(connection, port, conf->socket, true, on_failure,
                                          &failures);
                        assert_string_equal(buf_text(&failures), "");
                        assert_option(connection, i, "connection");
                }
                fd_close(fd);
        }
}

// Nothing is asked for: nothing is touched.
static void test_defaults(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int plain = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const struct port *port = &conf->socket->ports.items[0];
        const struct net_listen_params params = {.socket = conf->socket, .umask = 022};
        int fd = -1;

        assert_int_equal(net_listen_open(&params, port, &fd, NULL), 0);
        net_sockopt_apply(fd, port, conf->socket, false, NULL, NULL);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (streq(rows[i].listen, "tcp") && rows[i].option != TCP_CONGESTION)
                        assert_int_equal(option_of(fd, i), option_of(plain, i));
        fd_close(fd);
}

// A failing option is reported by its directive; the others are set.
static void test_failure(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *conf =
                SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)), "TCPCongestion",
                            "nosuchone", "KeepAlive", "yes", "IPTTL", "9");
        CLEANUP(fd) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CLEANUP(buf) struct buf failures = BUF_NULL;
        int value = 0;
        socklen_t size = sizeof(value);

        net_sockopt_apply(fd, &conf->socket->ports.items[0], conf->socket, false, on_failure,
                          &failures);
        assert_string_equal(buf_text(&failures), "TCPCongestion: No such file or directory;");
        assert_int_equal(getsockopt(fd, IPPROTO_IP, IP_TTL, &value, &size), 0);
        assert_int_equal(value, 9);
        assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size), 0);
        assert_int_equal(value, 1);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_failure),
};
HARNESS_MAIN(tests)
