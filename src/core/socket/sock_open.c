// The descriptors of a socket: opening, adopting, owners, closing, and what a reload changes.
#include "base/clock.h"
#include "base/fail.h"
#include "base/fd.h"
#include "base/local.h"
#include "base/log.h"
#include "base/nowait.h"
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

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define FAIL_TEXT_MAX 512

static void add_listener(struct sock *s, const struct port *port, size_t line)
{
        s->listeners[s->n_listeners++] = (struct listener){
                .watch = {.fd = -1, .on_event = sock_on_readable},
                .sock = s,
                .port = port,
                .line = line,
        };
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
                        add_listener(s, port, i);
                for (size_t k = 0; port->kind == PORT_NAME && k < found->n; k++)
                        add_listener(s, &found->items[k], i);
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
                l->is_joining |= sock_absence(l, r) != ABSENT_NOTHING;
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
                .unlink_blindly = !manager_differs(m, DIFFERENCE_STALE_NODE) ||
                                  !sock_conf(s)->x_probe_stale_socket,
                .has_owner = s->node_uid != (uid_t)-1 || s->node_gid != (gid_t)-1,
                .uid = s->node_uid,
                .gid = s->node_gid,
        };
}

// Records what later checks need about a listener that was open before: its node, unless the file
// system has to be waited for.
static void take_in(struct listener *l)
{
        bool was_only = local_only_set(true);

        if (l->watch.fd >= 0)
                net_node_get(l->watch.fd, l->port, &l->node);
        (void)local_only_set(was_only);
        if (l->watch.fd >= 0 && !l->is_adopted)
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
                        // Its creator may wait in accept(2); from now on it has our options.
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
                          "No socket unit uses a descriptor that was passed, closing it: %s",
                          text ? text : "not a socket");
                m->adoptable[i] = fd_close(m->adoptable[i]);
        }
}

// Is it a node that SocketUser= and SocketGroup= are about?
static bool is_owned(const struct port *port)
{
        return net_port_has_node(port) && port->kind != PORT_SPECIAL;
}

static bool is_node(const struct port *port)
{
        return port->kind == PORT_SOCKET && port->path;
}

// Does another socket unit of ours listen on this AF_UNIX node? (difference dup-unix-path)
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

// If so, it is the reason why the listener cannot be opened.
static bool name_path_owner(const struct listener *l, struct node_result *result)
{
        const char *owner =
                is_node(l->port) && manager_differs(l->sock->unit.manager, DIFFERENCE_DUP_UNIX_PATH)
                        ? find_path_owner(l->sock, l->port->path)
                        : NULL;
        struct fail why;

        if (!owner)
                return false;
        (void)fail_set(&why, EADDRINUSE, "bind", "the path belongs to %s", owner);
        (void)fail_format(&why, result->why, sizeof(result->why));
        return true;
}

// Each reason is logged once, not for each try.
static int fail_to_open(struct listener *l, int r, const char *why)
{
        enum absence before = l->absence;
        bool waits = (l->absence = sock_absence(l, r)) != ABSENT_NOTHING;
        bool is_known = waits && l->absence == before && l->is_told;
        int level = is_known                               ? LOG_DEBUG
                    : waits && l->absence != ABSENT_REPAIR ? LOG_WARNING
                                                           : LOG_ERR;
        const char *holder = l->absence == ABSENT_HOLDER ? sock_lent_to(l) : NULL;
        char what[ABSENCE_TEXT_MAX];

        l->is_told = true;
        if (waits && l->absence != ABSENT_REPAIR)
                log_unit(l->sock->unit.id, level, 0, "Waiting for %s (%s:%u): %s%s%s%s",
                         sock_absence_text(l, what, sizeof(what)),
                         l->port->file ? l->port->file : "built-in", l->port->line, why,
                         holder ? "; to get it back: \"usherctl restart " : "",
                         holder ? holder : "", holder ? "\"" : "");
        else
                log_unit(l->sock->unit.id, level, 0, "Failed to listen on %s (%s:%u): %s",
                         l->port->text, l->port->file ? l->port->file : "built-in", l->port->line,
                         why);
        sock_set_failure(l->sock, strdup(why)); // without memory there is no text
        return r;
}

