// Each kind of port is opened: the type of the descriptor, the node in the file system, and what is
// refused.
#include "net/listen.h"

#include "unit/net_fixture.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/stat.h>

static char dir[64];

static int setup(void **state)
{
        strcpy(dir, "/tmp/usher-listen-XXXXXX");
        return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
        return fs_remove_tree(dir);
}

static const char *in_dir(const char *name)
{
        static char paths[4][128];
        static unsigned next;
        char *path = paths[next++ % 4];

        snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
        return path;
}

static int open_port(const struct unit_conf *conf, bool blindly, struct fail *why)
{
        const struct net_listen_params params = {
                .socket = conf->socket, .umask = 022, .unlink_blindly = blindly};
        int fd = -1, r;

        assert_int_equal(conf->socket->ports.n, 1);
        r = net_listen_open(&params, &conf->socket->ports.items[0], &fd, why);
        return r < 0 ? r : fd;
}

static int get_option(int fd, int option)
{
        int value = -1;
        socklen_t size = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -errno : value;
}

// What every descriptor has.
static void assert_listener(int fd, int type, bool accepts)
{
        assert_true(fd >= FD_LOW_WINDOW);
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        if (type == 0)
                return;
        assert_int_equal(get_option(fd, SO_TYPE), type);
        assert_int_equal(get_option(fd, SO_ACCEPTCONN), accepts);
}

static const struct {
        const char *key, *value; // "/": below the test's folder; "PORT": a free one is put there
        int type;
        bool accepts;
        mode_t mode; // of the node; 0: there is none
} rows[] = {
        {"ListenStream", "127.0.0.1:PORT", SOCK_STREAM, true, 0},
        {"ListenStream", "PORT", SOCK_STREAM, true, 0},
        {"ListenStream", "[::1]:PORT", SOCK_STREAM, true, 0},
        {"ListenDatagram", "127.0.0.1:PORT", SOCK_DGRAM, false, 0},
        {"ListenDatagram", "PORT", SOCK_DGRAM, false, 0},
        {"ListenStream", "/s", SOCK_STREAM, true, S_IFSOCK | 0666},
        {"ListenDatagram", "/d", SOCK_DGRAM, false, S_IFSOCK | 0666},
        {"ListenSequentialPacket", "/q", SOCK_SEQPACKET, true, S_IFSOCK | 0666},
        {"ListenStream", "/deep/er/s", SOCK_STREAM, true, S_IFSOCK | 0666},
        {"ListenStream", "@usher-test-listen", SOCK_STREAM, true, 0},
        {"ListenFIFO", "/f", 0, false, S_IFIFO | 0644}, // less the supervisor's umask,
        {"ListenNetlink", "kobject-uevent 1", SOCK_RAW, false, 0},
};

static void fill_in(const char *value, int type, char *ret, size_t size)
{
        const char *port = strstr(value, "PORT");

        if (value[0] == '/')
                snprintf(ret, size, "%s%s", dir, value);
        else if (port)
                snprintf(ret, size, "%.*s%u", (int)(port - value), value, free_port(type));
        else
                snprintf(ret, size, "%s", value);
}

static void test_kinds(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char value[128], text[512];
                struct fail why = {0};
                struct stat st;

                fill_in(rows[i].value, rows[i].type, value, sizeof(value));
                if (value[0] == '[' && !address_has_ipv6())
                        continue;
                CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF(rows[i].key, value);
                CLEANUP(fd) int fd = open_port(conf, false, &why);

                if (fd < 0)
                        fail_msg("%s=%s: %s", rows[i].key, value,
                                 fail_format(&why, text, sizeof(text)));
                assert_listener(fd, rows[i].type, rows[i].accepts);
                if (rows[i].type == SOCK_STREAM)
                        assert_true(get_option(fd, SO_REUSEADDR) > 0);
                if (rows[i].mode) {
                        assert_int_equal(stat(value, &st), 0);
                        assert_int_equal(st.st_mode, rows[i].mode);
                        net_port_unlink(&conf->socket->ports.items[0]);
                        assert_int_equal(stat(value, &st), -1);
                }
        }
}

