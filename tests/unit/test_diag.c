#include "net/diag.h"

#include "unit/harness.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>

// A datagram under construction; behind it stands what must not be read.
struct answer {
        _Alignas(8) char data[2048];
        size_t size;
};

static struct nlmsghdr *put(struct answer *a, int type, const void *content, size_t size)
{
        struct nlmsghdr *h = (struct nlmsghdr *)(void *)(a->data + a->size);

        memset(a->data + a->size, 1, sizeof(a->data) - a->size);
        *h = (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                               .nlmsg_type = (uint16_t)type};
        memcpy(NLMSG_DATA(h), content, size);
        a->size += NLMSG_SPACE(size);
        return h;
}

static void put_connection(struct answer *a, size_t info_size)
{
        struct __attribute__((packed)) {
                struct inet_diag_msg m;
                struct nlattr attribute;
                struct tcp_info info;
        } content = {
                .m = {.idiag_family = AF_INET,
                      .idiag_state = 8,
                      .idiag_inode = 77,
                      .id = {.idiag_sport = 0x5000, .idiag_src = {0x0100007f}}},
                .attribute = {.nla_len = (uint16_t)(NLA_HDRLEN + info_size),
                              .nla_type = INET_DIAG_INFO},
                .info = {.tcpi_bytes_received = 5, .tcpi_bytes_acked = 6, .tcpi_segs_in = 7},
        };

        put(a, SOCK_DIAG_BY_FAMILY, &content, offsetof(typeof(content), info) + info_size);
}

struct seen {
        struct net_diag_connection last;
        unsigned n;
};

static int on_connection(const struct net_diag_connection *c, void *data)
{
        struct seen *seen = data;

        seen->last = *c;
        return ++seen->n == 3 ? -ECANCELED : 0;
}

static int parse(const struct answer *a, struct seen *ret)
{
        *ret = (struct seen){0};
        return net_diag_parse(a->data, a->size, on_connection, ret);
}

static void test_connections(void **state)
{
        struct answer a = {0};
        struct seen seen;

        put_connection(&a, sizeof(struct tcp_info));
        assert_int_equal(parse(&a, &seen), 1);
        assert_int_equal(seen.n, 1);
        assert_string_equal(seen.last.state, "CLOSE-WAIT");
        assert_int_equal(seen.last.inode, 77);
        assert_int_equal(seen.last.local.addr.in.sin_port, 0x5000);
        assert_true(seen.last.has_traffic);
        assert_int_equal(seen.last.received, 5);
        assert_int_equal(seen.last.sent, 6);
        assert_int_equal(seen.last.segments_received, 7);
        put_connection(&a, 8); // an old kernel's
        put(&a, NLMSG_DONE, "", 0);
        assert_int_equal(parse(&a, &seen), 0);
        assert_int_equal(seen.n, 2);
        assert_false(seen.last.has_traffic);
        put_connection(&a, 8); // behind the end
        assert_int_equal(parse(&a, &seen), 0);
        assert_int_equal(seen.n, 2);
}

static void test_callback_ends_it(void **state)
{
        struct answer a = {0};
        struct seen seen;

        for (int i = 0; i < 4; i++)
                put_connection(&a, 0);
        assert_int_equal(parse(&a, &seen), -ECANCELED);
        assert_int_equal(seen.n, 3);
}

static void test_errors(void **state)
{
        static const struct {
                int error;
                size_t size;
                int result;
        } rows[] = {
                {-EPERM, sizeof(struct nlmsgerr), -EPERM},
                {0, sizeof(struct nlmsgerr), 0},
                {EPERM, sizeof(struct nlmsgerr), -EBADMSG},
                {-EPERM, 4, -EBADMSG},
                {-EPERM, 0, -EBADMSG},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct nlmsgerr e = {.error = rows[i].error};
                struct answer a = {0};
                struct seen seen;

                put(&a, NLMSG_ERROR, &e, rows[i].size);
                assert_int_equal(parse(&a, &seen), rows[i].result);
        }
}

static void test_sizes(void **state)
{
        struct answer a = {0};
        struct seen seen;
        char cut[64] = "";

        assert_int_equal(parse(&a, &seen), 1);
        put(&a, SOCK_DIAG_BY_FAMILY, cut, 20);
        assert_int_equal(parse(&a, &seen), -EBADMSG);
        // The last message ends without its padding: what is behind it is not another one.
        a.size = 0;
        put_connection(&a, 0);
        struct nlmsghdr *h = put(&a, SOCK_DIAG_BY_FAMILY, &(struct inet_diag_msg){.idiag_state = 1},
                                 sizeof(struct inet_diag_msg));

        h->nlmsg_len += 1;
        a.size += 1;
        assert_int_equal(parse(&a, &seen), 1);
        assert_int_equal(seen.n, 2);
        a.size = 3;
        assert_int_equal(parse(&a, &seen), 1);
        assert_int_equal(seen.n, 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connections),
        cmocka_unit_test(test_callback_ends_it),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_sizes),
};
HARNESS_MAIN(tests)
