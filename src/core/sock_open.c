// The descriptors of a socket: opening, adopting, owners, polling, closing, and what a reload
// changes.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "core/service.h"
#include "core/sock_priv.h"
#include "net/adopt.h"
#include "net/flush.h"
#include "net/listen.h"
#include "net/sockopt.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#define BIND_RETRY_FIRST (1 * USEC_PER_SEC)
#define BIND_RETRY_MAX (60 * USEC_PER_SEC)
#define FAIL_TEXT_MAX 512

int sock_listeners_new(struct sock *s)
{
        const struct port_list *ports = &sock_conf(s)->ports;
        struct listener *l = calloc(ports->n ? ports->n : 1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        for (size_t i = 0; i < ports->n; i++)
                l[i] = (struct listener){.watch = {.fd = -1, .on_event = sock_on_readable},
                                         .sock = s,
                                         .port = &ports->items[i]};
        s->listeners = l;
        s->n_listeners = ports->n;
        return 0;
}

void sock_listeners_free(struct sock *s)
{
        free(TAKE(s->listeners));
        s->n_listeners = 0;
}

static void on_sockopt_failed(const struct net_sockopt_failure *f, void *data)
{
        struct sock *s = data;

        log_unit(s->unit.id, LOG_WARNING, f->error, "%s= cannot be set", f->directive);
}

static struct net_listen_params listen_params(const struct sock *s)
{
        const struct manager *m = s->unit.manager;

        return (struct net_listen_params){
                .socket = sock_conf(s),
                .umask = m->default_umask,
                .unlink_blindly = m->options.compat_systemd || !sock_conf(s)->x_probe_stale_socket,
        };
}

static bool adopt(struct sock *s, struct listener *l)
{
        struct manager *m = s->unit.manager;

        for (size_t i = 0; i < m->n_adoptable; i++)
                if (m->adoptable[i] >= 0 &&
                    net_adopt_fits(m->adoptable[i], l->port, sock_conf(s))) {
                        l->watch.fd = TAKE_FD(m->adoptable[i]);
                        // Who made it may have waited in accept(2); it has our options from here
                        // on.
                        (void)fd_set_nonblock(l->watch.fd, true);
                        net_sockopt_apply(l->watch.fd, l->port, sock_conf(s), false,
                                          on_sockopt_failed, s);
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

// Is another socket unit of ours listening on this AF_UNIX node? (difference dup-unix-path)
static const char *find_path_owner(const struct sock *s, const char *path)
{
        const struct manager *m = s->unit.manager;

        LIST_FOREACH (&m->by_type[UNIT_SOCKET], node) {
                const struct sock *other = sock_of(CONTAINER_OF(node, struct unit, type_node));

                for (size_t i = 0; other != s && i < other->n_listeners; i++)
                        if (other->listeners[i].watch.fd >= 0 && other->listeners[i].port->path &&
                            streq(other->listeners[i].port->path, path))
                                return other->unit.id;
        }
        return NULL;
}

static void log_open_failure(const struct listener *l, int error, const struct fail *why)
{
        char text[FAIL_TEXT_MAX];

        log_unit(l->sock->unit.id, LOG_ERR, 0, "Failed to listen on %s (%s:%u): %s", l->port->text,
                 l->port->file ? l->port->file : "built-in", l->port->line,
                 why->error ? fail_format(why, text, sizeof(text)) : strerror(-error));
}

// An address that is not there yet may come. A port in use is no such thing: somebody has to
// choose.
static bool is_retryable(const struct sock *s, const struct listener *l, int error)
{
        return !s->unit.manager->options.compat_systemd && sock_conf(s)->x_bind_retry &&
               l->port->kind == PORT_SOCKET && l->port->address.addr.sa.sa_family != AF_UNIX &&
               (error == -EADDRNOTAVAIL || error == -ENODEV);
}

static int open_listener(struct listener *l)
{
        struct sock *s = l->sock;
        struct net_listen_params params = listen_params(s);
        struct fail why = {0};
        const char *owner;
        int fd = -1, r;

        if (l->port->path && !s->unit.manager->options.compat_systemd &&
            (owner = find_path_owner(s, l->port->path))) {
                fail_set(&why, EADDRINUSE, "bind", "the path belongs to %s", owner);
                log_open_failure(l, -EADDRINUSE, &why);
                return -EADDRINUSE;
        }
        r = net_listen_open(&params, l->port, &fd, &why);
        if (r < 0) {
                log_open_failure(l, r, &why);
                return r;
        }
        l->watch.fd = fd;
        net_sockopt_apply(fd, l->port, sock_conf(s), false, on_sockopt_failed, s);
        return 0;
}

static void on_bind_retry(struct timer *t, usec_t now)
{
        struct listener *l = CONTAINER_OF(t, struct listener, bind_timer);
        struct sock *s = l->sock;

        l->bind_wait = MIN(l->bind_wait * 2, BIND_RETRY_MAX);
        if (open_listener(l) < 0) {
                if (timer_set(s->unit.manager->events, t, usec_add(now, l->bind_wait),
                              on_bind_retry) < 0)
                        log_unit(s->unit.id, LOG_ERR, ENOMEM, "Giving up on %s", l->port->text);
                return;
        }
        l->bind_pending = false;
        log_unit(s->unit.id, LOG_NOTICE, 0, "Listening on %s at last", l->port->text);
        if (s->state == SOCK_LISTENING && s->pause == PAUSE_NONE)
                sock_enter_listening(s);
}

static bool bind_later(struct listener *l)
{
        struct sock *s = l->sock;

        l->bind_wait = BIND_RETRY_FIRST;
        l->bind_pending = timer_set(s->unit.manager->events, &l->bind_timer,
                                    usec_add(clock_now(), l->bind_wait), on_bind_retry) == 0;
        return l->bind_pending;
}

enum sock_result sock_open(struct sock *s)
{
        size_t n_open = 0, n_later = 0;

        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->watch.fd >= 0 || adopt(s, l)) {
                        n_open++;
                        continue;
                }
                int r = open_listener(l);

                if (r == 0) {
                        n_open++;
                } else if (is_retryable(s, l, r) && bind_later(l)) {
                        n_later++;
                } else {
                        sock_close(s, false);
                        return SOCK_FAILURE_RESOURCES;
                }
        }
        if (n_open == 0 && n_later > 0)
                log_unit(s->unit.id, LOG_WARNING, 0, "None of its addresses is there yet, waiting");
        struct net_listen_params params = listen_params(s);
        struct fail why = {0};

        if (net_symlinks_make(&params, &why) < 0) {
                char text[FAIL_TEXT_MAX];

                log_unit(s->unit.id, LOG_WARNING, 0, "Cannot make symlinks: %s",
                         fail_format(&why, text, sizeof(text)));
        }
        return SOCK_SUCCESS;
}

static void close_listener(struct listener *l, bool unlink)
{
        struct events *e = l->sock->unit.manager->events;

        timer_stop(e, &l->poll_timer);
        timer_stop(e, &l->bind_timer);
        l->bind_pending = false;
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

        for (size_t i = 0; i < s->n_listeners; i++)
                close_listener(&s->listeners[i], remove);
        if (remove)
                net_symlinks_remove(sock_conf(s));
}

static void on_poll_again(struct timer *t, usec_t now UNUSED)
{
        struct listener *l = CONTAINER_OF(t, struct listener, poll_timer);

        if (l->sock->state == SOCK_LISTENING && l->sock->pause == PAUSE_NONE)
                sock_enter_listening(l->sock);
}

bool sock_poll_limit_hit(struct listener *l, usec_t now)
{
        const struct socket_group *conf = sock_conf(l->sock);
        struct events *e = l->sock->unit.manager->events;

        l->poll_limit.interval = conf->poll_limit_interval_sec;
        l->poll_limit.burst = conf->poll_limit_burst;
        if (rate_below(&l->poll_limit, now))
                return false;
        if (timer_set(e, &l->poll_timer, rate_window_end(&l->poll_limit, now), on_poll_again) < 0)
                return false; // polling on is better than never again
        watch_remove(e, &l->watch);
        log_unit(l->sock->unit.id, LOG_DEBUG, 0, "Poll limit of %s hit, looking away for a while",
                 l->port->text);
        return true;
}

int sock_watch(struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->watch.fd < 0 || timer_is_set(&l->poll_timer))
                        continue;
                int r = watch_set(s->unit.manager->events, &l->watch, EPOLLIN);

                if (r < 0) {
                        log_unit(s->unit.id, LOG_ERR, -r, "Cannot watch %s", l->port->text);
                        return r;
                }
        }
        return 0;
}