// Handles the result of opening a listener. 0 or -errno (logged).
static int take_result(struct listener *l, struct node_result *result)
{
        const struct sock *s = l->sock;

        if (result->r == -EADDRINUSE)
                (void)name_path_owner(l, result);
        if (result->r < 0)
                return fail_to_open(l, result->r, result->why);
        l->held = NULL;
        l->has_owner = s->node_uid != (uid_t)-1 || s->node_gid != (gid_t)-1;
        l->watch.fd = TAKE_FD(result->fd);
        l->is_ours_alone = true;
        sock_note_opened(l);
        l->node = result->node;
        earlier_note(s->unit.manager->earlier, l->port, l->watch.fd);
        net_sockopt_apply(l->watch.fd, l->port, sock_conf(s), false, sock_on_sockopt_failed,
                          l->sock);
        sock_join_groups(l, NULL);
        return 0;
}

// As sock_node_open(); an address without a node needs no wait.
static int open_port(struct listener *l, const struct net_listen_params *params,
                     struct node_result *ret)
{
        char text[FAIL_TEXT_MAX];
        struct fail why = {0};

        if (net_port_has_node(l->port))
                return sock_node_open(l, params, ret);
        *ret = (struct node_result){.fd = -1};
        ret->r = net_listen_open(params, l->port, &ret->fd, &why);
        if (ret->r < 0)
                (void)snprintf(ret->why, sizeof(ret->why), "%s",
                               why.error ? fail_format(&why, text, sizeof(text))
                                         : strerror(-ret->r));
        return 0;
}

// 0; 1: it has to wait, sock_on_node_done() follows; -errno (logged).
static int open_listener(struct listener *l, struct net_listen_params *params)
{
        struct sock *s = l->sock;
        struct node_result result = {.fd = -1};

        // Logged when it was looked up, once for all listeners.
        if (sock_owner_missing(s) != ABSENT_NOTHING && is_owned(l->port)) {
                l->absence = sock_owner_missing(s);
                return -ENXIO;
        }
        // Otherwise the code below checks whether the existing socket is alive.
        if (params->unlink_blindly && name_path_owner(l, &result))
                return fail_to_open(l, -EADDRINUSE, result.why);
        params->is_retry = l->absence != ABSENT_NOTHING;
        (void)earlier_made_node(s->unit.manager->earlier, l->port, &params->known);
        int r = sock_take_held(l);

        if (r != 0) {
                take_in(l);
                l->absence = r < 0 ? sock_absence(l, r) : ABSENT_NOTHING;
                return MIN(r, 0);
        }
        return open_port(l, params, &result) > 0 ? 1 : take_result(l, &result);
}

int sock_open_later(struct listener *l)
{
        struct net_listen_params params = sock_listen_params(l->sock);

        if (sock_node_is_busy(l))
                return 1;
        if (l->sock->removal && net_port_has_node(l->port)) {
                l->absence = ABSENT_REMOVAL;
                return -EINPROGRESS;
        }
        params.unlink_blindly = false; // a running service may have put its own node there
        return open_listener(l, &params);
}

// ---- the start

// Handles the result for the current listener. True: the start continues.
static bool note_started(struct listener *l, int r)
{
        struct sock *s = l->sock;

        if (r == 0)
                l->absence = ABSENT_NOTHING;
        if (r == 0 || l->absence != ABSENT_NOTHING) {
                s->n_started++;
                return true;
        }
        sock_close(s, false);
        sock_on_opened(s, r == -ETIMEDOUT ? SOCK_FAILURE_TIMEOUT : SOCK_FAILURE_RESOURCES);
        return false;
}

static void log_link_failure(const struct sock *s, const struct node_result *result)
{
        if (result->r < 0)
                log_unit(s->unit.id, LOG_WARNING, 0, "Cannot make symlinks: %s", result->why);
}

static void await(struct sock *s)
{
        if (!s->command || !timer_is_set(&s->command->timer))
                sock_command_arm_timeout(s);
}

static void finish_opening(struct sock *s)
{
        struct node_result result;

        sock_retry_update(s);
        if (sock_node_link(s, &result) > 0) {
                await(s);
                return;
        }
        log_link_failure(s, &result);
        sock_on_opened(s, SOCK_SUCCESS);
}

