#include "conf/address.h"

#include "base/str.h"
#include "unit/harness.h"

#include <sys/socket.h>

// Each row: the text, its type, and the error or the address as systemd prints it.
static const struct {
        const char *text;
        int type, error;
        const char *printed;
} rows[] = {
        {"127.0.0.1:80", SOCK_STREAM, 0, "127.0.0.1:80"},
        {"0.0.0.0:1", SOCK_DGRAM, 0, "0.0.0.0:1"},
        {"255.255.255.255:65535", SOCK_DGRAM, 0, "255.255.255.255:65535"},
        {"[::1]:80", SOCK_STREAM, 0, "[::1]:80"},
        {"[0:0:0:0:0:0:0:1]:80", SOCK_STREAM, 0, "[::1]:80"},
        {"[::ffff:1.2.3.4]:80", SOCK_STREAM, 0, "[::ffff:1.2.3.4]:80"},
        {"[fe80::1%lo]:80", SOCK_STREAM, 0, "[fe80::1]:80%lo"},
        {"[fe80::1]:80%lo", SOCK_STREAM, 0, "[fe80::1]:80%lo"},
        {"[fe80::1]:80%1", SOCK_STREAM, 0, "[fe80::1]:80%lo"},
        {"/run/x.sock", SOCK_STREAM, 0, "/run/x.sock"},
        {"/run/x.sock", SOCK_DGRAM, 0, "/run/x.sock"},
        {"/run/x.sock", SOCK_SEQPACKET, 0, "/run/x.sock"},
        {"@name", SOCK_STREAM, 0, "@name"},
        {"vsock:2:80", SOCK_STREAM, 0, "vsock:2:80"},
        {"vsock::80", SOCK_STREAM, 0, "vsock::80"},
        // Numbers as systemd 252 reads them.
        {"127.0.0.1:0x50", SOCK_STREAM, 0, "127.0.0.1:80"},
        {"127.0.0.1:+80", SOCK_STREAM, 0, "127.0.0.1:80"},
        {"127.0.0.1:0100", SOCK_STREAM, 0, "127.0.0.1:64"},
        {"[::1]:0b1010000", SOCK_STREAM, 0, "[::1]:80"},
        {"vsock:2:0x50", SOCK_STREAM, 0, "vsock:2:80"},

        {"", SOCK_STREAM, -EINVAL, NULL},
        {"0", SOCK_STREAM, -EINVAL, NULL},
        {"65536", SOCK_STREAM, -EINVAL, NULL},
        {"-1", SOCK_STREAM, -EINVAL, NULL},
        {"http", SOCK_STREAM, -EINVAL, NULL},
        {"08080", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:080", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1: 80", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:-80", SOCK_STREAM, -EINVAL, NULL},
        {"localhost:80", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:0", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:99999", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.256:80", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:80x", SOCK_STREAM, -EINVAL, NULL},
        {"[::1]", SOCK_STREAM, -EINVAL, NULL},
        {"[::1:80", SOCK_STREAM, -EINVAL, NULL},
        {"[::g]:80", SOCK_STREAM, -EINVAL, NULL},
        {"::1:80", SOCK_STREAM, -EINVAL, NULL},
        {"[fe80::1]:80%nosuchif", SOCK_STREAM, -ENODEV, NULL},
        {"vsock:80", SOCK_STREAM, -EINVAL, NULL},
        {"vsock:x:80", SOCK_STREAM, -EINVAL, NULL},
        {"127.0.0.1:80", SOCK_SEQPACKET, -EPROTOTYPE, NULL},
        {"relative/path", SOCK_STREAM, -EINVAL, NULL},
        {"@", SOCK_STREAM, -EINVAL, NULL},
};

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct port port = {0}, again = {0}, copy = {0};
                int r = address_parse(rows[i].text, rows[i].type, &port);

                if (r == -EAFNOSUPPORT) // a kernel without IPv6 or vsock
                        continue;
                if (r != rows[i].error)
                        fail_msg("%s: %d, not %d", rows[i].text, r, rows[i].error);
                if (r < 0) {
                        assert_true(strlen(address_error(r)) > 10);
                        continue;
                }
                CLEANUP(free) char *printed = address_format(&port.address, 0);

                assert_string_equal(port.text, rows[i].printed);
                assert_string_equal(printed, rows[i].printed);
                assert_int_equal(port.type, rows[i].type);
                assert_int_equal(port.path != NULL, rows[i].printed[0] == '/');
                // What is printed means the same.
                assert_int_equal(address_parse(printed, rows[i].type, &again), 0);
                assert_true(address_equal(&port.address, &again.address));
                assert_true(port_equal(&port, &again));
                assert_int_equal(port_copy(&port, &copy), 0);
                assert_true(port_equal(&port, &copy));
                port_done(&copy);
                port_done(&again);
                port_done(&port);
        }
}

// A bare number: all addresses, IPv6 where the kernel has it.
static void test_port_only(void **state)
{
        struct port port = {0}, other = {0};

        assert_int_equal(address_parse("80", SOCK_STREAM, &port), 0);
        assert_true(port.address.port_only);
        assert_string_equal(port.text, address_has_ipv6() ? "[::]:80" : "0.0.0.0:80");
        assert_string_equal(port_type_name(&port), "Stream");
        assert_int_equal(address_parse("81", SOCK_STREAM, &other), 0);
        assert_false(address_equal(&port.address, &other.address));
        assert_false(port_equal(&port, &other));
        port_done(&port);
        port_done(&other);
}

static void test_long_paths(void **state)
{
        char path[200];
        struct port port = {0};

        memset(path, 'x', sizeof(path));
        path[0] = '/';
        path[107] = '\0'; // as long as sun_path is, with its NUL
        assert_int_equal(address_parse(path, SOCK_STREAM, &port), 0);
        port_done(&port);
        path[107] = 'x';
        path[sizeof(path) - 1] = '\0';
        assert_int_equal(address_parse(path, SOCK_STREAM, &port), -ENAMETOOLONG);
        path[0] = '@';
        assert_int_equal(address_parse(path, SOCK_STREAM, &port), -ENAMETOOLONG);
}

static void test_netlink(void **state)
{
        static const struct {
                const char *text;
                int error;
                const char *printed;
        } netlink[] = {
                {"kobject-uevent 1", 0, "kobject-uevent 1"},
                {"route", 0, "route 0"},
                {"route 4", 0, "route 4"},
                {"nosuch 1", -EINVAL, NULL},
                {"route x", -EINVAL, NULL},
                {"", -EINVAL, NULL},
        };

        for (size_t i = 0; i < ARRAY_SIZE(netlink); i++) {
                struct port port = {0};
                int r = address_parse_netlink(netlink[i].text, &port);

                if (r != netlink[i].error)
                        fail_msg("%s: %d", netlink[i].text, r);
                if (r < 0)
                        continue;
                assert_string_equal(port.text, netlink[i].printed);
                assert_string_equal(port_type_name(&port), "Netlink");
                port_done(&port);
        }
}

static int parse_all(void *arg UNUSED)
{
        static const char *const texts[] = {"80", "[::1]:80%lo", "/run/x", "@x"};

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
                struct port port = {0}, copy = {0};
                int r = address_parse(texts[i], SOCK_STREAM, &port);

                if (r == 0)
                        r = port_copy(&port, &copy);
                port_done(&copy);
                port_done(&port);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void test_oom(void **state)
{
        oom_prove(parse_all, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),       cmocka_unit_test(test_port_only),
        cmocka_unit_test(test_long_paths), cmocka_unit_test(test_netlink),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