static void test_modes(void **state)
{
        struct stat st;
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", in_dir("a/b/s"), "SocketMode", "0640",
                                             "DirectoryMode", "0711");
        CLEANUP(fd) int fd = open_port(conf, false, NULL);

        assert_true(fd >= 0);
        assert_int_equal(stat(in_dir("a/b/s"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(stat(in_dir("a/b"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
        assert_int_equal(stat(in_dir("a"), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0711);
}

static void test_dual_stack(void **state)
{
        static const struct {
                const char *value;
                bool takes_ipv4;
        } only[] = {{"both", true}, {"ipv6-only", false}};

        if (!address_has_ipv6())
                skip();
        for (size_t i = 0; i < ARRAY_SIZE(only); i++) {
                unsigned port = free_port(SOCK_STREAM);
                CLEANUP(free) char *address = str_printf("[::]:%u", port);
                CLEANUP(unit_conf)
                struct unit_conf *conf =
                        SOCKET_CONF("ListenStream", address, "BindIPv6Only", only[i].value);
                CLEANUP(fd) int fd = open_port(conf, false, NULL);
                CLEANUP(fd) int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                struct sockaddr_in in = {.sin_family = AF_INET,
                                         .sin_port = htons((uint16_t)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

                assert_true(fd >= 0);
                assert_int_equal(connect(client, (struct sockaddr *)&in, sizeof(in)) == 0,
                                 only[i].takes_ipv4);
        }
}

// ---- what is in the way

static void assert_refused(int r, int error, const struct fail *why, const char *word)
{
        char text[512] = "";

        if (r < 0)
                fail_format(why, text, sizeof(text));
        if (r != error || !strstr(text, word))
                fail_msg("%d: %s", r, text);
}

static void test_port_in_use(void **state)
{
        CLEANUP(unit_conf)
        struct unit_conf *conf = SOCKET_CONF("ListenStream", loopback(free_port(SOCK_STREAM)));
        CLEANUP(fd) int first = open_port(conf, false, NULL);
        struct fail why = {0};
        CLEANUP(free) char *pid = str_printf("process %d", (int)getpid());

        assert_true(first >= 0);
        assert_refused(open_port(conf, false, &why), -EADDRINUSE, &why, pid); // who has it
        CLEANUP(unit_conf)
        struct unit_conf *abstract = SOCKET_CONF("ListenStream", "@usher-test-x");
        CLEANUP(fd) int other = open_port(abstract, false, NULL);
        assert_true(other >= 0);
        assert_refused(open_port(abstract, false, &why), -EADDRINUSE, &why, "@usher-test-x");
}

static void test_nodes(void **state)
{
        CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF("ListenStream", in_dir("s"));
        struct fail why = {0};
        int first = open_port(conf, false, NULL);

        // Somebody listens there: he keeps it, unless it is to be as with systemd.
        assert_true(first >= 0);
        assert_refused(open_port(conf, false, &why), -EADDRINUSE, &why, in_dir("s"));
        int second = open_port(conf, true, NULL);
        assert_true(second >= 0);
        fd_close(first);
        fd_close(second);
        // Nobody does any more: a leftover.
        int third = open_port(conf, false, NULL);
        assert_true(third >= 0);
        fd_close(third);
        assert_int_equal(unlink(in_dir("s")), 0);
        // What is no socket is never taken away.
        assert_int_equal(fs_write_file_atomic(in_dir("s"), "mine", 0644), 0);
        assert_refused(open_port(conf, false, &why), -EEXIST, &why, "not a socket");
        assert_int_equal(unlink(in_dir("s")), 0);
        assert_int_equal(mkdir(in_dir("s"), 0755), 0);
        assert_refused(open_port(conf, false, &why), -EISDIR, &why, "not a socket");
        assert_int_equal(rmdir(in_dir("s")), 0);
}

static void test_files_in_the_way(void **state)
{
        CLEANUP(unit_conf) struct unit_conf *fifo = SOCKET_CONF("ListenFIFO", in_dir("f"));
        CLEANUP(unit_conf) struct unit_conf *special = SOCKET_CONF("ListenSpecial", in_dir("none"));
        struct fail why = {0};

        assert_int_equal(fs_write_file_atomic(in_dir("f"), "mine", 0644), 0);
        assert_true(open_port(fifo, false, &why) < 0);
        assert_true(open_port(special, false, &why) < 0);
        CLEANUP(unit_conf) struct unit_conf *null = SOCKET_CONF("ListenSpecial", "/dev/null");
        CLEANUP(fd) int fd = open_port(null, false, NULL);
        assert_listener(fd, 0, false);
}

static void test_no_such_address(void **state)
{
        CLEANUP(unit_conf) struct unit_conf *conf = SOCKET_CONF("ListenStream", "192.0.2.1:7999");
        struct fail why = {0};

        assert_refused(open_port(conf, false, &why), -EADDRNOTAVAIL, &why, "192.0.2.1:7999");
        CLEANUP(unit_conf)
        struct unit_conf *device =
                SOCKET_CONF("ListenStream", "127.0.0.1:7999", "BindToDevice", "nosuchif0");
        assert_true(open_port(device, false, &why) < 0);
}

static void test_symlinks(void **state)
{
        CLEANUP(free) char *both = str_printf("%s %s", in_dir("one"), in_dir("two"));
        CLEANUP(unit_conf)
        struct unit_conf *conf =
                SOCKET_CONF("ListenStream", in_dir("s"), "Symlinks", both, "RemoveOnStop", "yes");
        const struct net_listen_params params = {.socket = conf->socket, .umask = 022};
        CLEANUP(free) char *target = NULL;
        struct fail why = {0};
        struct stat st;

        assert_int_equal(net_symlinks_make(&params, &why), 0);
        assert_int_equal(net_symlinks_make(&params, &why), 0); // they are right already
        assert_int_equal(fs_readlink(in_dir("two"), &target), 0);
        assert_string_equal(target, in_dir("s"));
        net_symlinks_remove(conf->socket);
        assert_int_equal(lstat(in_dir("one"), &st), -1);
        // A file that is no link stays; the other link is made all the same.
        assert_int_equal(fs_write_file_atomic(in_dir("one"), "mine", 0644), 0);
        assert_true(net_symlinks_make(&params, &why) < 0);
        assert_int_equal(lstat(in_dir("two"), &st), 0);
        assert_int_equal(lstat(in_dir("one"), &st), 0);
        assert_true(S_ISREG(st.st_mode));
}

#define DIR_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
        DIR_TEST(test_kinds),           DIR_TEST(test_modes),    DIR_TEST(test_dual_stack),
        DIR_TEST(test_port_in_use),     DIR_TEST(test_nodes),    DIR_TEST(test_files_in_the_way),
        DIR_TEST(test_no_such_address), DIR_TEST(test_symlinks),
};
HARNESS_MAIN(tests)
