#include "core/socket/instance.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/load.h"
#include "conf/unit_name.h"
#include "core/loop/diag_log.h"
#include "core/service/service.h"
#include "core/socket/sock_priv.h"
#include "core/unit/dependency.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"
#include "net/peer.h"
#include "spawn/plan.h"

// A connection's run and what names it: the peer is asked once, while it is surely there.
struct instance {
        struct run run;
        char peer[]; // packed (net/peer.h)
};

// False: it serves no connection.
static bool get_peer(const struct run *run, struct peer_info *ret)
{
        const void *packed =
                run->service ? run->service->peer : CONTAINER_OF(run, struct instance, run)->peer;

        if (packed)
                peer_unpack(packed, ret);
        return packed;
}

// ---- template

int instance_template_name(const struct sock *s, char **ret)
{
        const char *id = s->unit.id;
        size_t n = strcspn(id, "@");
        char *name;

        if (id[n] == '\0')
                n = strlen(id) - strlen(".socket");
        name = str_printf("%.*s@.service", (int)n, id);
        if (!name)
                return -ENOMEM;
        *ret = name;
        return 0;
}

void sock_template_drop(struct sock *s)
{
        unit_conf_unref(TAKE(s->template_conf));
        spawn_plan_unref(TAKE(s->template_plan));
}

int instance_prepare(struct sock *s)
{
        struct manager *m = s->unit.manager;
        CLEANUP(free) char *name = NULL;
        struct diag diag = diag_log_once(m->complaints);
        struct unit_conf *conf = NULL;

        if (s->template_conf)
                return 0;
        int r = instance_template_name(s, &name);

        if (r < 0)
                return r;
        r = conf_load(m->loader, name, &diag, &conf);
        if (r < 0)
                return r;
        if (conf->load_state != LOAD_LOADED) {
                log_unit(s->unit.id, LOG_ERR, 0, "Cannot serve connections: %s: %s", name,
                         conf->load_error ? conf->load_error : load_state_name(conf->load_state));
                unit_conf_unref(conf);
                return -ENOENT;
        }
        s->template_conf = conf;
        if (conf->service->restart != RESTART_NO && !m->options.compat_systemd)
                log_unit(name, LOG_NOTICE, 0,
                         "Restart= is left out for connections: an instance ends with the one that "
                         "it serves, the next client gets another.");
        return 0;
}

// Nothing that only a unit can have: then a connection needs neither registry nor job. With systemd
// each is a unit, which stays when it has failed (difference failed-instances).
static bool is_plain(const struct sock *s)
{
        const struct unit_conf *conf = s->template_conf;
        const struct unit_group *u = conf->unit;

        return !s->unit.manager->options.compat_systemd && !conf->needs_own_instance &&
               !u->requires && !u->requisite && !u->wants && !u->binds_to && !u->part_of &&
               !u->upholds && !u->conflicts && !u->before && !u->after && !u->on_failure &&
               !u->on_success && !conf->linked_requires && !conf->linked_wants &&
               !conf->linked_upholds && u->conditions.n == 0 && u->asserts.n == 0 &&
               !conf->service->sockets;
}

// ---- start

static void attach(struct sock *s, struct run *run, int fd, struct admit_token *token)
{
        run->sock = s;
        run->connection_fd = fd;
        run->token = *token;
        *token = (struct admit_token){0};
        run->number = s->n_accepted++;
        s->n_connections++;
        list_append(&s->runs, &run->node);
        unit_changed(&s->unit);
}

// Accepted is the lowest number that is free: that is right for one who is handed over at once. Who
// stays must not take the place of others.
static void make_window_free(struct run *run)
{
        int fd = run->connection_fd;
        int up = fd >= 0 && fd < FD_LOW_WINDOW ? fd_dup_up(fd) : -1;

        if (up < 0)
                return;
        fd_close(fd);
        run->connection_fd = up;
}

static int start_plain(struct sock *s, int fd, const struct peer_info *peer,
                       struct admit_token *token)
{
        struct instance *i = calloc(1, sizeof(*i) + peer_packed_size(peer));

        if (!i) {
                fd_close(fd);
                admit_release(token);
                return -ENOMEM;
        }
        peer_pack(peer, i->peer);
        i->run.manager = s->unit.manager;
        i->run.conf = unit_conf_ref(s->template_conf);
        i->run.main.pidfd = i->run.control.pidfd = -1;
        attach(s, &i->run, fd, token);
        int r = service_run_start(&i->run);

        if (r < 0)
                instance_on_end(&i->run);
        else
                make_window_free(&i->run);
        return r;
}

static int make_name(const struct sock *s, uint64_t number, const struct peer_info *peer,
                     char **ret)
{
        CLEANUP(free) char *template = NULL, *text = NULL;
        int r = instance_template_name(s, &template);

        if (r < 0)
                return r;
        r = peer_format_instance(peer, number, &text);
        return r < 0 ? r : unit_name_with_instance(template, text, ret);
}

// The long way: a unit of its own, started by a job.
static int start_unit(struct sock *s, int fd, const struct peer_info *peer,
                      struct admit_token *token)
{
        CLEANUP(free) char *name = NULL;
        struct request_failure why = {0};
        struct unit *u = NULL;
        int r = make_name(s, s->n_accepted, peer, &name);

        if (r == 0)
                r = registry_load_unit(s->unit.manager, name, &u);
        if (r == 0 && (u->ops != &service_ops || u->conf->load_state != LOAD_LOADED))
                r = -ENOENT;
        if (r == 0)
                r = dependency_add(&s->unit, DEP_BEFORE, u);
        if (r == 0)
                r = dependency_add(&s->unit, DEP_TRIGGERS, u);
        void *copy = r == 0 ? malloc(peer_packed_size(peer)) : NULL;

