// Handles traffic: starts a job for the service (Accept=no), or accepts connections (Accept=yes),
// each of which is passed to core/socket/incoming.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "conf/enums.h"
#include "core/service/service.h"
#include "core/socket/admit.h"
#include "core/socket/incoming.h"
#include "core/socket/sock_priv.h"
#include "core/start/spawner.h"
#include "core/unit/collect.h"
#include "core/unit/job.h"
#include "net/accept.h"

#include <sys/epoll.h>

// Connections taken for one wake-up: enough to spare epoll_wait calls, few enough to be fair to
// others.
#define ACCEPT_BATCH 32

// ---- Accept=no

enum request_error sock_request_service(struct sock *s)
{
        struct unit *u = sock_triggered(s);
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
        } else if (error == REQUEST_FAILED &&
                   manager_differs(s->unit.manager, DIFFERENCE_EXHAUSTION)) {
                sock_on_exhausted(s, ENOMEM);
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

static void trigger_service(struct sock *s, usec_t now)
{
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
        (void)rate_below(&s->trigger_limit,
                         now); // counts; the check above has shown that there is room
        s->trigger_time = now;
        (void)sock_request_service(s);
}

// ---- Accept=yes

static bool is_queueing(const struct sock *s)
{
        return sock_conf(s)->x_max_connections_action == MAX_CONNECTIONS_QUEUE;
}

// Before a connection is accepted: is there a reason to leave it in the backlog? *ret_template:
// otherwise 0, or why its template is unusable.
static bool must_wait(struct sock *s, usec_t now, int *ret_template)
{
        struct spawner *spawner = s->unit.manager->spawner;

        if (is_queueing(s) && admit_count(s->admit) >= sock_conf(s)->max_connections) {
                sock_pause_begin(s, PAUSE_FULL, USEC_INFINITY,
                                 "MaxConnections= reached, connections wait in the backlog");
                return true;
        }
        if (sock_pauses(s) && !sock_may_trigger(s, now)) {
                sock_on_trigger_limit(s, now);
                return true;
        }
        if (!manager_differs(s->unit.manager, DIFFERENCE_EXHAUSTION))
                return false;
        int lacking = spawner_has_reserve(spawner) ? spawner_exhaustion(spawner) : EMFILE;

        // If the template is unusable the connection is accepted nevertheless, and closed.
        if (lacking == 0) {
                *ret_template = sock_template_load(s);
                lacking = fail_is_exhaustion(*ret_template) ? -*ret_template : 0;
        }
        if (lacking > 0)
                sock_on_exhausted(s, lacking);
        return lacking > 0;
}

static void on_accept_failed(struct listener *l, int error)
{
        struct sock *s = l->sock;
        bool is_exhausted = fail_is_exhaustion(error);

        if (is_exhausted && manager_differs(s->unit.manager, DIFFERENCE_EXHAUSTION)) {
                sock_on_exhausted(s, error);
        } else if (!is_exhausted &&
                   manager_differs(s->unit.manager, DIFFERENCE_LISTENER_REOPENED)) {
                sock_on_trouble(l, 0, error);
        } else {
                log_unit(s->unit.id, LOG_ERR, error, "Failed to accept on %s", l->port->text);
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
        }
}

// Accepts one connection from the backlog. False: no further one should be accepted now.
static bool accept_one(struct listener *l, usec_t now, bool is_first, unsigned *n_served)
{
        struct sock *s = l->sock;
        int fd = -1, template = 0;
        struct address remote;

        if (must_wait(s, now, &template))
                return false;
        int r = net_accept(l->watch.fd, l->is_ours_alone, &remote, &fd);

        if (r == ACCEPT_NONE)
                return false;
        if (r < 0) {
                on_accept_failed(l, -r);
                return false;
        }
        if (template <0) {
                incoming_drop(l, fd, template, now);
                return false;
        }
        bool is_last = is_first && !net_has_connection(l->watch.fd);
        enum incoming_end end = incoming_pass(l, fd, &remote, now, is_last);

        *n_served += end == INCOMING_SERVED;
        // A state change may free the listener: check before it is used again.
        return end != INCOMING_STOP && sock_is_polled(s) && !is_last;
}

// As many as are fair to others. The number of those that are served.
static unsigned accept_connections(struct listener *l, usec_t now)
{
        unsigned n_served = 0;

        for (unsigned i = 0; i < ACCEPT_BATCH && accept_one(l, now, i == 0, &n_served); i++)
                ;
        return n_served;
}

void sock_on_readable(struct watch *w, uint32_t revents)
{
        struct listener *l = CONTAINER_OF(w, struct listener, watch);
        struct sock *s = l->sock;
        usec_t now = clock_now();

        if (s->state != SOCK_LISTENING)
                return;
        if (revents != EPOLLIN && manager_differs(s->unit.manager, DIFFERENCE_LISTENER_REOPENED)) {
                sock_on_trouble(l, revents, 0);
                return;
        }
        if (revents != EPOLLIN) {
                log_unit(s->unit.id, LOG_ERR, 0,
                         "Got unexpected poll event (0x%x) on %s: was it shut down by its service?",
                         revents, l->port->text);
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return;
        }
        if (sock_poll_limit_hit(l, now))
                return;
        if (!sock_conf(s)->accept) {
                sock_poll_limit_count(l, now);
                trigger_service(s, now);
        } else if (!manager_differs(s->unit.manager, DIFFERENCE_REFUSED_UNCOUNTED)) {
                sock_poll_limit_count(l, now);
                (void)accept_connections(l, now);
        } else if (accept_connections(l, now) > 0) {
                sock_poll_limit_count(l, now);
        }
}

void sock_on_place_free(struct sock *s)
{
        unit_changed(&s->unit);
        spawner_try_again(s->unit.manager->spawner);
        if (s->pause == PAUSE_FULL && admit_count(s->admit) < sock_conf(s)->max_connections) {
                sock_pause_end(s);
                sock_enter_listening(s);
        }
}

void sock_on_connection_end(struct sock *s)
{
        if (list_is_empty(&s->connections))
                trim_later(&s->unit.manager->trim);
        collect_unit_later(&s->unit);
}

void sock_on_instance_failed(struct sock *s, int error)
{
        if (fail_is_exhaustion(error) && manager_differs(s->unit.manager, DIFFERENCE_EXHAUSTION))
                sock_on_exhausted(s, error);
        else
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
}
