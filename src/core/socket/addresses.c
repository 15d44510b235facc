#include "core/socket/addresses.h"

#include "base/fd.h"
#include "net/link.h"

#include <sys/epoll.h>

struct addresses {
        struct manager *manager;
        struct watch watch;
        struct list_node waiters;
};

static void close_if_unused(struct addresses *a)
{
        if (!list_is_empty(&a->waiters))
                return;
        watch_remove(a->manager->events, &a->watch);
        fd_close(a->watch.fd);
        a->manager->addresses = NULL;
        free(a);
}

static void on_message(struct watch *w, uint32_t revents UNUSED)
{
        struct addresses *a = CONTAINER_OF(w, struct addresses, watch);

        net_link_drain(w->fd);
        LIST_FOREACH (&a->waiters, node) {
                struct address_waiter *waiter = CONTAINER_OF(node, struct address_waiter, node);

                waiter->on_change(waiter);
        }
}

static int begin(struct manager *m)
{
        struct addresses *a = calloc(1, sizeof(*a));

        if (!a)
                return -ENOMEM;
        a->manager = m;
        a->watch.on_event = on_message;
        a->watch.fd = net_link_open();
        list_init(&a->waiters);
        int r = a->watch.fd < 0 ? a->watch.fd : watch_set(m->events, &a->watch, EPOLLIN);

        if (r < 0) {
                fd_close(a->watch.fd);
                free(a);
                return r;
        }
        m->addresses = a;
        return 0;
}

int addresses_wait(struct manager *m, struct address_waiter *w)
{
        int r = m->addresses ? 0 : begin(m);

        if (r < 0 || list_is_linked(&w->node))
                return r;
        list_append(&m->addresses->waiters, &w->node);
        return 0;
}

void addresses_unwait(struct manager *m, struct address_waiter *w)
{
        if (!list_is_linked(&w->node))
                return;
        list_remove(&w->node);
        close_if_unused(m->addresses);
}
