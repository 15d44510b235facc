#include "core/socket/connection.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/nowait.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "core/service/service.h"
#include "core/socket/connection_log.h"
#include "core/socket/incoming.h"
#include "core/socket/sock.h"
#include "core/unit/dependency.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"
#include "net/peer.h"
#include "net/traffic.h"

static const struct client_ops connection_client_ops;
static void end(struct connection *c);

// A connection whose run has no unit. The data for its name is stored behind it (net/peer.h): the
// peer is asked once, while it is surely connected.
struct plain {
        struct connection connection;
        struct run run;
        char peer[];
};

// A connection whose run belongs to a unit.
struct attached {
        struct connection connection;
        char peer[];
};

static struct connection *connection_of_client(const struct client *client)
{
        return CONTAINER_OF(client, struct connection, client);
}

// otherwise the run belongs to a unit
static bool is_plain(const struct connection *c)
{
        return !c->run->service;
}

struct connection *connection_of(const struct run *run)
{
        return run->client ? connection_of_client(run->client) : NULL;
}

// ---- start

// For TCP alone: others do not count their bytes, and MPTCP does so for each of its paths.
static void await_traffic(struct connection *c)
{
        struct peer_info peer;

        if (c->log != CONNECTION_LOG_FULL || sock_conf(c->sock)->socket_protocol > 0)
                return;
        peer_unpack(c->peer, &peer);
        if (peer.local.addr.sa.sa_family != AF_INET && peer.local.addr.sa.sa_family != AF_INET6)
                return;
        c->traffic = calloc(1, sizeof(*c->traffic)); // without memory they are unknown
        c->client.keeps_fd = c->traffic != NULL;
}

// Takes over fd and token.
static void begin(struct connection *c, const struct listener *l, struct run *run, int fd,
                  struct admit_token *token)
{
        struct sock *s = l->sock;

        c->client = (struct client){.ops = &connection_client_ops, .fd = fd};
        c->sock = s;
        c->conf = unit_conf_ref(s->ports_conf);
        c->line = l->line;
        c->run = run;
        c->token = *token;
        *token = (struct admit_token){0};
        c->number = s->n_accepted++;
        c->begin = clock_now();
        c->log = sock_conf(s)->x_connection_log;
        c->log_peer = sock_conf(s)->x_log_peer;
        s->n_connections++;
        list_append(&s->connections, &c->node);
        run->client = &c->client;
        await_traffic(c);
        connection_log_begin(c);
        unit_changed(&s->unit);
}

// accept() returns the lowest free descriptor: right if the child takes it at once. One we keep
// must move above the low window.
static void make_window_free(struct connection *c)
{
        int fd = c->client.fd;
        int up = fd >= 0 && fd < FD_LOW_WINDOW ? fd_dup_up(fd) : -1;

        if (up < 0)
                return;
        nowait_close(fd);
        c->client.fd = up;
}

static int start_plain(const struct listener *l, int fd, const struct peer_info *peer,
                       struct admit_token *token, bool is_calm)
{
        const struct sock *s = l->sock;
        struct plain *p = calloc(1, sizeof(*p) + peer_packed_size(peer));

        if (!p) {
                nowait_close(fd);
                admit_release(token);
                return -ENOMEM;
        }
        peer_pack(peer, p->peer);
        p->connection.peer = p->peer;
        run_init(&p->run, s->unit.manager, s->template_conf);
        begin(&p->connection, l, &p->run, fd, token);
        p->connection.client.is_calm = is_calm;
        int r = service_run_start(&p->run);

        p->connection.client.is_calm = false;

        if (r < 0) // the caller logs the refusal
                end(&p->connection);
        else
                make_window_free(&p->connection);
        return r;
}

static int make_name(const struct sock *s, uint64_t number, const struct peer_info *peer,
                     enum log_peer how, char **ret)
{
        CLEANUP(free) char *template = NULL, *text = NULL;
        int r = sock_template_name(s, &template);

        if (r < 0)
                return r;
        r = peer_format_instance(peer, number, how, &text);
        return r < 0 ? r : unit_name_with_instance(template, text, ret);
}

// The unit's name, which is not in use: without the peer's port (X-LogPeer=) it may be that of an
// instance whose socket was loaded before.
static int make_unit_name(struct sock *s, const struct peer_info *peer, char **ret)
{
        for (;;) {
                CLEANUP(free) char *name = NULL;
                int r = make_name(s, s->n_accepted, peer, sock_conf(s)->x_log_peer, &name);

                if (r < 0)
                        return r;
                if (!registry_find_unit(s->unit.manager, name)) {
                        *ret = TAKE(name);
                        return 0;
                }
                s->n_accepted++;
        }
}

