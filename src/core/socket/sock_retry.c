// X-BindRetry=: what a socket needs and is not there yet (core/socket/absence.h). What can be
// listened on is served meanwhile; the rest is tried again at growing intervals, when the kernel
// reports a new address, and when a start is requested. Differences bind-retry and not-there-yet.
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/unit_name.h"
#include "core/socket/addresses.h"
#include "core/socket/sock_priv.h"
#include "core/unit/index.h"
#include "core/unit/registry.h"

#include <stdio.h>

#define WAIT_FIRST (1 * USEC_PER_SEC)
#define WAIT_MAX (60 * USEC_PER_SEC)
// Those that wait for the same thing try at the same moment, so that one look is enough for all.
#define TICK (1 * USEC_PER_SEC)

struct sock_retry {
        struct sock *sock;
        struct address_waiter waiter;
        struct work work;
        struct timer timer;
        usec_t wait, until; // until the next try
        unsigned n_tries;
        char *text;
};

bool sock_may_wait(const struct sock *s, enum absence absence)
{
        bool is_network =
                absence == ABSENT_ADDRESS || absence == ABSENT_INTERFACE || absence == ABSENT_NAME;

        return manager_differs(s->unit.manager,
                               is_network ? DIFFERENCE_BIND_RETRY : DIFFERENCE_NOT_THERE_YET) &&
               s->unit.conf->socket && sock_conf(s)->x_bind_retry;
}

// A port in use is not retried, because an administrator has to resolve the conflict. But a process
// of an earlier supervisor will end, and so will the service, which got the socket from us.
enum absence sock_absence(const struct listener *l, int error)
{
        const struct sock *s = l->sock;
        bool is_up = sock_state_is_open(s->state);
        enum absence a = error == -EADDRINUSE && (l->held || sock_lent_to(l))
                                 ? ABSENT_HOLDER
                                 : absence_of_error(l->port, error, is_up);

        if (a != ABSENT_NOTHING && !sock_may_wait(s, a))
                a = ABSENT_NOTHING;
        // What was waited for has come, and with it another fault.
        if (a == ABSENT_NOTHING && is_up && l->absence != ABSENT_NOTHING)
                a = ABSENT_REPAIR;
        return a;
}

static bool is_owner(enum absence a)
{
        return a == ABSENT_USER || a == ABSENT_GROUP || a == ABSENT_NAME_SERVICE;
}

const char *sock_absence_text(const struct listener *l, char *buf, size_t size)
{
        const struct sock *s = l->sock;
        const char *what = l->port->text, *device = sock_conf(s)->bind_to_device;
        enum absence a = l->absence;

        if (is_owner(a) && s->owner)
                what = sock_owner_name(s);
        else if (l->is_joining || (a == ABSENT_INTERFACE && !device))
                a = ABSENT_INTERFACE;
        else if (a == ABSENT_INTERFACE)
                what = device;
        return absence_format(a, what, buf, size);
}

static bool needs_network(const struct listener *l)
{
        return l->is_joining || l->absence == ABSENT_ADDRESS || l->absence == ABSENT_INTERFACE;
}

// How many things are missing; the first as text.
static size_t find_missing(const struct sock *s, char *buf, size_t size)
{
        const struct port *name = s->unit.conf->socket ? sock_names_missing(s) : NULL;
        enum absence owner = sock_owner_missing(s);
        size_t n = 0;

        if (s->missing_unit && n++ == 0)
                absence_format(ABSENT_UNIT, s->missing_unit, buf, size);
        if (owner != ABSENT_NOTHING && n++ == 0)
                absence_format(owner, sock_owner_name(s), buf, size);
        for (size_t i = 0; i < s->n_listeners; i++) {
                const struct listener *l = &s->listeners[i];

                if ((l->absence != ABSENT_NOTHING || l->is_joining) && !is_owner(l->absence) &&
                    n++ == 0)
                        sock_absence_text(l, buf, size);
        }
        if (name && n++ == 0)
                absence_format(ABSENT_NAME, name->text, buf, size);
        return n;
}

// ---- a unit that is missing

int sock_await_unit(struct sock *s, const char *name)
{
        bool is_news = !s->missing_unit || !streq(s->missing_unit, name);
        const char *for_what = unit_name_is_template(name) ? "to serve connections" : "to start";
        char *copy;

        if (!sock_may_wait(s, ABSENT_UNIT))
                return -EPERM;
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        log_unit(s->unit.id, is_news ? LOG_WARNING : LOG_DEBUG, 0,
                 "Waiting for unit %s %s; \"usherctl stop %s\" ends this.", name, for_what,
                 s->unit.id);
        free(s->missing_unit);
        s->missing_unit = copy;
        sock_retry_update(s);
        return 0;
}

void sock_unawait_unit(struct sock *s)
{
        if (!s->missing_unit)
                return;
        free(TAKE(s->missing_unit));
        sock_retry_update(s);
}

// What is masked is so on purpose.
void sock_start_refused(struct unit *u, const struct unit *culprit)
{
        struct sock *s = sock_of(u);
        enum load_state why = culprit->conf->load_state;

        if (culprit != u && (s->state == SOCK_DEAD || s->state == SOCK_FAILED) &&
            (why == LOAD_NOT_FOUND || why == LOAD_BAD_SETTING || why == LOAD_ERROR))
                (void)sock_await_unit(s, culprit->id); // without memory it is not tried again
}

void sock_stop_again(struct unit *u)
{
        sock_unawait_unit(sock_of(u));
}

