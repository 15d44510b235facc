// The descriptors of a socket: opening, adopting, owners, polling, closing, and what a reload
// changes.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "core/service/service.h"
#include "core/socket/earlier.h"
#include "core/socket/sock_priv.h"
#include "core/unit/dependency.h"
#include "core/unit/registry.h"
#include "net/adopt.h"
#include "net/flush.h"
#include "net/listen.h"
#include "net/multicast.h"
#include "net/sockopt.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#define FAIL_TEXT_MAX 512

static void add_listener(struct sock *s, const struct port *port)
{
        s->listeners[s->n_listeners++] = (struct listener){
                .watch = {.fd = -1, .on_event = sock_on_readable}, .sock = s, .port = port};
}

int sock_listeners_new(struct sock *s)
{
        const struct port_list *ports = &sock_conf(s)->ports;
        size_t n = 0;

        for (size_t i = 0; i < ports->n; i++)
                n += ports->items[i].kind == PORT_NAME ? sock_names_get(s, &ports->items[i])->n : 1;
        struct listener *l = calloc(n ? n : 1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        s->listeners = l;
        s->n_listeners = 0;
        s->ports_conf = unit_conf_ref(s->unit.conf);
        for (size_t i = 0; i < ports->n; i++) {
                const struct port *port = &ports->items[i];
                const struct port_list *found = sock_names_get(s, port);

                if (port->kind != PORT_NAME)
                        add_listener(s, port);
                for (size_t k = 0; port->kind == PORT_NAME && k < found->n; k++)
                        add_listener(s, &found->items[k]);
        }
        return 0;
}

void sock_listeners_free(struct sock *s)
{
        free(TAKE(s->listeners));
        s->n_listeners = 0;
        unit_conf_unref(TAKE(s->ports_conf));
}

void sock_on_sockopt_failed(const struct net_sockopt_failure *f, void *data)
{
        const struct sock *s = data;

        log_unit(s->unit.id, LOG_WARNING, f->error, "%s= cannot be set", f->directive);
}

void sock_join_groups(struct listener *l, const struct unit_conf *old)
{
        const struct multicast_groups *groups = &sock_conf(l->sock)->x_join_group;
        const struct multicast_groups *left = old ? &old->socket->x_join_group : NULL;
        bool was_joining = l->is_joining;

        for (size_t i = 0; left && i < left->n; i++)
                if (net_multicast_fits(l->port, &left->items[i]))
                        net_multicast_leave(l->watch.fd, &left->items[i]);
        l->is_joining = false;
        for (size_t i = 0; i < groups->n; i++) {
                int r = net_multicast_fits(l->port, &groups->items[i])
                                ? net_multicast_join(l->watch.fd, &groups->items[i])
                                : 0;
                if (r == 0)
                        continue;
                l->is_joining |= sock_is_retryable(l->sock, l, r);
                log_unit(l->sock->unit.id, was_joining ? LOG_DEBUG : LOG_WARNING, -r,
                         "Cannot join %s on %s", groups->items[i].text, l->port->text);
        }
}

struct net_listen_params sock_listen_params(const struct sock *s)
{
        const struct manager *m = s->unit.manager;

        return (struct net_listen_params){
                .socket = sock_conf(s),
                .umask = m->default_umask,
                .unlink_blindly = m->options.compat_systemd || !sock_conf(s)->x_probe_stale_socket,
        };
}

// What is to be known of one that is open.
static void take_in(struct listener *l)
{
        if (l->watch.fd < 0)
                return;
        net_node_get(l->watch.fd, l->port, &l->node);
        if (!l->is_adopted)
                earlier_note(l->sock->unit.manager->earlier, l->port, l->watch.fd);
}

static bool adopt(struct sock *s, struct listener *l)
{
        struct manager *m = s->unit.manager;

        for (size_t i = 0; i < m->n_adoptable; i++)
                if (m->adoptable[i] >= 0 &&
                    net_adopt_fits(m->adoptable[i], l->port, sock_conf(s))) {
                        l->watch.fd = TAKE_FD(m->adoptable[i]);
                        l->is_adopted = true;
                        take_in(l);
                        // Who made it may have waited in accept(2); it has our options from here
                        // on.
                        (void)fd_set_nonblock(l->watch.fd, true);
                        net_sockopt_apply(l->watch.fd, l->port, sock_conf(s), false,
                                          sock_on_sockopt_failed, s);
                        sock_join_groups(l, NULL);
                        log_unit(s->unit.id, LOG_INFO, 0, "Took over the descriptor of %s",
                                 l->port->text);
                        return true;
                }
        return false;
}

void sock_adopt_done(struct manager *m)
{
        for (size_t i = 0; i < m->n_adoptable; i++) {
                struct address own = {.size = sizeof(own.addr)};
                CLEANUP(free) char *text = NULL;

                if (m->adoptable[i] < 0)
                        continue;
                if (getsockname(m->adoptable[i], &own.addr.sa, &own.size) == 0)
                        text = address_format(&own, 0);
                log_write(LOG_WARNING,
                          "A descriptor was passed that no socket wants, closing it: %s",
                          text ? text : "not a socket");
                m->adoptable[i] = fd_close(m->adoptable[i]);
        }
}

static bool is_node(const struct port *port)
{
        return port->kind == PORT_SOCKET && port->path;
}

// Is another socket unit of ours listening on this AF_UNIX node? (difference dup-unix-path)
static const char *find_path_owner(const struct sock *s, const char *path)
{
        const struct manager *m = s->unit.manager;

        LIST_FOREACH (&m->by_type[UNIT_SOCKET], node) {
                const struct sock *other = sock_of(CONTAINER_OF(node, struct unit, type_node));

                for (size_t i = 0; other != s && i < other->n_listeners; i++)
                        if (other->listeners[i].watch.fd >= 0 &&
                            is_node(other->listeners[i].port) &&
                            streq(other->listeners[i].port->path, path))
                                return other->unit.id;
        }
        return NULL;
}

static void log_open_failure(const struct listener *l, int error, const struct fail *why)
{
        char text[FAIL_TEXT_MAX];
        const char *reason = why->error ? fail_format(why, text, sizeof(text)) : strerror(-error);

        // What is tried again and again was told the first time.
        log_unit(l->sock->unit.id, l->is_missing ? LOG_DEBUG : LOG_ERR, 0,
                 "Failed to listen on %s (%s:%u): %s", l->port->text,
                 l->port->file ? l->port->file : "built-in", l->port->line, reason);
        sock_set_failure(l->sock, strdup(reason)); // no text when memory is short
}

static int open_listener(struct listener *l, struct net_listen_params *params)
{
        struct sock *s = l->sock;
        struct fail why = {0};
        const char *owner;
        int fd = -1, r;

        if (is_node(l->port) && !s->unit.manager->options.compat_systemd &&
            (owner = find_path_owner(s, l->port->path))) {
                fail_set(&why, EADDRINUSE, "bind", "the path belongs to %s", owner);
                log_open_failure(l, -EADDRINUSE, &why);
                return -EADDRINUSE;
        }
        params->is_retry = l->is_missing;
        (void)earlier_made_node(s->unit.manager->earlier, l->port, &params->known);
        r = sock_take_held(l);
        if (r != 0) {
                take_in(l);
                return MIN(r, 0);
        }
        r = net_listen_open(params, l->port, &fd, &why);
        if (r < 0) {
                log_open_failure(l, r, &why);
                return r;
        }
        l->held = NULL;
        l->watch.fd = fd;
        take_in(l);
        net_sockopt_apply(fd, l->port, sock_conf(s), false, sock_on_sockopt_failed, s);
        sock_join_groups(l, NULL);
        return 0;
}

int sock_open_listener(struct listener *l)
{
        struct net_listen_params params = sock_listen_params(l->sock);

        return open_listener(l, &params);
}

int sock_open_later(struct listener *l)
{
        struct net_listen_params params = sock_listen_params(l->sock);

        params.unlink_blindly = false; // a service that runs may have a node of its own there
        int r = open_listener(l, &params);

        if (r == 0)
                sock_chown_later(l);
        return r;
}

enum sock_result sock_open(struct sock *s)
{
        size_t n_open = 0, n_later = sock_names_missing(s) != NULL;

        sock_park_done(s);

        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->watch.fd >= 0 || adopt(s, l)) {
                        n_open++;
                        continue;
                }
                int r = sock_open_listener(l);

                if (r == 0) {
                        n_open++;
                } else if (sock_is_retryable(s, l, r)) {
                        l->is_missing = true;
                        n_later++;
                } else {
                        sock_close(s, false);
                        return SOCK_FAILURE_RESOURCES;
                }
        }
        if (n_open == 0 && n_later > 0)
                log_unit(s->unit.id, LOG_WARNING, 0, "None of its addresses is there yet, waiting");
        sock_retry_update(s);
        struct net_listen_params params = sock_listen_params(s);
        struct fail why = {0};

        if (net_symlinks_make(&params, &why) < 0) {
                char text[FAIL_TEXT_MAX];

                log_unit(s->unit.id, LOG_WARNING, 0, "Cannot make symlinks: %s",
                         fail_format(&why, text, sizeof(text)));
        }
        return SOCK_SUCCESS;
}

