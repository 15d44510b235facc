// Pauses: instead of failing for good, a socket that meets a limit stops polling for a while and
// comes back by itself (conf/differences.def: trigger-limit, service-start-limit, skipped-service,
// exhaustion). The state stays `listening`, the status text says why and until when; clients wait
// in the backlog.
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/enums.h"
#include "core/socket/sock_priv.h"
#include "core/start/spawner.h"

#include <stdio.h>
#include <time.h>

// The first pause lasts for the limit's own interval; each pause that follows without a calm time
// in between lasts twice as long, up to this maximum.
#define PAUSE_SKIPPED_FIRST (1 * USEC_PER_SEC)

bool sock_pauses(const struct sock *s)
{
        return sock_conf(s)->x_trigger_limit_action == TRIGGER_LIMIT_PAUSE &&
               manager_differs(s->unit.manager, DIFFERENCE_TRIGGER_LIMIT);
}

static void on_pause_over(struct timer *t, usec_t now)
{
        struct sock *s = CONTAINER_OF(t, struct sock, pause_timer);

        s->pause_ended = now;
        sock_pause_end(s);
        log_unit(s->unit.id, LOG_NOTICE, 0, "Listening again.");
        sock_enter_listening(s);
}

usec_t sock_pause_length(usec_t last, usec_t last_ended, usec_t first, usec_t now)
{
        bool is_calm = last == 0 || now > usec_add(last_ended, MAX(first, last));

        return MIN(is_calm ? first : last * 2, MAX(SOCK_PAUSE_MAX, first));
}

static usec_t next_length(const struct sock *s, usec_t now, usec_t first)
{
        return sock_pause_length(s->pause_length, s->pause_ended, first, now);
}

static void set_status(struct sock *s, usec_t length, const char *what)
{
        char when[32] = "", *text;
        time_t end = (time_t)((clock_now_realtime() + length) / USEC_PER_SEC);
        struct tm tm;

        if (localtime_r(&end, &tm))
                strftime(when, sizeof(when), "%H:%M:%S", &tm);
        text = str_printf("Paused until %s: %s", when, what);
        if (text) {
                free(s->status_text);
                s->status_text = text;
        }
}

static void log_pause(const struct sock *s, enum pause_reason reason, usec_t length,
                      const char *what)
{
        bool is_told = reason == PAUSE_EXHAUSTED ? spawner_may_complain(s->unit.manager->spawner)
                                                 : reason != PAUSE_FULL;
        bool has_end = reason != PAUSE_EXHAUSTED && reason != PAUSE_FULL;
        char span[USEC_SPAN_MAX];

        log_unit(s->unit.id, is_told ? LOG_WARNING : LOG_DEBUG, 0, "%s, pausing%s%s.", what,
                 has_end ? " for " : "",
                 has_end ? usec_format_span(length, USEC_PER_MSEC, span, sizeof(span)) : "");
}

void sock_pause_begin(struct sock *s, enum pause_reason reason, usec_t until, const char *what)
{
        usec_t now = clock_now();

        if (timer_set(s->unit.manager->events, &s->pause_timer, until, on_pause_over) < 0) {
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return;
        }
        s->pause = reason;
        s->pause_until = until;
        if (s->state == SOCK_RUNNING || s->state == SOCK_DEFERRED)
                sock_set_state(s, SOCK_LISTENING);
        if (until != USEC_INFINITY)
                set_status(s, usec_sub(until, now), what);
        else
                (void)str_set(&s->status_text, what); // without memory there is no text
        log_pause(s, reason, usec_sub(until, now), what);
        sock_update_watch(s);
        sock_poll_limit_reset(s);
        unit_changed(&s->unit);
}

void sock_pause_end(struct sock *s)
{
        timer_stop(s->unit.manager->events, &s->pause_timer);
        work_cancel(&s->room_work);
        if (s->pause == PAUSE_NONE)
                return;
        s->pause = PAUSE_NONE;
        s->pause_until = 0;
        free(TAKE(s->status_text));
        unit_changed(&s->unit);
}