void sock_unwatch(struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++) {
                if (s->listeners[i].watch.fd >= 0)
                        watch_remove(s->unit.manager->events, &s->listeners[i].watch);
                // With Accept=no the poll limit begins anew each time the socket listens again.
                if (s->unit.conf->socket && !sock_conf(s)->accept) {
                        timer_stop(s->unit.manager->events, &s->listeners[i].poll_timer);
                        rate_reset(&s->listeners[i].poll_limit);
                }
        }
}

void sock_flush(struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].watch.fd >= 0)
                        net_flush(s->listeners[i].watch.fd, s->listeners[i].port);
}

// ---- reload

// Find, among the listeners of before, the open one for a port of the new conf.
static struct listener *find_kept(struct listener *old, size_t n, const struct port *port,
                                  const struct socket_group *conf)
{
        for (size_t i = 0; i < n; i++)
                if (old[i].watch.fd >= 0 && streq(old[i].port->text, port->text) &&
                    net_adopt_fits(old[i].watch.fd, port, conf))
                        return &old[i];
        return NULL;
}

void sock_reopen(struct sock *s, const struct unit_conf *old_conf)
{
        struct listener *old = s->listeners;
        size_t n_old = s->n_listeners;
        bool is_open = s->state != SOCK_DEAD && s->state != SOCK_FAILED &&
                       s->state != SOCK_START_PRE && s->state != SOCK_STOP_POST &&
                       s->state != SOCK_FINAL_SIGTERM && s->state != SOCK_FINAL_SIGKILL;
        bool is_live = !s->unit.manager->options.compat_systemd;

        if (sock_listeners_new(s) < 0) {
                // Keep what there is; the old conf owns the ports, so it has to stay, too.
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot apply the new configuration");
                s->listeners = old;
                s->n_listeners = n_old;
                return;
        }
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];
                struct listener *kept = find_kept(old, n_old, l->port, sock_conf(s));

                if (kept) {
                        watch_remove(s->unit.manager->events, &kept->watch);
                        l->watch.fd = TAKE_FD(kept->watch.fd);
                        if (is_live && old_conf->socket != s->unit.conf->socket)
                                net_sockopt_apply(l->watch.fd, l->port, sock_conf(s), false,
                                                  on_sockopt_failed, s);
                }
        }
        for (size_t i = 0; i < n_old; i++)
                close_listener(&old[i], is_open && is_live && old_conf->socket->remove_on_stop);
        free(old);
        for (size_t i = 0; is_open && i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->watch.fd >= 0)
                        continue;
                if (!is_live) {
                        log_unit(
                                s->unit.id, LOG_WARNING, 0,
                                "%s was added; it is not listened on before the socket is restarted",
                                l->port->text);
                        continue;
                }
                int r = open_listener(l);

                if (r < 0 && is_retryable(s, l, r))
                        (void)bind_later(l); // on failure the log line of open_listener stands
        }
}

// ---- handing out

int sock_collect_fds(struct sock *s, int **fds, size_t *n, char ***names)
{
        const char *name = sock_conf(s)->file_descriptor_name;

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

static bool hands_over(const struct unit *u)
{
        return u->ops == &sock_ops && u->conf->socket && !u->conf->socket->accept;
}

// Those that Sockets= names come in its order, before the others.
int sock_collect_for_service(struct unit *service, int **fds, size_t *n, char ***names)
{
        char *const *sockets = service->conf->service ? service->conf->service->sockets : NULL;
        int r = 0;

        STRV_FOREACH (name, sockets) {
                struct unit *u = manager_find_unit(service->manager, *name);

                if (r == 0 && u && hands_over(u) &&
                    unit_has_dependency(service, DEP_TRIGGERED_BY, u))
                        r = sock_collect_fds(sock_of(u), fds, n, names);
        }
        UNIT_FOREACH_DEPENDENCY(service, DEP_BIT(DEP_TRIGGERED_BY), u)
        if (r == 0 && hands_over(u) && !strv_contains(sockets, u->id))
                r = sock_collect_fds(sock_of(u), fds, n, names);
        return r;
}
