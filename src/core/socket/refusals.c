#include "core/socket/refusals.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/socket/admit.h"
#include "core/socket/sock.h"
#include "core/unit/manager.h"

#include <stdio.h>

struct refusals {
        struct sock *sock;
        struct timer timer; // the end of the interval, once something was left out
        usec_t begin;       // of the interval
        struct {
                unsigned logged;
                uint64_t left_out;
        } by[_REFUSAL_MAX];
};

static const struct {
        const char *name, *text;
} reasons[_REFUSAL_MAX] = {
        [REFUSAL_FULL] = {"MaxConnections=", "MaxConnections= is reached"},
        [REFUSAL_SOURCE] = {"MaxConnectionsPerSource=", "MaxConnectionsPerSource= is reached"},
        [REFUSAL_STOPPING] = {"stop", "the socket is about to stop"},
        [REFUSAL_LIMIT] = {"trigger limit", "the trigger limit is hit"},
        [REFUSAL_SERVICE] = {"LimitNPROC=", "LimitNPROC= of its service is reached"},
        [REFUSAL_FAILED] = {"failures", "it cannot be served"},
};

static void log_line(const struct sock *s, const struct refused *r)
{
        char peer[PEER_TEXT_MAX] = "", live[32] = "";
        struct peer_info asked;

        if (r->peer)
                peer_format_text(r->peer, r->log_peer, peer);
        else if (r->log_peer != LOG_PEER_NONE && peer_info_get(r->fd, NULL, &asked) == 0)
                peer_format_text(&asked, r->log_peer, peer);
        if (r->why == REFUSAL_GONE) {
                log_unit(s->unit.id, LOG_INFO, 0,
                         "The peer closed %s%s before the connection was served",
                         peer[0] ? "a connection from " : "a connection", peer);
                return;
        }
        if (r->why == REFUSAL_FULL)
                snprintf(live, sizeof(live), " (%u live)", admit_count(s->admit));
        log_unit(s->unit.id, LOG_WARNING, r->error, "Refused %s%s: %s%s",
                 peer[0] ? "connection from " : "a connection", peer, reasons[r->why].text, live);
}

// What was left out since the interval began.
static void log_rest(struct refusals *all, usec_t now)
{
        const struct sock *s = all->sock;
        CLEANUP(buf) struct buf by_reason = BUF_NULL;
        char span[USEC_SPAN_MAX];
        uint64_t n = 0, n_gone = all->by[REFUSAL_GONE].left_out;

        usec_format_span(usec_sub(now, all->begin), USEC_PER_MSEC, span, sizeof(span));
        for (int i = 0; i < REFUSAL_GONE; i++) {
                if (all->by[i].left_out == 0)
                        continue;
                n += all->by[i].left_out;
                buf_printf(&by_reason, "%s%s %llu", by_reason.size > 0 ? ", " : "", reasons[i].name,
                           (unsigned long long)all->by[i].left_out);
        }
        if (n > 0)
                log_unit(s->unit.id, LOG_WARNING, 0, "Refused %llu more connections within %s (%s)",
                         (unsigned long long)n, span,
                         by_reason.error ? "no memory for the reasons" : buf_text(&by_reason));
        if (n_gone > 0)
                log_unit(s->unit.id, LOG_INFO, 0,
                         "Peers closed %llu more connections before they were served within %s",
                         (unsigned long long)n_gone, span);
}

static void end_interval(struct refusals *all, usec_t now)
{
        log_rest(all, now);
        timer_stop(all->sock->unit.manager->events, &all->timer);
        memset(all->by, 0, sizeof(all->by));
        all->begin = now;
}

static void on_interval_over(struct timer *t, usec_t now)
{
        end_interval(CONTAINER_OF(t, struct refusals, timer), now);
}

// May this one be logged?
static bool count(struct refusals *all, enum refusal why, usec_t now)
{
        struct events *e = all->sock->unit.manager->events;
        usec_t end = usec_add(all->begin, REFUSALS_INTERVAL);

        if (now >= end)
                end_interval(all, now);
        if (all->by[why].logged < REFUSALS_BURST) {
                all->by[why].logged++;
                return true;
        }
        all->by[why].left_out++;
        // Without memory for the timer, the next refusal after the interval does the same.
        if (!timer_is_set(&all->timer))
                (void)timer_set(e, &all->timer, end, on_interval_over);
        return false;
}

void refusals_tell(struct sock *s, const struct refused *refused, usec_t now)
{
        if (!s->refusals) {
                s->refusals = calloc(1, sizeof(*s->refusals));
                if (!s->refusals)
                        return; // it is counted
                s->refusals->sock = s;
                s->refusals->begin = now;
        }
        if (count(s->refusals, refused->why, now))
                log_line(s, refused);
}

void refusals_done(struct sock *s)
{
        if (!s->refusals)
                return;
        end_interval(s->refusals, clock_now());
        free(TAKE(s->refusals));
}