static void go_on(struct sock *s)
{
        while (s->n_started < s->n_listeners) {
                struct net_listen_params params = sock_listen_params(s);
                struct listener *l = &s->listeners[s->n_started];
                int r = l->watch.fd >= 0 ? 0 : open_listener(l, &params);

                if (r > 0) {
                        await(s);
                        return;
                }
                if (!note_started(l, r))
                        return;
        }
        finish_opening(s);
}

void sock_open(struct sock *s)
{
        sock_park_done(s);
        (void)sock_nodes_cancel(s);
        // Descriptors passed to us are closed when start-up is over, and this socket may still need
        // one.
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].watch.fd >= 0)
                        s->listeners[i].has_owner = false; // the unit may set another one now
                else
                        (void)adopt(s, &s->listeners[i]);
        s->n_started = 0;
        go_on(s);
}

// ---- results

// While the socket is up.
static void on_opened_later(struct listener *l, struct node_result *result)
{
        struct sock *s = l->sock;

        if (take_result(l, result) == 0)
                sock_note_there(l);
        sock_retry_update(s);
        sock_update_watch(s);
}

void sock_on_node_done(struct sock *s, struct listener *l, enum node_work work,
                       struct node_result *result)
{
        if (work == NODE_LINK) {
                log_link_failure(s, result);
                sock_on_opened(s, SOCK_SUCCESS);
        } else if (work == NODE_GIVE) {
                sock_log_give_failure(l, result);
                if (s->state == SOCK_START_CHOWN && l == &s->listeners[s->n_started])
                        sock_on_given(s, result->r);
        } else if (s->state == SOCK_START_PRE) {
                if (note_started(l, take_result(l, result)))
                        go_on(s);
        } else {
                on_opened_later(l, result);
        }
}

// ---- closing

void sock_close_listener(struct listener *l)
{
        struct events *e = l->sock->unit.manager->events;

        timer_stop(e, &l->poll_timer);
        sock_node_cancel(l);
        l->absence = ABSENT_NOTHING;
        l->is_joining = l->is_adopted = l->has_owner = l->is_ours_alone = false;
        l->held = NULL;
        if (l->watch.fd < 0)
                return;
        watch_remove(e, &l->watch);
        l->watch.fd = nowait_close_file(l->watch.fd);
}

void sock_close(struct sock *s, bool unlink)
{
        bool remove = unlink && s->unit.conf->socket && sock_conf(s)->remove_on_stop;

        sock_names_cancel(s);
        sock_owner_done(s);
        sock_retry_done(s);
        sock_lent_done(s);
        free(TAKE(s->missing_unit));
        if (remove)
                sock_nodes_remove(s, s->listeners, s->n_listeners, s->ports_conf, true);
        for (size_t i = 0; i < s->n_listeners; i++)
                sock_close_listener(&s->listeners[i]);
        (void)sock_nodes_cancel(s);
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
        earlier_flush(s->unit.manager->earlier);

        for (size_t i = 0; i < s->n_listeners; i++) {
                if (s->listeners[i].watch.fd < 0)
                        continue;
                int *more = realloc(*fds, (*n + 1) * sizeof(int));

                if (!more)
                        return -ENOMEM;
                *fds = more;
                if (strv_push(names, unit_conf_fd_name(s->ports_conf, s->listeners[i].line)) < 0)
                        return -ENOMEM;
                more[(*n)++] = s->listeners[i].watch.fd;
                s->listeners[i].is_ours_alone = false;
        }
        return 0;
}

// A service that is restarted no longer has what its last processes had.
static void get_back(struct sock *s)
{
        bool is_lent = false;

        for (size_t i = 0; i < s->n_listeners; i++)
                is_lent |= s->listeners[i].absence == ABSENT_HOLDER && !s->listeners[i].held;
        if (is_lent)
                sock_retry_now(s);
}

// systemd passes the listener to an instance that is restarted without its connection.
int sock_collect_for_service(struct unit *u, int **fds, size_t *n, char ***names)
{
        bool is_handed_over =
                u->conf->socket && (!u->conf->socket->accept ||
                                    !manager_differs(u->manager, DIFFERENCE_CONNECTION_COPY));

        if (!is_handed_over)
                return 0;
        get_back(sock_of(u));
        return sock_collect_fds(sock_of(u), fds, n, names);
}
