// A restart while the service runs (difference socket-restart): the service has the same open
// sockets, so their addresses cannot be bound again. The descriptors are kept from the stop until
// the start, so no connection is lost in between. If no start follows they are closed.
#include "core/socket/sock_priv.h"
#include "core/unit/job.h"

struct sock_park {
        struct sock *sock;
        struct core_observer observer; // reports the end of the restart
        struct work work;
};

static void on_over(struct work *w)
{
        struct sock *s = CONTAINER_OF(w, struct sock_park, work)->sock;

        if (s->unit.job || (s->state != SOCK_DEAD && s->state != SOCK_FAILED))
                return;
        sock_park_done(s);
        sock_close(s, true);
}

static void on_job_removed(struct core_observer *o, struct job *j, const char *result UNUSED)
{
        struct sock_park *p = CONTAINER_OF(o, struct sock_park, observer);

        if (j->unit == &p->sock->unit)
                work_queue(p->sock->unit.manager->events, WORK_STATE, &p->work, on_over);
}

void sock_park(struct sock *s)
{
        const struct job *j = s->unit.job;
        const struct unit *service = sock_triggered(s);
        bool is_restart = j && j->type == JOB_RESTART &&
                          manager_differs(s->unit.manager, DIFFERENCE_SOCKET_RESTART);

        if (s->park || !is_restart || sock_conf(s)->accept || !service ||
            active_state_is_inactive_or_failed(unit_active_state(service)))
                return;
        s->park = calloc(1, sizeof(*s->park));
        if (!s->park)
                return; // then the addresses have to be bound again
        *s->park = (struct sock_park){.sock = s, .observer = {.on_job_removed = on_job_removed}};
        manager_add_observer(s->unit.manager, &s->park->observer);
}

void sock_park_done(struct sock *s)
{
        struct sock_park *p = TAKE(s->park);

        if (!p)
                return;
        manager_remove_observer(s->unit.manager, &p->observer);
        work_cancel(&p->work);
        free(p);
}
