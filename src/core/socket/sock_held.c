// Listeners whose sockets processes of an earlier supervisor hold (core/socket/earlier; difference
// earlier-supervisor). Such a process continues to serve, and is unknown to us: its socket is
// duplicated if that is allowed, so that no connection is lost, but it is not polled before the
// process has ended. Otherwise the address is bound once it is free.
#include "base/fd.h"
#include "base/log.h"
#include "core/socket/earlier.h"
#include "core/socket/sock_priv.h"
#include "net/adopt.h"

static bool is_listed(const struct sock *s, const struct held *h)
{
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].held == h)
                        return true;
        return false;
}

int sock_take_held(struct listener *l)
{
        struct sock *s = l->sock;
        struct held *h = earlier_find(s->unit.manager->earlier, l->port);
        bool is_new = l->held != h, accepts = sock_conf(s)->accept;

        l->held = h;
        if (!h)
                return 0;
        int fd = held_take(h);

        if (fd >= 0 && !net_adopt_fits(fd, l->port, sock_conf(s))) {
                fd_close(fd); // shut down, or without its node: a new one has to be made
                return 0;
        }
        if (is_new)
                log_unit(s->unit.id, LOG_NOTICE, 0, "%s is %s%s.", l->port->text, held_text(h),
                         fd < 0    ? ", waiting until that ends"
                         : accepts ? ", taken over"
                                   : ", taken over; that serves it until it ends");
        if (fd < 0)
                return -EADDRINUSE;
        l->watch.fd = fd;
        if (accepts) {
                l->held = NULL; // no other process accepts its connections
                (void)fd_set_nonblock(fd, true);
        }
        return 1;
}

const char *sock_held_status(const struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].held)
                        return held_text(s->listeners[i].held);
        return NULL;
}

// The process has ended: the listener is an ordinary one now.
static void let_go(struct sock *s, const struct held *h)
{
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->held != h)
                        continue;
                log_unit(s->unit.id, LOG_NOTICE, 0, "%s is no longer %s.", l->port->text,
                         held_text(h));
                l->held = NULL;
        }
        unit_changed(&s->unit);
        if (s->state == SOCK_RUNNING)
                sock_mend(s);
        else
                sock_mend_after_service(s);
        sock_update_watch(s);
}

void sock_on_holder_gone(struct manager *m, const struct held *h)
{
        LIST_FOREACH (&m->by_type[UNIT_SOCKET], node) {
                struct sock *s = sock_of(CONTAINER_OF(node, struct unit, type_node));

                if (is_listed(s, h))
                        let_go(s, h);
        }
}
