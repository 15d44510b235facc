// What the state of its service means for a socket with Accept=no.
#include "base/clock.h"
#include "base/log.h"
#include "base/strv.h"
#include "core/condition/condition.h"
#include "core/service/service.h"
#include "core/socket/sock_priv.h"
#include "core/unit/index.h"
#include "core/unit/registry.h"

#include <stdio.h>

#define SKIP_TEXT_MAX 160

struct unit *sock_triggered(const struct sock *s)
{
        struct manager *m = s->unit.manager;
        CLEANUP(free) char *name = NULL;

        // With systemd, any service that has the socket in its Sockets= satisfies this.
        if (!manager_differs(m, DIFFERENCE_SIDECAR))
                return unit_triggered(&s->unit);
        if (!s->unit.conf->socket || sock_conf(s)->accept ||
            unit_conf_service_name(s->unit.conf, &name) < 0)
                return unit_triggered(&s->unit);
        return registry_find_unit(m, name);
}

bool sock_may_serve(struct sock *s, const struct unit_conf *service)
{
        CLEANUP(free) char *why = unit_conf_why_unguarded(s->unit.conf, service);

        if (!why)
                return true;
        log_unit(s->unit.id, LOG_ERR, 0, "Does not start: %s", why);
        sock_set_failure(s, TAKE(why));
        return false;
}

bool sock_service_permits_start(struct sock *s)
{
        struct unit *u = sock_triggered(s);

        if (u)
                (void)index_look_again(u); // without memory the file is not found
        if (!u || u->conf->load_state != LOAD_LOADED) {
                log_unit(s->unit.id, LOG_ERR, 0, "Does not start: its service %s is not there.",
                         u ? u->id : "");
                if (u)
                        sock_start_refused(&s->unit, u);
                return false;
        }
        if (!sock_may_serve(s, u->conf))
                return false;
        // Difference socket-restart: usher passes the descriptors at the service's next start.
        if (manager_differs(s->unit.manager, DIFFERENCE_SOCKET_RESTART))
                return true;
        struct service *service = CONTAINER_OF(u, struct service, unit);
        enum service_state state = service->run.state;

        if (state == SERVICE_DEAD || state == SERVICE_DEAD_RESOURCES_PINNED ||
            state == SERVICE_FAILED || state == SERVICE_AUTO_RESTART)
                return true;
        log_unit(s->unit.id, LOG_ERR, 0, "Cannot start: its service %s is already running.", u->id);
        return false;
}

// Did a condition skip the start that this socket last requested?
static bool was_skipped(const struct sock *s, const struct service *service)
{
        const struct unit *u = &service->unit;

        if (service->run.result == SERVICE_SKIP_CONDITION)
                return u->inactive_enter >= s->trigger_time;
        return !u->condition_result && u->condition_time >= s->trigger_time;
}

static void on_skipped(struct sock *s, const struct service *service)
{
        const struct unit *u = &service->unit;
        const int8_t *states = unit_condition_states(u, false);
        const struct condition *failed = NULL;
        char text[SKIP_TEXT_MAX] = "a condition";

        if (service->run.result == SERVICE_SKIP_CONDITION)
                snprintf(text, sizeof(text), "ExecCondition=");
        else if (states && condition_list_judge(&u->conf->unit->conditions, states, &failed) !=
                                   CONDITIONS_HOLD)
                condition_format(failed, "Condition", text, sizeof(text));
        sock_on_service_skipped(s, text);
}

void sock_trigger_notify(struct unit *u, struct unit *other)
{
        struct sock *s = sock_of(u);

        if (s->state != SOCK_LISTENING && s->state != SOCK_RUNNING)
                return;
        if (sock_conf(s)->accept || other->ops != &service_ops)
                return;
        if (manager_differs(u->manager, DIFFERENCE_SIDECAR) && other != sock_triggered(s))
                return;
        struct service *service = CONTAINER_OF(other, struct service, unit);

        if (other->start_limit_hit && service->run.state == SERVICE_FAILED) {
                sock_on_service_start_limit(s);
                return;
        }
        if (other->job)
                return;
        if (service_lets_socket_listen(service)) {
                if (s->state == SOCK_RUNNING && was_skipped(s, service))
                        on_skipped(s, service);
                if (s->state == SOCK_RUNNING)
                        sock_enter_listening(s);
        } else if (service->run.state == SERVICE_RUNNING && s->state == SOCK_LISTENING) {
                sock_enter_running(s);
        }
}

// ---- what the running service has, and we do not

// NULL: it does not run.
static const struct unit *find_running(const struct sock *s)
{
        bool is_handed_over = s->unit.conf->socket && !sock_conf(s)->accept;
        const struct unit *u = is_handed_over ? sock_triggered(s) : NULL;

        return u && u->ops == &service_ops && active_state_is_up(unit_active_state(u)) ? u : NULL;
}

void sock_note_lent(const struct listener *l)
{
        struct sock *s = l->sock;

        if (l->watch.fd < 0 || l->is_ours_alone || strv_contains(s->lent, l->port->text))
                return;
        (void)strv_push(&s->lent, l->port->text); // without memory it is not waited for
}

const char *sock_lent_to(const struct listener *l)
{
        const struct unit *u = find_running(l->sock);

        return u && strv_contains(l->sock->lent, l->port->text) ? u->id : NULL;
}

void sock_lent_done(struct sock *s)
{
        strv_free(TAKE(s->lent));
}

// ---- what the running service does not have

static bool lacks(const struct unit *service, const struct listener *l)
{
        return l->watch.fd >= 0 &&
               l->opened > MAX(service->inactive_exit, service_of(service)->main_status.start);
}

void sock_note_opened(struct listener *l)
{
        const struct sock *s = l->sock;
        const struct unit *u = find_running(s);

        l->opened = clock_now();
        if (u && lacks(u, l))
                log_unit(
                        s->unit.id, LOG_NOTICE, 0,
                        "%s runs already, without %s: it serves that after \"usherctl restart %s\".",
                        u->id, l->port->text, u->id);
}

const char *sock_lacking_text(const struct sock *s)
{
        const struct unit *u = find_running(s);

        for (size_t i = 0; u && i < s->n_listeners; i++)
                if (lacks(u, &s->listeners[i]))
                        return "Its service runs without an address that was opened later, and serves "
                               "it after a restart";
        return NULL;
}
