#include "core/socket/incoming.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/nowait.h"
#include "core/socket/connection.h"
#include "core/socket/sock.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "net/peer.h"
#include "net/sockopt.h"

#define GATE_PASS (-1) // otherwise an enum incoming_end, and the connection is closed

struct incoming {
        struct listener *listener;
        struct sock *sock;
        int fd;
        const struct address *remote; // from accept(2)
        usec_t now;
        struct peer_info peer; // set by pass_peer()
        struct admit_token token;
};

static void tell(const struct incoming *i, enum refusal why, int error,
                 const struct peer_info *peer)
{
        const struct refused refused = {.why = why,
                                        .log_peer = sock_conf(i->sock)->x_log_peer,
                                        .error = error,
                                        .peer = peer,
                                        .fd = i->fd};

        refusals_tell(i->sock, &refused, i->now);
}

// peer: NULL if no gate has asked for it yet.
static int refuse(struct incoming *i, enum refusal why, const struct peer_info *peer,
                  enum incoming_end end)
{
        struct sock *s = i->sock;

        tell(i, why, 0, peer);
        i->fd = nowait_close(i->fd);
        admit_release(&i->token);
        s->n_refused++;
        s->n_refused_by[why]++;
        unit_changed(&s->unit);
        return end;
}

void incoming_refused_by_service(struct sock *s, const struct peer_info *peer, enum log_peer how)
{
        const struct refused refused = {.why = REFUSAL_SERVICE, .log_peer = how, .peer = peer};

        s->n_refused++;
        s->n_refused_by[REFUSAL_SERVICE]++;
        unit_changed(&s->unit);
        refusals_tell(s, &refused, clock_now());
}

// ---- the gates

static int pass_stopping(struct incoming *i)
{
        struct sock *s = i->sock;

        return job_is_stop_pending(&s->unit) ? refuse(i, REFUSAL_STOPPING, NULL, INCOMING_CLOSED)
                                             : GATE_PASS;
}

static int pass_peer(struct incoming *i)
{
        struct sock *s = i->sock;
        const struct address *local =
                sock_conf(s)->transparent ? NULL : peer_known_local(&i->listener->port->address);
        int r = peer_info_get(i->fd, local, &i->peer);

        if (r == 0)
                return GATE_PASS;
        // accept(2) has returned the address of the peer.
        const struct peer_info gone = {.remote = *i->remote};

        if (r != -ENOTCONN)
                tell(i, REFUSAL_FAILED, r, &gone);
        else if (sock_conf(s)->x_connection_log != CONNECTION_LOG_NONE)
                tell(i, REFUSAL_GONE, 0, &gone);
        i->fd = nowait_close(i->fd);
        if (r == -ENOTCONN) {
                s->n_aborted++;
                return INCOMING_CLOSED;
        }
        sock_on_instance_failed(s, r);
        return INCOMING_STOP;
}

static int pass_admission(struct incoming *i)
{
        struct sock *s = i->sock;
        const struct socket_group *conf = sock_conf(s);
        const struct admit_limits limits = {.max_connections = conf->max_connections,
                                            .max_per_source = conf->max_connections_per_source};
        struct peer_key key = {0};
        bool is_counted = limits.max_per_source > 0 &&
                          // systemd counts local peers by user since v256 only.
                          !(!manager_differs(s->unit.manager, DIFFERENCE_NEWER_SYSTEMD) &&
                            i->listener->port->address.addr.sa.sa_family == AF_UNIX);
        bool has_key = is_counted && peer_get_key(&i->peer, &key);
        int r = s->admit ? 0 : admit_new(&s->admit);

        if (r == 0)
                r = admit_try(s->admit, &limits, has_key ? key.bytes : NULL, key.size, &i->token);
        if (r == ADMIT_OK)
                return GATE_PASS;
        if (r < 0) {
                tell(i, REFUSAL_FAILED, r, &i->peer);
                i->fd = nowait_close(i->fd);
                sock_on_exhausted(s, -r);
                return INCOMING_STOP;
        }
        return refuse(i, r == ADMIT_FULL ? REFUSAL_FULL : REFUSAL_SOURCE, &i->peer,
                      INCOMING_CLOSED);
}

// If the socket pauses instead, it accepts no connection above the limit.
static int pass_trigger_limit(struct incoming *i)
{
        struct sock *s = i->sock;

        if (rate_below(&s->trigger_limit, i->now))
                return GATE_PASS;
        int end = refuse(i, REFUSAL_LIMIT, NULL, INCOMING_STOP);

        sock_on_trigger_limit(s, i->now);
        return end;
}

#define N_GATES 4

static int (*const gates[N_GATES])(struct incoming *i) = {pass_stopping, pass_peer, pass_admission,
                                                          pass_trigger_limit};
static int (*const gates_of_systemd[N_GATES])(struct incoming *i) = {
        pass_stopping, pass_trigger_limit, pass_peer, pass_admission};

// ---- from accept to start

static void on_sockopt_failed(const struct net_sockopt_failure *f, void *data)
{
        const struct sock *s = data;

        log_unit(s->unit.id, LOG_DEBUG, f->error, "%s= cannot be set on a connection",
                 f->directive);
}

enum incoming_end incoming_pass(struct listener *l, int fd, const struct address *remote,
                                usec_t now, bool is_last)
{
        struct sock *s = l->sock;
        bool is_compat = !manager_differs(s->unit.manager, DIFFERENCE_REFUSED_UNCOUNTED);
        // No initialiser: the addresses need not be cleared for each connection.
        struct incoming i;

        i.listener = l;
        i.sock = s;
        i.fd = fd;
        i.remote = remote;
        i.now = now;
        i.token = (struct admit_token){0};
        for (size_t n = 0; n < N_GATES; n++) {
                int end = is_compat ? gates_of_systemd[n](&i) : gates[n](&i);

                if (end != GATE_PASS)
                        return (enum incoming_end)end;
        }
        net_sockopt_apply(i.fd, l->port, sock_conf(s), true, on_sockopt_failed, s);
        int r = connection_start(l, i.fd, &i.peer, &i.token, is_last);

        if (r >= 0)
                return INCOMING_SERVED;
        tell(&i, REFUSAL_FAILED, r, &i.peer);
        sock_on_instance_failed(s, r);
        return INCOMING_STOP;
}

void incoming_drop(struct listener *l, int fd, int error, usec_t now)
{
        struct incoming i = {.listener = l, .sock = l->sock, .fd = fd, .now = now};

        tell(&i, REFUSAL_FAILED, error, NULL);
        nowait_close(fd);
        sock_on_instance_failed(l->sock, error);
}