void sock_pause_forget(struct sock *s)
{
        s->pause_length = 0;
}

bool sock_may_trigger(struct sock *s, usec_t now)
{
        return rate_has_room(&s->trigger_limit, now);
}

void sock_on_trigger_limit(struct sock *s, usec_t now)
{
        if (!sock_pauses(s)) {
                log_unit(s->unit.id, LOG_WARNING, 0,
                         "Trigger limit hit, refusing further activation.");
                sock_enter_stop_pre(s, SOCK_FAILURE_TRIGGER_LIMIT_HIT);
                return;
        }
        usec_t window = usec_sub(rate_window_end(&s->trigger_limit, now), now);
        usec_t length = next_length(s, now, s->trigger_limit.interval);
        usec_t until = usec_add(now, length > s->trigger_limit.interval ? length : window);
        char span[USEC_SPAN_MAX], what[128];

        s->pause_length = length;
        snprintf(what, sizeof(what), "Trigger limit hit (%u in %s)", s->trigger_limit.burst,
                 usec_format_span(s->trigger_limit.interval, USEC_PER_MSEC, span, sizeof(span)));
        rate_reset(&s->trigger_limit);
        sock_pause_begin(s, PAUSE_TRIGGER_LIMIT, until, what);
}

void sock_on_service_start_limit(struct sock *s)
{
        struct unit *service = sock_triggered(s);

        if (!sock_pauses(s) || !service) {
                sock_enter_stop_pre(s, SOCK_FAILURE_SERVICE_START_LIMIT_HIT);
                return;
        }
        if (s->pause != PAUSE_NONE)
                return;
        usec_t now = clock_now(), first = service->start_limit.interval;
        usec_t length = next_length(s, now, first);
        usec_t end = rate_window_end(&service->start_limit, now);
        char what[128];

        s->pause_length = length;
        snprintf(what, sizeof(what), "Start limit of its service %s hit", service->id);
        sock_pause_begin(s, PAUSE_SERVICE_START_LIMIT,
                         length > first ? MAX(end, usec_add(now, length)) : MAX(end, now + 1),
                         what);
}

void sock_on_service_skipped(struct sock *s, const char *why)
{
        if (!sock_pauses(s) || s->pause != PAUSE_NONE)
                return; // systemd: it is triggered again at once, until the trigger limit is hit
        usec_t now = clock_now(), length = next_length(s, now, PAUSE_SKIPPED_FIRST);
        char what[256];

        s->pause_length = length;
        snprintf(what, sizeof(what), "Start of its service was skipped (%s)", why);
        sock_pause_begin(s, PAUSE_SKIPPED, usec_add(now, length), what);
}

static void on_room(struct work *w)
{
        struct sock *s = CONTAINER_OF(w, struct sock, room_work);

        sock_pause_end(s);
        sock_enter_listening(s);
}

void sock_on_exhausted(struct sock *s, int error)
{
        char what[128];

        snprintf(what, sizeof(what), "Resources are exhausted (%s)", strerror(abs(error)));
        sock_pause_begin(s, PAUSE_EXHAUSTED, USEC_INFINITY, what);
        spawner_wait(s->unit.manager->spawner, SPAWNER_INTAKE, &s->room_work, on_room, error);
}

const char *sock_status_text(const struct sock *s)
{
        const char *text = unit_checks_text(&s->unit);

        if (!text)
                text = s->state == SOCK_FAILED && !s->retry ? s->failure : sock_command_text(s);
        if (!text)
                text = sock_owner_text(s);
        if (!text)
                text = sock_node_text(s);
        if (!text)
                text = s->status_text;
        if (!text)
                text = sock_held_status(s);
        if (!text)
                text = sock_retry_status(s);
        return text ? text : sock_lacking_text(s);
}
