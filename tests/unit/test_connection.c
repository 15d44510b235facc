// One connection: it is accepted, named and counted by its source. Also what a flush and an
// adoption examine.
#include "net/accept.h"
#include "net/adopt.h"
#include "net/flush.h"
#include "net/listen.h"
#include "net/peer.h"
#include "unit/net_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>

static int open_conf(const struct unit_conf *conf)
{
        const struct net_listen_params params = {.socket = conf->socket, .umask = 022};
        int fd = -1;

        assert_int_equal(net_listen_open(&params, &conf->socket->ports.items[0], &fd, NULL), 0);
        return fd;
}

static void test_accept(void **state)
{
        struct address remote;
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int fd = open_conf(conf);
        CLEANUP(fd) int client = connect_to(fd, SOCK_STREAM);
        int connection = -1, none = -1;

        assert_true(client >= 0);
        assert_int_equal(net_accept(fd, false, &remote, &connection), ACCEPT_OK);
        assert_true(fcntl(connection, F_GETFD) & FD_CLOEXEC);
        assert_false(fcntl(connection, F_GETFL) & O_NONBLOCK); // as a service expects it
        assert_int_equal(net_accept(fd, false, &remote, &none), ACCEPT_NONE);
        fd_close(connection);
        // Something that does not listen is of no use any more.
        CLEANUP(fd) int deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_int_equal(net_accept(deaf, false, &remote, &none), -EINVAL);
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
        assert_int_equal(peer_format_instance(peer, 1, LOG_PEER_FULL, &name_a), 0);
        assert_int_equal(peer_format_instance(&again, 1, LOG_PEER_FULL, &name_b), 0);
        assert_string_equal(name_a, name_b);
        peer_format_text(peer, LOG_PEER_FULL, a);
        peer_format_text(&again, LOG_PEER_FULL, b);
        assert_string_equal(a, b);
        peer_format_local(peer, a);
        peer_format_local(&again, b);
        assert_string_equal(a, b);
}

static void test_tcp_names(void **state)
{
        struct address remote;
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

        assert_int_equal(net_accept(fd, false, &remote, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), 0);
        assert_int_equal(peer_format_instance(&peer, 3, LOG_PEER_FULL, &name), 0);
        CLEANUP(free)
        char *expected = str_printf("3-127.0.0.1:%u-127.0.0.1:%u", port, client_port);
        assert_string_equal(name, expected);
        assert_int_equal(peer_format_remote(&peer, address, remote_port), 1);
        assert_string_equal(address, "127.0.0.1");
        assert_int_equal(atoi(remote_port), client_port);
        peer_format_text(&peer, LOG_PEER_FULL, text);
        assert_non_null(strstr(text, "127.0.0.1:"));
        assert_packs(&peer);
        assert_true(peer_get_key(&peer, &key));
        // Without the port: another connection from there is the same source.
        CLEANUP(fd) int second_client = connect_to(fd, SOCK_STREAM);
        struct peer_key second_key;
        int second = -1;

        assert_true(second_client >= 0);
        assert_int_equal(net_accept(fd, false, &remote, &second), ACCEPT_OK);
        assert_int_equal(peer_info_get(second, NULL, &peer), 0);
        assert_true(peer_get_key(&peer, &second_key));
        assert_int_equal(key.size, second_key.size);
        assert_memory_equal(key.bytes, second_key.bytes, key.size);
        fd_close(second);
        fd_close(connection);
}

static void test_unix_names(void **state)
{
        struct address remote;
        CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF("ListenStream", "@usher-test-peer");
        CLEANUP(fd) int fd = open_conf(conf);
        CLEANUP(fd) int client = connect_to(fd, SOCK_STREAM);
        CLEANUP(free) char *name = NULL, *expected = NULL;
        char address[PEER_TEXT_MAX], port[PEER_TEXT_MAX];
        struct peer_info peer;
        int connection = -1;

        assert_true(client >= 0);
        assert_int_equal(net_accept(fd, false, &remote, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), 0);
        assert_int_equal(peer_format_instance(&peer, 7, LOG_PEER_FULL, &name), 0);
        expected = str_printf("7-%d-%u", (int)getpid(), getuid());
        assert_packs(&peer);
        assert_string_equal(name, expected);
        assert_int_equal(peer_format_remote(&peer, address, port), 0);
        fd_close(connection);
}

static struct address inet(const char *text, unsigned port)
{
        struct address a = {0};

        if (inet_pton(AF_INET, text, &a.addr.in.sin_addr) == 1) {
                a.addr.in.sin_family = AF_INET;
                a.addr.in.sin_port = htons((uint16_t)port);
                a.size = sizeof(a.addr.in);
        } else {
                assert_int_equal(inet_pton(AF_INET6, text, &a.addr.in6.sin6_addr), 1);
                a.addr.in6.sin6_family = AF_INET6;
                a.addr.in6.sin6_port = htons((uint16_t)port);
                a.size = sizeof(a.addr.in6);
        }
        return a;
}

// What stands of a peer in log lines and names; X-LogPeer= in this order: full, masked, none.
struct told {
        const char *text[LOG_PEER_NONE + 1], *instance[LOG_PEER_NONE + 1];
};

static void assert_told(const struct peer_info *peer, const struct told *told)
{
        for (enum log_peer how = LOG_PEER_FULL; how <= LOG_PEER_NONE; how++) {
                CLEANUP(free) char *name = NULL;
                char text[PEER_TEXT_MAX] = "something";

                peer_format_text(peer, how, text);
                assert_string_equal(text, told->text[how]);
                assert_int_equal(peer_format_instance(peer, 3, how, &name), 0);
                assert_string_equal(name, told->instance[how]);
        }
}

