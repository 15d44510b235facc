// The last connections whose service failed: the instances themselves are collected (difference
// failed-instances).
#include "base/clock.h"
#include "base/str.h"
#include "core/service/service.h"
#include "core/socket/sock_priv.h"

struct sock_history {
        struct sock_failure items[SOCK_HISTORY_MAX];
        size_t n; // total number
};

void sock_history_add(struct sock *s, const struct run *run)
{
        CLEANUP(free) char *name = NULL, *buffer = NULL;

        if (run->is_refused || run->result == SERVICE_SUCCESS ||
            run->result == SERVICE_SKIP_CONDITION)
                return;
        if (!s->history)
                s->history = calloc(1, sizeof(*s->history));
        if (!s->history || str_set(&name, run_name(run, &buffer)) < 0)
                return; // the failure is logged
        struct sock_failure *f = &s->history->items[s->history->n++ % SOCK_HISTORY_MAX];

        free(f->name);
        *f = (struct sock_failure){.name = TAKE(name),
                                   .result = run->result,
                                   .code = run->main_code,
                                   .status = run->main_status,
                                   .time = clock_now_realtime()};
}

const struct sock_failure *sock_history_get(const struct sock *s, size_t i)
{
        const struct sock_history *h = s->history;

        if (!h || i >= MIN(h->n, (size_t)SOCK_HISTORY_MAX))
                return NULL;
        return &h->items[(h->n - 1 - i) % SOCK_HISTORY_MAX];
}

void sock_history_done(struct sock *s)
{
        for (size_t i = 0; s->history && i < SOCK_HISTORY_MAX; i++)
                free(s->history->items[i].name);
        free(TAKE(s->history));
}
