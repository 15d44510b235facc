// One connection: taken, named, counted by its source; and what a flush and an adoption look at.
#include "net/accept.h"
#include "net/adopt.h"
#include "net/flush.h"
#include "net/listen.h"
#include "net/peer.h"
#include "unit/net_fixture.h"

#include <fcntl.h>

static int open_conf(const struct unit_conf *conf)
{
        const struct net_listen_params params = {.socket = conf->socket, .umask = 022};
        int fd = -1;

        assert_int_equal(net_listen_open(&params, &conf->socket->ports.items[0], &fd, NULL), 0);
        return fd;
}

static void test_accept(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int fd = open_conf(conf);
        CLEANUP(fd) int client = connect_to(fd, SOCK_STREAM);
        int connection = -1, none = -1;

        assert_true(client >= 0);
        assert_int_equal(net_accept(fd, &connection), ACCEPT_OK);
        assert_true(fcntl(connection, F_GETFD) & FD_CLOEXEC);
        assert_false(fcntl(connection, F_GETFL) & O_NONBLOCK); // as a service expects it
        assert_int_equal(net_accept(fd, &none), ACCEPT_NONE);
        fd_close(connection);
        // Something that does not listen is of no use any more.
        CLEANUP(fd) int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(net_accept(deaf, &none), -EINVAL);
}

// Names as systemd v255 makes them.
// What is kept of a peer says the same as what was asked.
static void assert_packs(const struct peer_info *peer)
{
        char packed[512], a[PEER_TEXT_MAX], b[PEER_TEXT_MAX];
        CLEANUP(free) char *name_a = NULL, *name_b = NULL;
        struct peer_info again;

        assert_true(peer_packed_size(peer) <= sizeof(packed));
        peer_pack(peer, packed);
        peer_unpack(packed, &again);
        assert_int_equal(peer_format_instance(peer, 1, &name_a), 0);
        assert_int_equal(peer_format_instance(&again, 1, &name_b), 0);
        assert_string_equal(name_a, name_b);
        peer_format_text(peer, a);
        peer_format_text(&again, b);
        assert_string_equal(a, b);
        peer_format_local(peer, a);
        peer_format_local(&again, b);
        assert_string_equal(a, b);
}

static void test_tcp_names(void **state)
{
        unsigned port = free_port(SOCK_STREAM);
        CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(port));
        CLEANUP(fd) int fd = open_conf(conf);
        CLEANUP(fd) int client = connect_to(fd, SOCK_STREAM);
        struct sockaddr_in own;
        socklen_t size = sizeof(own);
        char address[PEER_TEXT_MAX], remote_port[PEER_TEXT_MAX], text[PEER_TEXT_MAX];
        struct peer_info peer;
        struct peer_key key;
        CLEANUP(free) char *name = NULL;
        int connection = -1;

        assert_int_equal(getsockname(client, (struct sockaddr *)&own, &size), 0);
        unsigned client_port = ntohs(own.sin_port);

        assert_int_equal(net_accept(fd, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), 0);
        assert_int_equal(peer_format_instance(&peer, 3, &name), 0);
        CLEANUP(free)
        char *expected = str_printf("3-127.0.0.1:%u-127.0.0.1:%u", port, client_port);
        assert_string_equal(name, expected);
        assert_int_equal(peer_format_remote(&peer, address, remote_port), 1);
        assert_string_equal(address, "127.0.0.1");
        assert_int_equal(atoi(remote_port), client_port);
        peer_format_text(&peer, text);
        assert_non_null(strstr(text, "127.0.0.1:"));
        assert_packs(&peer);
        assert_true(peer_get_key(&peer, &key));
        // Without the port: another connection from there is the same source.
        CLEANUP(fd) int second_client = connect_to(fd, SOCK_STREAM);
        struct peer_key second_key;
        int second = -1;

        assert_true(second_client >= 0);
        assert_int_equal(net_accept(fd, &second), ACCEPT_OK);
        assert_int_equal(peer_info_get(second, NULL, &peer), 0);
        assert_true(peer_get_key(&peer, &second_key));
        assert_int_equal(key.size, second_key.size);
        assert_memory_equal(key.bytes, second_key.bytes, key.size);
        fd_close(second);
        fd_close(connection);
}

