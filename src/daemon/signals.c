#include "daemon/signals.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"

#include <signal.h>
#include <systemd/sd-daemon.h>

enum action {
        ACTION_STOP,
        ACTION_STOP_PID1, // a stop for PID 1 only: a container or machine ends
        ACTION_LEAVE,     // PID 1 ends at once
        ACTION_RELOAD,
        ACTION_DUMP,
        ACTION_LOG_DEBUG,
        ACTION_LOG_INFO,
        ACTION_NOTHING,
};

// The real-time ones are systemd(1)'s, counted from SIGRTMIN.
#define RT(n) (-(n))

static const struct {
        int signo;
        enum action action;
} meanings[] = {
        {SIGTERM, ACTION_STOP},     {SIGINT, ACTION_STOP},     {SIGHUP, ACTION_RELOAD},
        {SIGUSR1, ACTION_NOTHING},  {SIGUSR2, ACTION_DUMP},    {SIGPWR, ACTION_STOP_PID1},
        {SIGWINCH, ACTION_NOTHING}, {RT(3), ACTION_STOP_PID1}, {RT(4), ACTION_STOP_PID1},
        {RT(5), ACTION_STOP_PID1},  {RT(6), ACTION_STOP_PID1}, {RT(13), ACTION_LEAVE},
        {RT(14), ACTION_LEAVE},     {RT(15), ACTION_LEAVE},    {RT(16), ACTION_LEAVE},
        {RT(22), ACTION_LOG_DEBUG}, {RT(23), ACTION_LOG_INFO},
};

struct signals {
        struct manager *manager;
        unsigned required; // the number of sockets that must listen
        usec_t reload_start;
        struct core_observer observer;
        sd_event_source *sources[ARRAY_SIZE(meanings)];
};

static int signal_number(size_t i)
{
        return meanings[i].signo > 0 ? meanings[i].signo : SIGRTMIN - meanings[i].signo;
}

int signals_block(void)
{
        sigset_t mask;

        sigemptyset(&mask);
        for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
                sigaddset(&mask, signal_number(i));
        // SIGPIPE and SIGXFSZ are ignored, since the write that fails reports the error.
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
            signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
                return -errno;
        return 0;
}

// ---- actions

static void dump(struct manager *m)
{
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                log_write(LOG_NOTICE, "Unit %s: %s, %s (%s)%s%s", u->id,
                          load_state_name(u->conf->load_state),
                          active_state_name(unit_active_state(u)), u->ops->sub_state(u),
                          u->job ? ", job " : "", u->job ? job_type_name(u->job->type) : "");
}

static void stop(struct manager *m, int code)
{
        sd_notify(0, "STOPPING=1\nSTATUS=Stopping");
        manager_stop(m, code);
}

static void act(struct manager *m, enum action action, const struct signalfd_siginfo *si)
{
        char name[SIGNAL_NAME_MAX];
        int r;

        log_write(LOG_DEBUG, "SIG%s from pid %u",
                  signal_format((int)si->ssi_signo, name, sizeof(name)), si->ssi_pid);
        switch (action) {
        case ACTION_STOP_PID1:
                if (!m->options.is_pid1)
                        break;
                stop(m, EXIT_SUCCESS);
                break;
        case ACTION_STOP:
                stop(m, EXIT_SUCCESS);
                break;
        case ACTION_LEAVE:
                if (m->options.is_pid1)
                        events_exit(m->events, EXIT_SUCCESS);
                break;
        case ACTION_RELOAD:
                if (m->is_stopping)
                        break;
                log_write(LOG_NOTICE, "Reloading.");
                r = manager_reload(m);
                if (r < 0)
                        log_write(LOG_ERR, "Nothing was reloaded: %s", strerror(-r));
                break;
        case ACTION_DUMP:
                dump(m);
                break;
        case ACTION_LOG_DEBUG:
                log_set_level(LOG_DEBUG);
                break;
        case ACTION_LOG_INFO:
                log_set_level(LOG_INFO);
                break;
        case ACTION_NOTHING: // SIGUSR1, SIGWINCH: mean something to systemd that usher does not
                             // have
                break;
        }
}

static int on_signal(sd_event_source *source UNUSED, const struct signalfd_siginfo *si, void *data)
{
        struct signals *s = data;

        for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
                if (signal_number(i) == (int)si->ssi_signo)
                        act(s->manager, meanings[i].action, si);
        return 0;
}

// ---- notifying our own supervisor

static void on_reloading(struct core_observer *o, bool is_active)
{
        struct signals *s = CONTAINER_OF(o, struct signals, observer);
        usec_t now = clock_now();
        char span[USEC_SPAN_MAX];

        if (is_active) {
                s->reload_start = now;
                sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reloading",
                           (unsigned long long)now);
                return;
        }
        usec_format_span(usec_sub(now, s->reload_start), USEC_PER_MSEC, span, sizeof(span));
        log_write(LOG_NOTICE, "Reloaded in %s.", span);
        sd_notify(0, "READY=1\nSTATUS=Serving");
}

static void on_startup_finished(struct core_observer *o)
{
        struct signals *s = CONTAINER_OF(o, struct signals, observer);
        struct manager *m = s->manager;
        char span[USEC_SPAN_MAX];
        unsigned n = 0;

        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                n += u->conf->type == UNIT_SOCKET && active_state_is_up(unit_active_state(u));
        usec_format_span(usec_sub(clock_now(), m->startup), USEC_PER_MSEC, span, sizeof(span));
        if (n < s->required) {
                log_write(LOG_ERR, "The addresses cannot be served.");
                stop(m, EXIT_FAILURE);
                return;
        }
        log_write(LOG_NOTICE, "Startup finished in %s, %u %s.", span, n,
                  n == 1 ? "socket listens" : "sockets listen");
        sd_notifyf(0, "READY=1\nSTATUS=Serving %u sockets", n);
}

int signals_new(struct manager *m, unsigned required, struct signals **ret)
{
        CLEANUP(signals) struct signals *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->manager = m;
        s->required = required;
        for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
                int r = sd_event_add_signal(events_sd(m->events), &s->sources[i], signal_number(i),
                                            on_signal, s);

                if (r < 0)
                        return r;
        }
        s->observer = (struct core_observer){.on_reloading = on_reloading,
                                             .on_startup_finished = on_startup_finished};
        manager_add_observer(m, &s->observer);
        *ret = TAKE(s);
        return 0;
}

void signals_free(struct signals *s)
{
        if (!s)
                return;
        manager_remove_observer(s->manager, &s->observer);
        for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
                sd_event_source_disable_unref(s->sources[i]);
        free(s);
}
