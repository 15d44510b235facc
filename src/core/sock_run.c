// What happens on traffic: one start job for the service (Accept=no), or a connection accepted,
// admitted and handed to an instance (Accept=yes).
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/enums.h"
#include "core/instance.h"
#include "core/job.h"
#include "core/service.h"
#include "core/sock_priv.h"
#include "core/spawner.h"
#include "net/accept.h"
#include "net/peer.h"
#include "net/sockopt.h"

#include <sys/epoll.h>

// Connections taken for one wake-up: enough to spare epoll_wait calls, few enough to be fair to
// others.
#define ACCEPT_BATCH 32

// ---- Accept=no

enum request_error sock_request_service(struct sock *s)
{
        struct unit *u = unit_triggered(&s->unit);
        bool may_wait = sock_conf(s)->defer_trigger != DEFER_NO;
        struct request_failure why = {0};

        if (!u) {
                log_unit(s->unit.id, LOG_ERR, 0, "Its service is gone");
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return REQUEST_NO_SUCH_UNIT;
        }
        if (!active_state_is_inactive_or_failed(unit_active_state(u)) || u->job) {
                sock_enter_running(s);
                return REQUEST_OK;
        }
        enum request_error error = job_request(s->unit.manager, JOB_START, u,
                                               may_wait ? JOB_LENIENT : JOB_REPLACE, NULL, &why);

        if (error == REQUEST_OK) {
                sock_enter_running(s);
        } else if (error == REQUEST_DESTRUCTIVE && may_wait) {
                log_unit(s->unit.id, LOG_DEBUG, 0, "Its service has to wait: %s", why.text);
                sock_enter_deferred(s);
        } else {
                log_unit(s->unit.id, LOG_WARNING, 0, "Failed to queue start of %s: %s", u->id,
                         why.text);
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
        }
        return error;
}

static void trigger_service(struct sock *s)
{
        usec_t now = clock_now();

        if (job_is_stop_pending(&s->unit)) {
                log_unit(s->unit.id, LOG_DEBUG, 0,
                         "Traffic, but a stop is pending: not for its service");
                sock_flush(s);
                return;
        }
        if (!sock_may_trigger(s, now)) {
                sock_on_trigger_limit(s, now);
                return;
        }
        (void)rate_below(&s->trigger_limit, now); // counts; that there is room was just seen
        s->trigger_time = now;
        (void)sock_request_service(s);
}

// ---- Accept=yes

static void refuse(struct sock *s, int fd, uint64_t *counter)
{
        fd_close(fd);
        s->n_refused++;
        (*counter)++;
        unit_changed(&s->unit);
}

static void log_refusals(struct sock *s, const char *what, usec_t now)
{
        // One line a second at the most says how many there were.
        if (s->refusals_logged != 0 && now < usec_add(s->refusals_logged, USEC_PER_SEC))
                return;
        log_unit(s->unit.id, LOG_WARNING, 0,
                 "Too many incoming connections (%u live, %s reached), %llu refused so far.",
                 admit_count(s->admit), what, (unsigned long long)s->n_refused);
        s->refusals_logged = now;
}

static void on_sockopt_failed(const struct net_sockopt_failure *f, void *data)
{
        const struct sock *s = data;

        log_unit(s->unit.id, LOG_DEBUG, f->error, "%s= cannot be set on a connection",
                 f->directive);
}

static bool is_queueing(const struct sock *s)
{
        return sock_conf(s)->x_max_connections_action == MAX_CONNECTIONS_QUEUE;
}