// A unit that is loaded is not read again before a reload, but a new file is found.
static bool is_there(struct manager *m, const char *name)
{
        struct unit *u = NULL;

        return registry_load_unit(m, name, &u) == 0 && index_look_again(u) == 0 &&
               u->conf->load_state == LOAD_LOADED;
}

static void try_unit(struct sock *s)
{
        struct request_failure failure;

        if (sock_state_is_up(s->state)) {
                sock_template_try(s);
                return;
        }
        if (s->unit.job || !is_there(s->unit.manager, s->missing_unit))
                return;
        log_unit(s->unit.id, LOG_NOTICE, 0, "Unit %s is there at last, starting.", s->missing_unit);
        free(TAKE(s->missing_unit));

        if (job_request(s->unit.manager, JOB_START, &s->unit, JOB_FAIL, NULL, &failure) !=
                    REQUEST_OK &&
            !s->missing_unit)
                log_unit(s->unit.id, LOG_ERR, 0, "Cannot be started: %s", failure.text);
}

// ---- the tries

static void try_all(struct sock *s)
{
        s->retry->n_tries++;
        if (s->missing_unit)
                try_unit(s);
        if (!sock_state_is_open(s->state))
                return;
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->absence != ABSENT_NOTHING && !is_owner(l->absence)) {
                        if (sock_open_later(l) == 0)
                                sock_note_there(l);
                } else if (l->is_joining) {
                        sock_join_groups(l, NULL);
                }
        }
        if (sock_names_missing(s))
                (void)sock_names_ask(s); // a failure is logged, and retried
        if (sock_owner_missing(s) != ABSENT_NOTHING && !sock_owner_is_asked(s))
                (void)sock_owner_ask(s); // without memory it is asked the next time
        sock_update_watch(s);
}

void sock_note_there(struct listener *l)
{
        if (l->absence != ABSENT_NOTHING)
                log_unit(l->sock->unit.id, LOG_NOTICE, 0, "Listening on %s at last", l->port->text);
        l->absence = ABSENT_NOTHING;
}

void sock_retry_now(struct sock *s)
{
        if (!s->retry || s->unit.manager->is_stopping)
                return;
        try_all(s); // s->retry may have been freed
        sock_retry_update(s);
}

static void on_time(struct timer *t, usec_t now UNUSED)
{
        struct sock_retry *r = CONTAINER_OF(t, struct sock_retry, timer);

        r->wait = MIN(r->wait * 2, WAIT_MAX);
        sock_retry_now(r->sock);
}

static void on_work(struct work *w)
{
        sock_retry_now(CONTAINER_OF(w, struct sock_retry, work)->sock);
}

static void on_change(struct address_waiter *w)
{
        struct sock_retry *r = CONTAINER_OF(w, struct sock_retry, waiter);

        work_queue(r->sock->unit.manager->events, WORK_STATE, &r->work, on_work);
}

static void await_network(struct sock *s)
{
        bool is_needed = false;

        for (size_t i = 0; i < s->n_listeners; i++)
                is_needed |= needs_network(&s->listeners[i]);
        if (is_needed)
                (void)addresses_wait(s->unit.manager, &s->retry->waiter); // the timer expires, too
        else
                addresses_unwait(s->unit.manager, &s->retry->waiter);
}

void sock_retry_update(struct sock *s)
{
        struct manager *m = s->unit.manager;
        struct sock_retry *r = s->retry;
        char what[ABSENCE_TEXT_MAX];

        if ((!sock_state_is_up(s->state) && !s->missing_unit) ||
            find_missing(s, what, sizeof(what)) == 0) {
                sock_retry_done(s);
                return;
        }
        if (!r && (r = calloc(1, sizeof(*r)))) {
                r->sock = s;
                r->waiter.on_change = on_change;
                r->wait = WAIT_FIRST;
                r->n_tries = 1;
                s->retry = r;
        }
        if (r && (!timer_is_set(&r->timer) || clock_now() >= r->until)) {
                r->until = usec_add(clock_now(), r->wait + TICK - 1) / TICK * TICK;
                if (timer_set(m->events, &r->timer, r->until, on_time) < 0)
                        r = NULL;
        }
        if (!r) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot try again what is missing");
                return;
        }
        await_network(s);
        unit_changed(&s->unit);
}

const char *sock_retry_status(const struct sock *s)
{
        struct sock_retry *r = s->retry;
        char what[ABSENCE_TEXT_MAX], more[32] = "", tries[32] = "once", span[USEC_SPAN_MAX],
                                     next[USEC_SPAN_MAX + 16] = "trying now";
        size_t n = r ? find_missing(s, what, sizeof(what)) : 0;
        usec_t now = clock_now();

        if (n == 0)
                return NULL;
        if (n > 1)
                (void)snprintf(more, sizeof(more), " and %zu more", n - 1);
        if (r->n_tries > 1)
                (void)snprintf(tries, sizeof(tries), "%u times", r->n_tries);
        if (!sock_owner_is_asked(s) && r->until > now)
                (void)snprintf(next, sizeof(next), "retry in %s",
                               usec_format_span((r->until - now + USEC_PER_SEC - 1) / USEC_PER_SEC *
                                                        USEC_PER_SEC,
                                                USEC_PER_SEC, span, sizeof(span)));
        free(r->text);
        r->text = str_printf("Waiting for %s%s (%s, tried %s)", what, more, next, tries);
        return r->text;
}

void sock_retry_done(struct sock *s)
{
        struct sock_retry *r = TAKE(s->retry);

        if (!r)
                return;
        addresses_unwait(s->unit.manager, &r->waiter);
        work_cancel(&r->work);
        timer_stop(s->unit.manager->events, &r->timer);
        free(r->text);
        free(r);
        unit_changed(&s->unit);
}