        if (!copy) {
                fd_close(fd);
                admit_release(token);
                return r < 0 ? r : -ENOMEM;
        }
        struct service *service = CONTAINER_OF(u, struct service, unit);

        peer_pack(peer, copy);
        free(service->peer);
        service->peer = copy;
        attach(s, &service->run, fd, token);
        make_window_free(&service->run);
        if (job_request(s->unit.manager, JOB_START, u, JOB_REPLACE, NULL, &why) == REQUEST_OK)
                return 0;
        log_unit(s->unit.id, LOG_WARNING, 0, "Failed to queue start of %s: %s", u->id, why.text);
        instance_on_end(&service->run);
        return -EIO;
}

int instance_start(struct sock *s, int fd, const struct peer_info *peer, struct admit_token *token)
{
        int r = instance_prepare(s);

        if (r < 0) {
                fd_close(fd);
                admit_release(token);
                return r;
        }
        return is_plain(s) ? start_plain(s, fd, peer, token) : start_unit(s, fd, peer, token);
}

// ---- end

static bool close_connection(struct run *run)
{
        run->connection_fd = fd_close(run->connection_fd);
        if (!run->token.admit)
                return false;
        admit_release(&run->token);
        run->sock->n_connections--;
        return true;
}

void instance_release(struct run *run)
{
        if (close_connection(run))
                sock_on_place_free(run->sock);
}

static void detach(struct run *run)
{
        (void)close_connection(run);
        list_remove(&run->node);
        run->sock = NULL;
        if (run->service)
                return;
        for (struct core_observer *o = run->manager->observers; o; o = o->next)
                if (o->on_connection_end)
                        o->on_connection_end(o, run);
        service_run_done(run);
        unit_conf_unref(run->conf);
        free(CONTAINER_OF(run, struct instance, run));
}

void instance_on_end(struct run *run)
{
        struct sock *s = run->sock;

        if (!s)
                return;
        sock_history_add(s, run);
        instance_release(run);
        detach(run);
        sock_on_run_end(s);
}

void instance_forget_all(struct sock *s)
{
        LIST_FOREACH (&s->runs, node)
                detach(CONTAINER_OF(node, struct run, node));
}

// ---- what it is called

int instance_environment(const struct run *run, char ***env)
{
        char address[PEER_TEXT_MAX], port[PEER_TEXT_MAX];
        struct peer_info peer;

        if (!get_peer(run, &peer) || peer_format_remote(&peer, address, port) == 0)
                return 0;
        CLEANUP(free) char *a = str_printf("REMOTE_ADDR=%s", address);
        CLEANUP(free) char *p = str_printf("REMOTE_PORT=%s", port);

        if (!a || !p || strv_push(env, a) < 0)
                return -ENOMEM;
        return port[0] ? strv_push(env, p) : 0;
}

int instance_name(const struct run *run, char **ret)
{
        if (run->service)
                return str_set(ret, run->service->unit.id);
        struct peer_info peer;

        return make_name(run->sock, run->number, get_peer(run, &peer) ? &peer : NULL, ret);
}

void instance_addresses(const struct run *run, char local[PEER_TEXT_MAX],
                        char remote[PEER_TEXT_MAX])
{
        struct peer_info peer;

        local[0] = remote[0] = '\0';
        if (!get_peer(run, &peer))
                return;
        peer_format_text(&peer, remote);
        peer_format_local(&peer, local);
}

int instance_peer(const struct run *run, char **ret)
{
        char text[PEER_TEXT_MAX] = "";
        struct peer_info peer;

        if (get_peer(run, &peer))
                peer_format_text(&peer, text);
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

// ---- look-ups

static struct run *first_run(const struct sock *s)
{
        return list_is_empty(&s->runs) ? NULL : CONTAINER_OF(s->runs.next, struct run, node);
}

struct run *instance_next(struct manager *m, struct run *after)
{
        struct list_node *sockets = &m->by_type[UNIT_SOCKET], *n = sockets->next;

        if (after) {
                if (after->node.next != &after->sock->runs)
                        return CONTAINER_OF(after->node.next, struct run, node);
                n = after->sock->unit.type_node.next;
        }
        for (; n && n != sockets; n = n->next) {
                struct run *run = first_run(sock_of(CONTAINER_OF(n, struct unit, type_node)));

                if (run)
                        return run;
        }
        return NULL;
}

struct run *instance_find(struct manager *m, const char *name)
{
        const char *at = strchr(name, '@');
        char *end = NULL;

        if (!at || at[1] < '0' || at[1] > '9')
                return NULL;
        uint64_t number = strtoull(at + 1, &end, 10);

        if (*end != '-')
                return NULL;
        for (struct run *run = instance_next(m, NULL); run; run = instance_next(m, run)) {
                CLEANUP(free) char *own = NULL;

                if (run->number == number && instance_name(run, &own) == 0 && streq(own, name))
                        return run;
        }
        return NULL;
}

void instance_stop_all(struct manager *m)
{
        // A stop may end a run at once, which takes it off the list: start over until none is left
        // that was not asked. Each run is asked once; asking again is harmless.
        LIST_FOREACH (&m->by_type[UNIT_SOCKET], node) {
                struct sock *s = sock_of(CONTAINER_OF(node, struct unit, type_node));

                LIST_FOREACH (&s->runs, run_node) {
                        struct run *run = CONTAINER_OF(run_node, struct run, node);

                        if (!run->service)
                                service_run_stop(run);
                }
        }
}
