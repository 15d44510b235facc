// X-BindRetry=: an address, an interface or a name that does not exist yet. The other listeners
// work meanwhile; the missing one is retried when the kernel reports a new address, and from time
// to time.
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/socket/addresses.h"
#include "core/socket/sock_priv.h"

#define WAIT_FIRST (1 * USEC_PER_SEC)
#define WAIT_MAX (60 * USEC_PER_SEC)

struct sock_retry {
        struct sock *sock;
        struct address_waiter waiter;
        struct work work;
        struct timer timer;
        usec_t wait; // until the next try
        char *status_text;
};

// A port in use is not retried, because an administrator has to resolve the conflict. But a process
// of an earlier supervisor will end.
bool sock_is_retryable(const struct sock *s, const struct listener *l, int error)
{
        if (!manager_differs(s->unit.manager, DIFFERENCE_BIND_RETRY) || !sock_conf(s)->x_bind_retry)
                return false;
        if (l->held)
                return error == -EADDRINUSE;
        if (error == -EINPROGRESS) // its node is still being removed
                return true;
        return l->port->kind == PORT_SOCKET && l->port->address.addr.sa.sa_family != AF_UNIX &&
               (error == -EADDRNOTAVAIL || error == -ENODEV);
}

// The first that is missing, or NULL.
static const char *find_missing(const struct sock *s)
{
        const struct port *name = sock_names_missing(s);

        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].is_missing || s->listeners[i].is_joining)
                        return s->listeners[i].port->text;
        return name ? name->text : NULL;
}

static void try_all(struct sock *s)
{
        if (!sock_state_is_up(s->state))
                return;
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->is_missing && sock_open_later(l) == 0) {
                        l->is_missing = false;
                        log_unit(s->unit.id, LOG_NOTICE, 0, "Listening on %s at last",
                                 l->port->text);
                } else if (l->is_joining) {
                        sock_join_groups(l, NULL);
                }
        }
        if (sock_names_missing(s))
                (void)sock_names_ask(s); // a failure is logged, and retried
        sock_update_watch(s);
}

void sock_retry_now(struct sock *s)
{
        if (find_missing(s)) {
                try_all(s);
                sock_retry_update(s);
        }
}

static void on_time(struct timer *t, usec_t now UNUSED)
{
        struct sock_retry *r = CONTAINER_OF(t, struct sock_retry, timer);
        struct sock *s = r->sock;

        r->wait = MIN(r->wait * 2, WAIT_MAX);
        try_all(s); // r may have been freed
        sock_retry_update(s);
}

static void on_work(struct work *w)
{
        struct sock *s = CONTAINER_OF(w, struct sock_retry, work)->sock;

        try_all(s);
        sock_retry_update(s);
}

static void on_change(struct address_waiter *w)
{
        struct sock_retry *r = CONTAINER_OF(w, struct sock_retry, waiter);

        work_queue(r->sock->unit.manager->events, WORK_STATE, &r->work, on_work);
}

void sock_retry_update(struct sock *s)
{
        struct manager *m = s->unit.manager;
        struct sock_retry *r = s->retry;

        const char *missing = find_missing(s);

        if (!missing || !sock_state_is_up(s->state)) {
                sock_retry_done(s);
                return;
        }
        if (!r && (r = calloc(1, sizeof(*r)))) {
                r->sock = s;
                r->waiter.on_change = on_change;
                r->wait = WAIT_FIRST;
                s->retry = r;
        }
        if (!r || timer_set(m->events, &r->timer, usec_add(clock_now(), r->wait), on_time) < 0) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot retry missing addresses");
                return;
        }
        (void)addresses_wait(m, &r->waiter); // the timer expires in any case
        free(r->status_text);
        r->status_text = str_printf("Not there yet, trying again: %s", missing);
        unit_changed(&s->unit);
}

const char *sock_retry_status(const struct sock *s)
{
        return s->retry ? s->retry->status_text : NULL;
}

void sock_retry_done(struct sock *s)
{
        struct sock_retry *r = TAKE(s->retry);

        if (!r)
                return;
        addresses_unwait(s->unit.manager, &r->waiter);
        work_cancel(&r->work);
        timer_stop(s->unit.manager->events, &r->timer);
        free(r->status_text);
        free(r);
        unit_changed(&s->unit);
}