// The slow path: a unit of its own, started by a job.
static int start_unit(const struct listener *l, int fd, const struct peer_info *peer,
                      struct admit_token *token)
{
        struct sock *s = l->sock;
        CLEANUP(free) char *name = NULL;
        struct request_failure why = {0};
        struct unit *u = NULL;
        int r = make_unit_name(s, peer, &name);

        if (r == 0)
                r = registry_load_unit(s->unit.manager, name, &u);
        if (r == 0 && (u->ops != &service_ops || u->conf->load_state != LOAD_LOADED))
                r = -ENOENT;
        if (r == 0)
                r = dependency_add(&s->unit, DEP_BEFORE, u);
        if (r == 0)
                r = dependency_add(&s->unit, DEP_TRIGGERS, u);
        struct attached *a = r == 0 ? calloc(1, sizeof(*a) + peer_packed_size(peer)) : NULL;

        if (!a) {
                nowait_close(fd);
                admit_release(token);
                return r < 0 ? r : -ENOMEM;
        }
        struct service *service = CONTAINER_OF(u, struct service, unit);

        peer_pack(peer, a->peer);
        a->connection.peer = a->peer;
        begin(&a->connection, l, &service->run, fd, token);
        make_window_free(&a->connection);
        if (job_request(s->unit.manager, JOB_START, u, JOB_REPLACE, NULL, &why) == REQUEST_OK)
                return 0;
        log_unit(s->unit.id, LOG_WARNING, 0, "Failed to queue start of %s: %s", u->id, why.text);
        end(&a->connection);
        return -EIO;
}

int connection_start(const struct listener *l, int fd, const struct peer_info *peer,
                     struct admit_token *token, bool is_calm)
{
        struct sock *s = l->sock;
        int r = sock_template_load(s);

        if (r < 0) {
                nowait_close(fd);
                admit_release(token);
                return r;
        }
        return sock_template_needs_unit(s) ? start_unit(l, fd, peer, token)
                                           : start_plain(l, fd, peer, token, is_calm);
}

// ---- end

static bool close_connection(struct connection *c)
{
        if (c->traffic && c->client.fd >= 0)
                net_traffic_get(c->client.fd, c->traffic);
        c->client.fd = nowait_close(c->client.fd);
        if (!c->token.admit)
                return false;
        admit_release(&c->token);
        c->sock->n_connections--;
        return true;
}

static void release(struct client *client)
{
        struct connection *c = connection_of_client(client);

        if (close_connection(c))
                sock_on_place_free(c->sock);
}

// A plain connection's run is freed with it.
static void detach(struct connection *c)
{
        struct run *run = c->run;

        (void)close_connection(c);
        list_remove(&c->node);
        if (is_plain(c)) {
                for (struct core_observer *o = run->manager->observers; o; o = o->next)
                        if (o->on_connection_end)
                                o->on_connection_end(o, run);
                service_run_done(run);
                unit_conf_unref(run->conf);
        }
        run->client = NULL;
        unit_conf_unref(c->conf);
        free(c->traffic);
        free(c);
}

static void end(struct connection *c)
{
        struct sock *s = c->sock;

        sock_history_add(s, c->run);
        release(&c->client);
        detach(c);
        sock_on_connection_end(s);
}

static void on_end(struct client *client)
{
        struct connection *c = connection_of_client(client);

        release(client);
        connection_log_end(c);
        end(c);
}

void connection_forget_all(struct sock *s)
{
        LIST_FOREACH (&s->connections, node)
                detach(CONTAINER_OF(node, struct connection, node));
}

// ---- names

// The instance of a template socket, of which the names of its services tell nothing.
static int add_instance(const struct sock *s, char ***env)
{
        CLEANUP(free) char *instance = NULL;
        char *entry;

        if (!manager_differs(s->unit.manager, DIFFERENCE_SOCKET_INSTANCE))
                return 0;
        int r = unit_name_instance(s->unit.id, &instance);

        if (r < 0 || !instance)
                return r;
        entry = str_printf("SOCKET_INSTANCE=%s", instance);
        return entry ? strv_push_take(env, entry) : -ENOMEM;
}