static void test_unix_names(void **state)
{
        CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF("ListenStream", "@usher-test-peer");
        CLEANUP(fd) int fd = open_conf(conf);
        CLEANUP(fd) int client = connect_to(fd, SOCK_STREAM);
        CLEANUP(free) char *name = NULL, *expected = NULL;
        char address[PEER_TEXT_MAX], port[PEER_TEXT_MAX];
        struct peer_info peer;
        int connection = -1;

        assert_true(client >= 0);
        assert_int_equal(net_accept(fd, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), 0);
        assert_int_equal(peer_format_instance(&peer, 7, &name), 0);
        expected = str_printf("7-%d-%u", (int)getpid(), getuid());
        assert_packs(&peer);
        assert_string_equal(name, expected);
        assert_int_equal(peer_format_remote(&peer, address, port), 0);
        fd_close(connection);
}

static void test_peer_is_gone(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int fd = open_conf(conf);
        int client = connect_to(fd, SOCK_STREAM), connection = -1;
        struct linger reset = {.l_onoff = 1};
        struct peer_info peer;

        assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        fd_close(client);
        assert_int_equal(net_accept(fd, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), -ENOTCONN);
        fd_close(connection);
}

static void test_flush(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *udp = SOCKET_CONF("ListenDatagram", loopback(free_port(SOCK_DGRAM)));
        CLEANUP(unit_conf)
        struct unit_conf *tcp = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int datagrams = open_conf(udp);
        CLEANUP(fd) int stream = open_conf(tcp);
        CLEANUP(fd) int sender = connect_to(datagrams, SOCK_DGRAM);
        CLEANUP(fd) int client = connect_to(stream, SOCK_STREAM);
        char byte;
        int none = -1;

        assert_true(client >= 0);
        for (int i = 0; i < 5; i++)
                assert_int_equal(send(sender, "x", 1, 0), 1);
        net_flush(datagrams, &udp->socket->ports.items[0]);
        assert_int_equal(recv(datagrams, &byte, 1, MSG_DONTWAIT), -1);
        net_flush(stream, &tcp->socket->ports.items[0]);
        assert_int_equal(net_accept(stream, &none), ACCEPT_NONE);
        assert_int_equal(recv(client, &byte, 1, 0), 0); // the client sees that it is over
}

static void test_adopt(void **state)
{
        unsigned port = free_port(SOCK_STREAM);
        CLEANUP(unit_conf) struct unit_conf *same = SOCKET_CONF("ListenStream", loopback(port));
        CLEANUP(unit_conf)
        struct unit_conf *datagram = SOCKET_CONF("ListenDatagram", loopback(port));
        CLEANUP(unit_conf)
        struct unit_conf *other = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(unit_conf)
        struct unit_conf *node = SOCKET_CONF("ListenStream", "/nonexistent/usher-test");
        CLEANUP(fd) int fd = open_conf(same);
        CLEANUP(fd) int unbound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CLEANUP(fd) int file = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(net_adopt_fits(fd, &same->socket->ports.items[0], same->socket));
        assert_false(net_adopt_fits(fd, &datagram->socket->ports.items[0], datagram->socket));
        assert_false(net_adopt_fits(fd, &other->socket->ports.items[0], other->socket));
        assert_false(net_adopt_fits(fd, &node->socket->ports.items[0], node->socket));
        assert_false(net_adopt_fits(unbound, &same->socket->ports.items[0], same->socket));
        assert_false(net_adopt_fits(file, &same->socket->ports.items[0], same->socket));
}

static int name_once(void *arg)
{
        char *name = NULL;
        int r = peer_format_instance(arg, 1, &name);

        free(name);
        return r;
}

static void test_oom(void **state)
{
        struct peer_info peer = {.local.addr.sa.sa_family = AF_INET,
                                 .local.size = sizeof(struct sockaddr_in),
                                 .remote.addr.sa.sa_family = AF_INET,
                                 .remote.size = sizeof(struct sockaddr_in)};

        oom_prove(name_once, &peer);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),     cmocka_unit_test(test_tcp_names),
        cmocka_unit_test(test_unix_names), cmocka_unit_test(test_peer_is_gone),
        cmocka_unit_test(test_flush),      cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
