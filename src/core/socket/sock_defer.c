// DeferTrigger=: if starting the service would stop another unit, the start is deferred. Meanwhile
// the socket is in state `deferred`, and polls nothing.
#include "base/clock.h"
#include "base/log.h"
#include "conf/enums.h"
#include "core/socket/sock_priv.h"
#include "core/unit/job.h"

struct sock_defer {
        struct sock *sock;
        struct core_observer observer; // of changes that may allow the start
        struct work retry;
        struct timer timer; // DeferTriggerMaxSec=
};

static void on_retry(struct work *w)
{
        struct sock_defer *d = CONTAINER_OF(w, struct sock_defer, retry);
        struct sock *s = d->sock;

        if (sock_request_service(s) != REQUEST_DESTRUCTIVE ||
            sock_conf(s)->defer_trigger == DEFER_PATIENT || job_count(s->unit.manager) > 0)
                return;
        log_unit(s->unit.id, LOG_WARNING, 0,
                 "No job is pending that would allow its service to start, giving up.");
        sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
}

static void retry_later(struct core_observer *o)
{
        struct sock_defer *d = CONTAINER_OF(o, struct sock_defer, observer);

        work_queue(d->sock->unit.manager->events, WORK_STATE, &d->retry, on_retry);
}

static void on_unit_changed(struct core_observer *o, struct unit *u)
{
        if (active_state_is_inactive_or_failed(unit_active_state(u)))
                retry_later(o);
}

static void on_job_removed(struct core_observer *o, struct job *j UNUSED, const char *result UNUSED)
{
        retry_later(o);
}

static void on_timeout(struct timer *t, usec_t now UNUSED)
{
        struct sock *s = CONTAINER_OF(t, struct sock_defer, timer)->sock;

        log_unit(s->unit.id, LOG_WARNING, 0, "DeferTriggerMaxSec= is over, giving up.");
        sock_enter_stop_pre(s, SOCK_FAILURE_TIMEOUT);
}

void sock_enter_deferred(struct sock *s)
{
        struct manager *m = s->unit.manager;
        usec_t span = sock_conf(s)->defer_trigger_max_sec;

        if (s->defer)
                return; // it has been tried again without success
        struct sock_defer *d = calloc(1, sizeof(*d));

        if (d)
                *d = (struct sock_defer){.sock = s,
                                         .observer = {.on_unit_changed = on_unit_changed,
                                                      .on_job_removed = on_job_removed}};
        if (!d || (span != USEC_INFINITY &&
                   timer_set(m->events, &d->timer, usec_add(clock_now(), span), on_timeout) < 0)) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot wait for its service");
                free(d);
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return;
        }
        s->defer = d;
        manager_add_observer(m, &d->observer);
        sock_set_state(s, SOCK_DEFERRED);
        retry_later(&d->observer); // if no job is pending, nothing else would end the wait
}

void sock_defer_done(struct sock *s)
{
        struct sock_defer *d = TAKE(s->defer);

        if (!d)
                return;
        manager_remove_observer(s->unit.manager, &d->observer);
        work_cancel(&d->retry);
        timer_stop(s->unit.manager->events, &d->timer);
        free(d);
}
