// How changes by other processes to a listener are detected, in its descriptor and in the file
// system.
#include "net/look.h"

#include "base/mounts.h"
#include "net/listen.h"
#include "unit/net_fixture.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <sys/stat.h>

static char dir[32];

struct opened {
        struct unit_conf *conf;
        const struct port *port;
        struct net_node node;
        int fd;
};

static void open_one(const char *directive, const char *address, struct opened *ret)
{
        const char *const lines[] = {directive, address, NULL};
        struct fail why = {0};
        char text[512];

        ret->conf = socket_conf(lines);
        ret->port = &ret->conf->socket->ports.items[0];
        const struct net_listen_params params = {.socket = ret->conf->socket};

        if (net_listen_open(&params, ret->port, &ret->fd, &why) < 0)
                fail_msg("%s: %s", address, fail_format(&why, text, sizeof(text)));
        net_node_get(ret->fd, ret->port, &ret->node);
}

static void close_one(struct opened *o)
{
        fd_close(o->fd);
        unit_conf_unref(o->conf);
}

static const char *path_of(const char *name)
{
        static char path[64];

        snprintf(path, sizeof(path), "%s/%s", dir, name);
        return path;
}

static enum net_look look(const struct opened *o)
{
        return net_look(o->fd, o->port, &o->node);
}

static void test_shut(void **state)
{
        static const struct {
                const char *directive, *name; // NULL: a port of 127.0.0.1
        } rows[] = {
                {"ListenStream", NULL},     {"ListenDatagram", NULL},
                {"ListenStream", "stream"}, {"ListenSequentialPacket", "packet"},
                {"ListenDatagram", "data"},
        };
        static const int ways[] = {SHUT_RD, SHUT_RDWR};

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                for (size_t way = 0; way < ARRAY_SIZE(ways); way++) {
                        bool is_datagram = streq(rows[i].directive, "ListenDatagram");
                        unsigned port = free_port(is_datagram ? SOCK_DGRAM : SOCK_STREAM);
                        struct opened o;

                        open_one(rows[i].directive,
                                 rows[i].name ? path_of(rows[i].name) : loopback(port), &o);
                        assert_int_equal(look(&o), NET_LOOK_FINE);
                        (void)shutdown(o.fd, ways[way]); // ENOTCONN, and yet done
                        assert_int_equal(look(&o), NET_LOOK_SHUT);
                        net_node_remove(o.port, &o.node);
                        close_one(&o);
                }
}

static void test_connected(void **state)
{
        struct sockaddr_in peer = {.sin_family = AF_INET,
                                   .sin_port = htons(9),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        static const char *const hosts[] = {"127.0.0.1", "0.0.0.0"};

        for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
                char address[32];
                struct opened o;

                snprintf(address, sizeof(address), "%s:%u", hosts[i], free_port(SOCK_DGRAM));
                open_one("ListenDatagram", address, &o);
                assert_int_equal(connect(o.fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
                assert_int_equal(look(&o), NET_LOOK_CONNECTED);
                assert_int_equal(net_dissolve(o.fd, o.port, o.conf->socket), 0);
                assert_int_equal(look(&o), NET_LOOK_FINE);
                close_one(&o);
        }
}

static void test_nodes(void **state)
{
        static const char *const directives[] = {"ListenStream", "ListenFIFO"};

        for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
                CLEANUP(free)
                char *path = strdup(path_of("node")), *other = strdup(path_of("other"));
                struct stat st;
                struct opened o;

                open_one(directives[i], path, &o);
                assert_int_equal(look(&o), NET_LOOK_FINE);
                assert_int_equal(rename(path, other), 0);
                assert_int_equal(look(&o), NET_LOOK_NODE_GONE);
                assert_int_equal(mkfifo(path, 0600), 0);
                assert_int_equal(look(&o), NET_LOOK_NODE_TAKEN);
                net_node_remove(o.port, &o.node); // not its own
                assert_int_equal(stat(path, &st), 0);
                assert_int_equal(rename(other, path), 0);
                assert_int_equal(look(&o), NET_LOOK_FINE);
                net_node_remove(o.port, &o.node);
                assert_int_equal(look(&o), NET_LOOK_NODE_GONE);
                close_one(&o);
        }
}

// Its folder is gone, or a link leads to it.
static void test_folders(void **state)
{
        CLEANUP(free) char *folder = strdup(path_of("folder")), *link = strdup(path_of("link"));
        CLEANUP(free) char *path = str_printf("%s/s", link);
        struct opened o;

        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(symlink("folder", link), 0);
        open_one("ListenStream", path, &o);
        assert_int_equal(look(&o), NET_LOOK_FINE);
        assert_int_equal(unlink(link), 0);
        assert_int_equal(look(&o), NET_LOOK_NODE_GONE);
        assert_int_equal(fs_remove_tree(folder), 0);
        assert_int_equal(look(&o), NET_LOOK_NODE_GONE);
        close_one(&o);
}

static void test_restore(void **state)
{
        struct sock_filter nothing[] = {{.code = BPF_RET | BPF_K, .k = 0}};
        const struct sock_fprog filter = {.len = 1, .filter = nothing};
        int one = 1;
        struct opened o;

        open_one("ListenDatagram", loopback(free_port(SOCK_DGRAM)), &o);
        assert_int_equal(fd_set_nonblock(o.fd, false), 0);
        assert_int_equal(setsockopt(o.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
                         0);
        assert_int_equal(setsockopt(o.fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
        assert_int_equal(net_restore(o.fd, o.port, o.conf->socket), 0);
        assert_true(fcntl(o.fd, F_GETFL) & O_NONBLOCK);
        int value = -1;
        socklen_t size = sizeof(value);

        assert_int_equal(getsockopt(o.fd, SOL_SOCKET, SO_BROADCAST, &value, &size), 0);
        assert_int_equal(value, 0);
        CLEANUP(fd) int client = connect_to(o.fd, SOCK_DGRAM);
        char c;

        assert_int_equal(send(client, "x", 1, 0), 1);
        assert_int_equal(recv(o.fd, &c, 1, 0), 1);
        // One that is locked stays.
        assert_int_equal(setsockopt(o.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)),
                         0);
        assert_int_equal(setsockopt(o.fd, SOL_SOCKET, SO_LOCK_FILTER, &one, sizeof(one)), 0);
        assert_int_equal(net_restore(o.fd, o.port, o.conf->socket), -EPERM);
        close_one(&o);
}

// listen(2) with another length of the queue.
static void test_backlog(void **state)
{
        int clients[4];
        struct opened o;

        open_one("ListenStream", path_of("backlog"), &o);
        assert_int_equal(listen(o.fd, 0), 0);
        assert_int_equal(net_restore(o.fd, o.port, o.conf->socket), 0);
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                clients[i] = connect_to(o.fd, SOCK_STREAM); // asserts that it does not wait
        for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
                fd_close(clients[i]);
        close_one(&o);
}

static int set_up(void **state)
{
        strcpy(dir, "/tmp/usher-look-XXXXXX");
        return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
        mounts_done();
        return fs_remove_tree(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static const struct CMUnitTest tests[] = {
        TEST(test_shut),    TEST(test_connected), TEST(test_nodes),
        TEST(test_folders), TEST(test_restore),   TEST(test_backlog),
};
HARNESS_MAIN(tests)