static void test_masks(void **state)
{
        static const struct {
                const char *local, *remote;
                struct told told;
        } rows[] = {
                {"192.0.2.1",
                 "198.51.100.77",
                 {{"198.51.100.77:4711", "198.51.100.0", ""},
                  {"3-192.0.2.1:22-198.51.100.77:4711", "3-192.0.2.1:22-198.51.100.0",
                   "3-hidden"}}},
                {"2001:db8::1",
                 "2001:db8:a:b:c:d:e:f",
                 {{"[2001:db8:a:b:c:d:e:f]:4711", "2001:db8:a::", ""},
                  {"3-2001:db8::1:22-2001:db8:a:b:c:d:e:f:4711",
                   "3-2001:db8::1:22-2001:db8:a::", "3-hidden"}}},
                {"::1",
                 "::1",
                 {{"[::1]:4711", "::", ""}, {"3-::1:22-::1:4711", "3-::1:22-::", "3-hidden"}}},
                {"fe80::1",
                 "fe80::1234:5678",
                 {{"[fe80::1234:5678]:4711", "fe80::", ""},
                  {"3-fe80::1:22-fe80::1234:5678:4711", "3-fe80::1:22-fe80::", "3-hidden"}}},
                // IPv4 within IPv6, by a socket for both and by 6to4.
                {"::ffff:192.0.2.1",
                 "::ffff:198.51.100.77",
                 {{"198.51.100.77:4711", "198.51.100.0", ""},
                  {"3-192.0.2.1:22-198.51.100.77:4711", "3-192.0.2.1:22-198.51.100.0",
                   "3-hidden"}}},
                {"2001:db8::1",
                 "2002:c633:644d:1::1",
                 {{"[2002:c633:644d:1::1]:4711", "2002:c633:6400::", ""},
                  {"3-2001:db8::1:22-2002:c633:644d:1::1:4711",
                   "3-2001:db8::1:22-2002:c633:6400::", "3-hidden"}}},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct peer_info peer = {.local = inet(rows[i].local, 22),
                                               .remote = inet(rows[i].remote, 4711)};

                assert_told(&peer, &rows[i].told);
        }
}

static void test_masks_of_local_peers(void **state)
{
        struct peer_info peer = {.cred = {.pid = 42, .uid = 1000}};

        peer.local.addr.un.sun_family = peer.remote.addr.un.sun_family = AF_UNIX;
        peer.local.size = sizeof(peer.local.addr.un);
        peer.remote.size = sizeof(sa_family_t);
        assert_told(&peer, &(struct told){{"PID 42 (UID 1000)", "UID 1000", ""},
                                          {"3-42-1000", "3-1000", "3-hidden"}});
        // The path of the client's own socket is its own choice, and is shown nowhere.
        strcpy(peer.remote.addr.un.sun_path, "/tmp/\033[2J\nusherd: a line");
        peer.remote.size = sizeof(peer.remote.addr.un);
        assert_told(&peer, &(struct told){{"PID 42 (UID 1000)", "UID 1000", ""},
                                          {"3-42-1000", "3-1000", "3-hidden"}});
        peer.cred.pid = 0; // of a pid namespace that is not seen from here
        assert_told(&peer, &(struct told){{"", "", ""}, {"3-unknown", "3-unknown", "3-hidden"}});
}

static void test_masks_of_vsock(void **state)
{
        const struct sockaddr_vm local = {.svm_family = AF_VSOCK, .svm_cid = 2, .svm_port = 22},
                                 remote = {.svm_family = AF_VSOCK, .svm_cid = 3, .svm_port = 4711};
        struct peer_info peer = {.local.size = sizeof(local), .remote.size = sizeof(remote)};

        memcpy(&peer.local.addr, &local, sizeof(local));
        memcpy(&peer.remote.addr, &remote, sizeof(remote));
        assert_told(&peer, &(struct told){{"vsock:3:4711", "vsock", ""},
                                          {"3-2:22-3:4711", "3-2:22-vsock", "3-hidden"}});
}

static void test_peer_is_gone(void **state)
{
        struct address remote;
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int fd = open_conf(conf);
        int client = connect_to(fd, SOCK_STREAM), connection = -1;
        struct linger reset = {.l_onoff = 1};
        char text[PEER_TEXT_MAX];
        struct peer_info peer;

        assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
        fd_close(client);
        assert_int_equal(net_accept(fd, false, &remote, &connection), ACCEPT_OK);
        assert_int_equal(peer_info_get(connection, NULL, &peer), -ENOTCONN);
        // Who it was is known all the same.
        peer = (struct peer_info){.remote = remote};
        peer_format_text(&peer, LOG_PEER_MASKED, text);
        assert_string_equal(text, "127.0.0.0");
        fd_close(connection);
}

static void test_flush(void **state)
{
        struct address remote;
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
        assert_int_equal(net_accept(stream, false, &remote, &none), ACCEPT_NONE);
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
        int r = peer_format_instance(arg, 1, LOG_PEER_FULL, &name);

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
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_tcp_names),
        cmocka_unit_test(test_unix_names),
        cmocka_unit_test(test_peer_is_gone),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_adopt),
        cmocka_unit_test(test_oom),
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_masks_of_local_peers),
        cmocka_unit_test(test_masks_of_vsock),
};
HARNESS_MAIN(tests)