// Takes over fd. False: stop accepting for now.
static bool on_connection(struct listener *l, int fd, usec_t now)
{
        struct sock *s = l->sock;
        const struct socket_group *conf = sock_conf(s);
        struct admit_limits limits = {.max_connections = conf->max_connections,
                                      .max_per_source = conf->max_connections_per_source};
        struct admit_token token = {0};
        struct peer_info peer;
        struct peer_key key = {0};

        net_sockopt_apply(fd, l->port, conf, true, on_sockopt_failed, s);
        if (job_is_stop_pending(&s->unit)) {
                refuse(s, fd, &s->n_refused_stopping);
                return true;
        }
        if (!rate_below(&s->trigger_limit,
                        now)) { // only systemd's way comes here, see sock_may_trigger
                refuse(s, fd, &s->n_refused_limit);
                sock_on_trigger_limit(s, now);
                return false;
        }
        bool is_counted = limits.max_per_source > 0 &&
                          // systemd counts local peers by user since v256 only
                          !(s->unit.manager->options.compat_systemd &&
                            l->port->address.addr.sa.sa_family == AF_UNIX);
        int r = peer_info_get(fd, conf->transparent ? NULL : peer_known_local(&l->port->address),
                              &peer);

        if (r < 0) {
                s->n_aborted += r == -ENOTCONN;
                fd_close(fd);
                if (r != -ENOTCONN)
                        goto failed;
                return true;
        }
        bool has_key = is_counted && peer_get_key(&peer, &key);

        r = s->admit ? 0 : admit_new(&s->admit);
        if (r == 0)
                r = admit_try(s->admit, &limits, has_key ? key.bytes : NULL, key.size, &token);
        if (r == ADMIT_FULL || r == ADMIT_SOURCE_FULL) {
                refuse(s, fd, r == ADMIT_FULL ? &s->n_refused_full : &s->n_refused_source);
                log_refusals(s,
                             r == ADMIT_FULL ? "MaxConnections=" : "MaxConnectionsPerSource=", now);
                return true;
        }
        if (r < 0) {
                fd_close(fd);
                sock_on_exhausted(s, -r);
                return false;
        }
        r = instance_start(s, fd, &peer, &token);
        if (r >= 0)
                return true;
failed:
        sock_on_instance_failed(s, r);
        return s->state == SOCK_LISTENING && s->pause == PAUSE_NONE;
}

// Before a connection is taken: is there a reason to leave it in the backlog?
static bool must_wait(struct sock *s, usec_t now)
{
        if (is_queueing(s) && admit_count(s->admit) >= sock_conf(s)->max_connections) {
                sock_pause_begin(s, PAUSE_FULL, USEC_INFINITY,
                                 "MaxConnections= reached, connections wait in the backlog");
                return true;
        }
        if (sock_pauses(s) && !sock_may_trigger(s, now)) {
                sock_on_trigger_limit(s, now);
                return true;
        }
        return false;
}

static void accept_connections(struct listener *l)
{
        struct sock *s = l->sock;
        usec_t now = clock_now();

        for (unsigned i = 0; i < ACCEPT_BATCH; i++) {
                int fd = -1;

                if (must_wait(s, now))
                        return;
                if (!s->unit.manager->options.compat_systemd &&
                    !spawner_has_reserve(s->unit.manager->spawner)) {
                        sock_on_exhausted(s, EMFILE);
                        return;
                }
                int r = net_accept(l->watch.fd, &fd);

                if (r == ACCEPT_NONE)
                        return;
                if (r == ACCEPT_EXHAUSTED && !s->unit.manager->options.compat_systemd) {
                        sock_on_exhausted(s, errno);
                        return;
                }
                if (r < 0 || r == ACCEPT_EXHAUSTED) {
                        log_unit(s->unit.id, LOG_ERR, r < 0 ? -r : errno, "Failed to accept on %s",
                                 l->port->text);
                        sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                        return;
                }
                bool is_last = i == 0 && !net_has_connection(l->watch.fd);

                // A listener may go with its state: look before it is touched again.
                spawner_set_calm(s->unit.manager->spawner, is_last);
                bool goes_on = on_connection(l, fd, now) && s->state == SOCK_LISTENING;

                spawner_set_calm(s->unit.manager->spawner, false);
                if (!goes_on || is_last)
                        return;
        }
}

void sock_on_readable(struct watch *w, uint32_t revents)
{
        struct listener *l = CONTAINER_OF(w, struct listener, watch);
        struct sock *s = l->sock;

        if (s->state != SOCK_LISTENING)
                return;
        if (revents != EPOLLIN) {
                log_unit(s->unit.id, LOG_ERR, 0,
                         "Got unexpected poll event (0x%x) on %s: was it shut down by its service?",
                         revents, l->port->text);
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return;
        }
        if (sock_poll_limit_hit(l, clock_now()))
                return;
        if (sock_conf(s)->accept)
                accept_connections(l);
        else
                trigger_service(s);
}

void sock_on_run_end(struct sock *s)
{
        s->n_connections--;
        unit_changed(&s->unit);
        if (s->n_connections == 0)
                manager_trim_later(s->unit.manager);
        if (s->pause == PAUSE_FULL && admit_count(s->admit) < sock_conf(s)->max_connections) {
                sock_pause_end(s);
                sock_enter_listening(s);
        }
        manager_collect_unit(&s->unit);
}

void sock_on_instance_failed(struct sock *s, int error)
{
        if (error == -EMFILE || error == -ENFILE || error == -ENOMEM || error == -EAGAIN) {
                if (!s->unit.manager->options.compat_systemd) {
                        sock_on_exhausted(s, -error);
                        return;
                }
        }
        sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
}
