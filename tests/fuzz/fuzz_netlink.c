// The whole input is a datagram that the kernel answers sock_diag(7) with.
#include "net/diag.h"

#include "conf/address.h"
#include "fuzz/input.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>

static int on_connection(const struct net_diag_connection *c, void *data)
{
        unsigned *n = data;

        assert(c->state && *c->state);
        assert(c->local.size <= sizeof(c->local.addr) && c->remote.size <= sizeof(c->remote.addr));
        CLEANUP(free) char *local = address_format(&c->local, 0);
        CLEANUP(free) char *remote = address_format(&c->remote, 0);

        assert(local && remote && *local && *remote);
        assert(c->has_traffic || (c->received == 0 && c->sent == 0));
        ++*n;
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct input in = {data, size};
        CLEANUP(free) char *answer = input_rest(&in, NULL);
        unsigned n = 0;
        int r = net_diag_parse(answer, size, on_connection, &n);

        assert(r <= 1);
        assert(n <= size / NLMSG_LENGTH(sizeof(struct inet_diag_msg)));
        return 0;
}
