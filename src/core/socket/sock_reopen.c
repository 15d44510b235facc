// Changes to a socket's listeners by a reload, or because its names have got other addresses.
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "core/socket/sock_priv.h"
#include "net/adopt.h"
#include "net/listen.h"
#include "net/sockopt.h"

struct former {
        struct listener *listeners;
        size_t n;
        struct unit_conf *conf; // reference: their conf
};

// The old open listener for a port of the new conf.
static struct listener *find_kept(const struct former *f, const struct port *port,
                                  const struct socket_group *conf)
{
        for (size_t i = 0; i < f->n; i++)
                if (f->listeners[i].watch.fd >= 0 &&
                    streq(f->listeners[i].port->text, port->text) &&
                    net_adopt_fits(f->listeners[i].watch.fd, port, conf))
                        return &f->listeners[i];
        return NULL;
}

// What is known of the listener of the same port, if that was not open either: it is not logged
// again.
static void copy_absence(const struct former *f, struct listener *l)
{
        for (size_t i = 0; i < f->n; i++) {
                const struct listener *old = &f->listeners[i];

                if (old->watch.fd < 0 && streq(old->port->text, l->port->text)) {
                        l->absence = old->absence;
                        l->is_told = old->is_told;
                }
        }
}

// Difference reload-sockets: systemd changes nothing on the sockets that it keeps.
static void update_kept(struct listener *l, const struct unit_conf *old)
{
        struct sock *s = l->sock;
        net_sockopt_reapply(l->watch.fd, l->port, sock_conf(s), sock_on_sockopt_failed, s);
        net_listen_again(l->port, sock_conf(s), l->watch.fd);
        if (sock_conf(s)->socket_mode != old->socket->socket_mode)
                sock_node_give_later(l, true);
        sock_join_groups(l, old);
}

static void open_added(struct listener *l, bool is_live)
{
        struct sock *s = l->sock;

        if (!is_live) {
                log_unit(s->unit.id, LOG_WARNING, 0,
                         "%s was added; it is not listened on before the socket is restarted",
                         l->port->text);
                return;
        }
        if (sock_open_later(l) == 0)
                sock_note_there(l);
}

int sock_reopen(struct sock *s, const struct unit_conf *old)
{
        bool is_live = manager_differs(s->unit.manager, DIFFERENCE_RELOAD_SOCKETS),
             was_open = sock_state_is_open(s->state);
        bool is_starting = s->state == SOCK_START_PRE || s->state == SOCK_START_CHOWN;
        bool goes_on = false;
        struct former former = {s->listeners, s->n_listeners, s->ports_conf};

        if (sock_listeners_new(s) < 0) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot apply the new configuration");
                return -ENOMEM;
        }
        if (is_starting)
                goes_on = sock_nodes_cancel(s);
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];
                struct listener *kept = find_kept(&former, l->port, sock_conf(s));

                if (!kept) {
                        copy_absence(&former, l);
                        continue;
                }
                watch_remove(s->unit.manager->events, &kept->watch);
                l->watch.fd = TAKE_FD(kept->watch.fd);
                sock_node_move(kept, l);
                l->node = kept->node;
                l->held = kept->held;
                l->is_adopted = kept->is_adopted;
                l->is_ours_alone = kept->is_ours_alone;
                l->has_owner = kept->has_owner;
                l->is_joining = kept->is_joining;
                l->opened = kept->opened;
                if (is_live && old != s->unit.conf)
                        update_kept(l, old);
        }
        if (is_live && was_open)
                sock_owner_reloaded(s, old->socket);
        if (was_open && is_live && former.conf->socket->remove_on_stop)
                sock_nodes_remove(s, former.listeners, former.n, former.conf, false);
        for (size_t i = 0; i < former.n; i++) {
                sock_note_lent(&former.listeners[i]);
                sock_close_listener(&former.listeners[i]);
        }
        free(former.listeners);
        unit_conf_unref(former.conf);
        for (size_t i = 0; was_open && i < s->n_listeners; i++)
                if (s->listeners[i].watch.fd < 0)
                        open_added(&s->listeners[i], is_live);
        if (was_open)
                sock_retry_update(s);
        if (goes_on)
                sock_start_again_later(s);
        return 0;
}