void sock_close_listener(struct listener *l, bool unlink)
{
        struct events *e = l->sock->unit.manager->events;

        timer_stop(e, &l->poll_timer);
        l->is_missing = l->is_joining = l->is_adopted = false;
        l->held = NULL;
        if (l->watch.fd < 0)
                return;
        watch_remove(e, &l->watch);
        if (unlink)
                net_port_unlink(l->port);
        l->watch.fd = fd_close(l->watch.fd);
}

void sock_close(struct sock *s, bool unlink)
{
        bool remove = unlink && s->unit.conf->socket && sock_conf(s)->remove_on_stop;

        sock_names_cancel(s);
        sock_retry_done(s);
        for (size_t i = 0; i < s->n_listeners; i++)
                sock_close_listener(&s->listeners[i], remove);
        if (remove)
                net_symlinks_remove(sock_conf(s));
}

void sock_flush(struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].watch.fd >= 0 && !s->listeners[i].held)
                        net_flush(s->listeners[i].watch.fd, s->listeners[i].port);
}

// ---- handing out

int sock_collect_fds(struct sock *s, int **fds, size_t *n, char ***names)
{
        const char *name = sock_conf(s)->file_descriptor_name;

        earlier_flush(s->unit.manager->earlier);

        for (size_t i = 0; i < s->n_listeners; i++) {
                if (s->listeners[i].watch.fd < 0)
                        continue;
                int *more = realloc(*fds, (*n + 1) * sizeof(int));

                if (!more)
                        return -ENOMEM;
                *fds = more;
                if (strv_push(names, name ? name : s->unit.id) < 0)
                        return -ENOMEM;
                more[(*n)++] = s->listeners[i].watch.fd;
        }
        return 0;
}

// systemd gives the listener to an instance that is restarted without its connection.
int sock_collect_for_service(struct unit *u, int **fds, size_t *n, char ***names)
{
        bool is_handed_over =
                u->conf->socket && (!u->conf->socket->accept || u->manager->options.compat_systemd);

        return is_handed_over ? sock_collect_fds(sock_of(u), fds, n, names) : 0;
}