static int make_environment(const struct client *client, char ***env)
{
        char address[PEER_TEXT_MAX], port[PEER_TEXT_MAX];
        const struct connection *c = connection_of_client(client);
        struct peer_info peer;

        int r = add_instance(c->sock, env);

        // systemd asks for the peer each time, so a restarted service gets none.
        if (r < 0 ||
            (client->fd < 0 && !manager_differs(c->sock->unit.manager, DIFFERENCE_CONNECTION_COPY)))
                return r;
        peer_unpack(c->peer, &peer);
        if (peer_format_remote(&peer, address, port) == 0)
                return 0;
        CLEANUP(free) char *a = str_printf("REMOTE_ADDR=%s", address);
        CLEANUP(free) char *p = str_printf("REMOTE_PORT=%s", port);

        if (!a || !p || strv_push(env, a) < 0)
                return -ENOMEM;
        return port[0] ? strv_push(env, p) : 0;
}

int connection_name(const struct connection *c, char **ret)
{
        struct peer_info peer;

        if (!is_plain(c))
                return str_set(ret, c->run->service->unit.id);
        peer_unpack(c->peer, &peer);
        return make_name(c->sock, c->number, &peer, c->log_peer, ret);
}

static int name_of_client(const struct client *client, char **ret)
{
        return connection_name(connection_of_client(client), ret);
}

// FileDescriptorName= counts for connections since v257.
static const char *fd_name(const struct client *client)
{
        const struct connection *c = connection_of_client(client);
        bool is_named = manager_differs(c->sock->unit.manager, DIFFERENCE_NEWER_SYSTEMD) &&
                        c->conf->socket->file_descriptor_name;

        return is_named ? unit_conf_fd_name(c->conf, c->line) : "connection";
}

static struct spawn_plan **shared_plan(const struct client *client)
{
        const struct connection *c = connection_of_client(client);
        const struct run *run = c->run;
        bool is_shared =
                is_plain(c) && c->sock->template_conf == run->conf && !run->conf->needs_own_plan;

        return is_shared ? &c->sock->template_plan : NULL;
}

static void on_refused(struct client *client)
{
        const struct connection *c = connection_of_client(client);
        struct peer_info peer;

        peer_unpack(c->peer, &peer);
        incoming_refused_by_service(c->sock, &peer, c->log_peer);
}

static const struct client_ops connection_client_ops = {
        .name = name_of_client,
        .fd_name = fd_name,
        .environment = make_environment,
        .shared_plan = shared_plan,
        .on_refused = on_refused,
        .release = release,
        .on_end = on_end,
};

void connection_addresses(const struct connection *c, char local[PEER_TEXT_MAX],
                          char remote[PEER_TEXT_MAX])
{
        struct peer_info peer;

        peer_unpack(c->peer, &peer);
        peer_format_text(&peer, LOG_PEER_FULL, remote);
        peer_format_local(&peer, local);
}

void connection_peer(const struct connection *c, char text[PEER_TEXT_MAX])
{
        struct peer_info peer;

        peer_unpack(c->peer, &peer);
        peer_format_text(&peer, c->log_peer, text);
}

// ---- look-ups

static struct connection *first_of(const struct sock *s)
{
        return list_is_empty(&s->connections)
                       ? NULL
                       : CONTAINER_OF(s->connections.next, struct connection, node);
}

struct connection *connection_next(struct manager *m, const struct connection *after)
{
        struct list_node *sockets = &m->by_type[UNIT_SOCKET], *n = sockets->next;

        if (after) {
                if (after->node.next != &after->sock->connections)
                        return CONTAINER_OF(after->node.next, struct connection, node);
                n = after->sock->unit.type_node.next;
        }
        for (; n && n != sockets; n = n->next) {
                struct connection *c = first_of(sock_of(CONTAINER_OF(n, struct unit, type_node)));

                if (c)
                        return c;
        }
        return NULL;
}

struct connection *connection_find(struct manager *m, const char *name)
{
        const char *at = strchr(name, '@');
        char *end = NULL;

        if (!at || at[1] < '0' || at[1] > '9')
                return NULL;
        uint64_t number = strtoull(at + 1, &end, 10);

        if (*end != '-')
                return NULL;
        for (struct connection *c = connection_next(m, NULL); c; c = connection_next(m, c)) {
                CLEANUP(free) char *own = NULL;

                if (c->number == number && connection_name(c, &own) == 0 && streq(own, name))
                        return c;
        }
        return NULL;
}

void connection_stop_all(struct manager *m)
{
        // A stop may end a run at once, which removes it from the list: the walk starts over until
        // every run has been asked. Asking again is harmless.
        LIST_FOREACH (&m->by_type[UNIT_SOCKET], node) {
                struct sock *s = sock_of(CONTAINER_OF(node, struct unit, type_node));

                LIST_FOREACH (&s->connections, own) {
                        const struct connection *c = CONTAINER_OF(own, struct connection, node);

                        if (is_plain(c))
                                service_run_stop(c->run);
                }
        }
}
