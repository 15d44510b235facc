// Which listeners are polled.
#include "base/clock.h"
#include "base/log.h"
#include "core/socket/sock_priv.h"

bool sock_is_polled(const struct sock *s)
{
        return s->state == SOCK_LISTENING && s->pause == PAUSE_NONE;
}

// state: the one that counts.
static bool is_to_be_polled(const struct listener *l, enum sock_state state)
{
        return state == SOCK_LISTENING && l->sock->pause == PAUSE_NONE && l->watch.fd >= 0 &&
               !l->held && !timer_is_set(&l->poll_timer);
}

static int update(struct listener *l, enum sock_state state)
{
        struct events *e = l->sock->unit.manager->events;
        int r = 0;

        if (is_to_be_polled(l, state))
                r = watch_set(e, &l->watch, EPOLLIN);
        else
                watch_remove(e, &l->watch);
        if (r < 0)
                log_unit(l->sock->unit.id, LOG_ERR, -r, "Cannot watch %s", l->port->text);
        return r;
}

bool sock_begin_watch(struct sock *s, enum sock_state state)
{
        int r = 0;

        for (size_t i = 0; i < s->n_listeners && r == 0; i++)
                r = update(&s->listeners[i], state);
        if (r < 0 && s->unit.manager->options.compat_systemd) {
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return false;
        }
        if (r < 0)
                sock_on_exhausted(s, r); // nothing else keeps it from being polled
        return true;
}

void sock_update_watch(struct sock *s)
{
        (void)sock_begin_watch(s, s->state);
}

// ---- the limit of wake-ups

static void on_poll_again(struct timer *t, usec_t now UNUSED)
{
        sock_update_watch(CONTAINER_OF(t, struct listener, poll_timer)->sock);
}

void sock_poll_limit_count(struct listener *l, usec_t now)
{
        (void)rate_below(&l->poll_limit, now);
}

bool sock_poll_limit_hit(struct listener *l, usec_t now)
{
        const struct socket_group *conf = sock_conf(l->sock);
        struct events *e = l->sock->unit.manager->events;

        l->poll_limit.interval = conf->poll_limit_interval_sec;
        l->poll_limit.burst = conf->poll_limit_burst;
        if (rate_has_room(&l->poll_limit, now))
                return false;
        if (timer_set(e, &l->poll_timer, rate_window_end(&l->poll_limit, now), on_poll_again) < 0)
                return false; // polling on is better than never again
        (void)update(l, l->sock->state);
        log_unit(l->sock->unit.id, LOG_DEBUG, 0, "Poll limit of %s hit, not polling it for a while",
                 l->port->text);
        return true;
}

void sock_poll_limit_reset(struct sock *s)
{
        if (!s->unit.conf->socket || sock_conf(s)->accept)
                return;
        for (size_t i = 0; i < s->n_listeners; i++) {
                timer_stop(s->unit.manager->events, &s->listeners[i].poll_timer);
                rate_reset(&s->listeners[i].poll_limit);
        }
}
