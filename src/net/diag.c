#include "net/diag.h"

#include "base/fd.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <unistd.h>

#define BUFFER_SIZE 65536

// Numbers of the kernel (include/net/tcp_states.h); those without a name are not requested.
static const char *const state_names[] = {
        [1] = "ESTAB",      [2] = "SYN-SENT",   [3] = "SYN-RECV", [4] = "FIN-WAIT-1",
        [5] = "FIN-WAIT-2", [8] = "CLOSE-WAIT", [9] = "LAST-ACK", [11] = "CLOSING",
};

static int send_request(int fd, int family)
{
        struct {
                struct nlmsghdr header;
                struct inet_diag_req_v2 request;
        } message = {
                .header = {.nlmsg_len = sizeof(message),
                           .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                           .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                .request = {.sdiag_family = (uint8_t)family,
                            .sdiag_protocol = IPPROTO_TCP,
                            .idiag_ext = 1 << (INET_DIAG_INFO - 1)},
        };

        for (unsigned i = 0; i < ARRAY_SIZE(state_names); i++)
                if (state_names[i])
                        message.request.idiag_states |= 1u << i;
        return send(fd, &message, sizeof(message), 0) < 0 ? -errno : 0;
}

static void take_address(struct address *a, int family, const __be32 *bytes, __be16 port)
{
        *a = (struct address){0};
        a->addr.sa.sa_family = (sa_family_t)family;
        if (family == AF_INET) {
                a->size = sizeof(a->addr.in);
                a->addr.in.sin_port = port;
                memcpy(&a->addr.in.sin_addr, bytes, sizeof(a->addr.in.sin_addr));
        } else {
                a->size = sizeof(a->addr.in6);
                a->addr.in6.sin6_port = port;
                memcpy(&a->addr.in6.sin6_addr, bytes, sizeof(a->addr.in6.sin6_addr));
        }
}

// The kernel's struct may be shorter than ours.
static void take_info(struct net_diag_connection *c, const void *data, size_t size)
{
        struct tcp_info info = {0};

        memcpy(&info, data, MIN(size, sizeof(info)));
        if (size < offsetof(struct tcp_info, tcpi_segs_in) + sizeof(info.tcpi_segs_in))
                return;
        c->has_traffic = true;
        c->received = info.tcpi_bytes_received;
        c->sent = info.tcpi_bytes_acked;
        c->segments_received = info.tcpi_segs_in;
        c->segments_sent = info.tcpi_segs_out;
}

static void take_message(const struct nlmsghdr *header, struct net_diag_connection *ret)
{
        const struct inet_diag_msg *m = NLMSG_DATA(header);
        const char *p = (const char *)m + NLMSG_ALIGN(sizeof(*m));
        const char *end = (const char *)header + header->nlmsg_len;

        *ret = (struct net_diag_connection){.inode = m->idiag_inode};
        if (m->idiag_state < ARRAY_SIZE(state_names))
                ret->state = state_names[m->idiag_state];
        take_address(&ret->local, m->idiag_family, m->id.idiag_src, m->id.idiag_sport);
        take_address(&ret->remote, m->idiag_family, m->id.idiag_dst, m->id.idiag_dport);
        while (p + sizeof(struct nlattr) <= end) {
                const struct nlattr *a = (const struct nlattr *)(const void *)p;

                if (a->nla_len < sizeof(*a) || p + a->nla_len > end)
                        return;
                if (a->nla_type == INET_DIAG_INFO)
                        take_info(ret, p + NLA_HDRLEN, a->nla_len - (size_t)NLA_HDRLEN);
                p += NLA_ALIGN(a->nla_len);
        }
}

// As net_diag_parse(), for one message.
static int take_one(const struct nlmsghdr *h, net_diag_fn cb, void *data)
{
        struct net_diag_connection c;

        if (h->nlmsg_type == NLMSG_DONE)
                return 0;
        if (h->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *e = NLMSG_DATA(h);

                if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)) || e->error > 0)
                        return -EBADMSG;
                return e->error;
        }
        if (h->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
                return -EBADMSG;
        take_message(h, &c);
        int r = c.state ? cb(&c, data) : 0;

        return r == 0 ? 1 : r < 0 ? r : -ECANCELED;
}

int net_diag_parse(const void *answer, size_t size, net_diag_fn cb, void *data)
{
        const char *p = answer;

        while (size >= sizeof(struct nlmsghdr)) {
                const struct nlmsghdr *h = (const struct nlmsghdr *)(const void *)p;

                if (h->nlmsg_len < sizeof(*h) || h->nlmsg_len > size)
                        return -EBADMSG;
                int r = take_one(h, cb, data);

                if (r != 1)
                        return r;
                // The last message may be shorter than its padding.
                size_t step = MIN(NLMSG_ALIGN((size_t)h->nlmsg_len), size);

                p += step;
                size -= step;
        }
        return 1;
}

// As net_diag_parse().
static int read_answer(int fd, char *buffer, net_diag_fn cb, void *data)
{
        ssize_t n = recv(fd, buffer, BUFFER_SIZE, 0);

        if (n < 0)
                return errno == EINTR ? 1 : -errno;
        return net_diag_parse(buffer, (size_t)n, cb, data);
}

int net_diag_walk(net_diag_fn cb, void *data)
{
        static const int families[] = {AF_INET, AF_INET6};
        CLEANUP(free) char *buffer = malloc(BUFFER_SIZE);
        CLEANUP(fd) int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
        int r = 0;

        if (!buffer || fd < 0)
                return buffer ? -errno : -ENOMEM;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(families); i++) {
                r = send_request(fd, families[i]);
                if (r == 0)
                        while ((r = read_answer(fd, buffer, cb, data)) == 1)
                                ;
        }
        return r;
}
