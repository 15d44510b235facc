#include "core/start/errand.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/settings.h"
#include "core/loop/reap.h"
#include "spawn/kill.h"

#include <signal.h>

#define SLOW (5 * USEC_PER_SEC) // after that, a log line says what it waits for
#define LIMIT_MAX (90 * USEC_PER_SEC)
#define NAME_SERVICES UINT64_MAX // the place of what waits for no file system

// What helper processes wait for: a mount, or the name services.
struct errand_place {
        uint64_t mount;
        size_t n_helpers;
        struct list_node waiting; // struct errand
        struct list_node node;
};

// The process of an inquiry. It exists until the process has ended, even if no errand waits for it
// any longer.
struct helper {
        struct child child;
        struct errands *errands;
        struct errand_place *place;
        struct list_node node;
};

struct errands {
        struct events *events;
        struct reaper *reaper;
        const struct settings *settings;
        struct list_node places, helpers;
};

// ---- processes

static void launch_next(struct errand_place *place);

static void release_place(struct errand_place *place)
{
        place->n_helpers--;
        launch_next(place);
        if (place->n_helpers == 0 && list_is_empty(&place->waiting)) {
                list_remove(&place->node);
                free(place);
        }
}

static void helper_free(struct helper *h)
{
        list_remove(&h->node);
        free(h);
}

static void on_helper_exit(struct child *c, const siginfo_t *info UNUSED)
{
        struct helper *h = CONTAINER_OF(c, struct helper, child);
        struct errand_place *place = h->place;

        helper_free(h);
        release_place(place);
}

static struct errand_place *get_place(struct errands *all, uint64_t mount)
{
        LIST_FOREACH (&all->places, node) {
                struct errand_place *p = CONTAINER_OF(node, struct errand_place, node);

                if (p->mount == mount)
                        return p;
        }
        struct errand_place *p = calloc(1, sizeof(*p));

        if (!p)
                return NULL;
        p->mount = mount;
        list_init(&p->waiting);
        list_append(&all->places, &p->node);
        return p;
}

// ---- one errand

static void on_answer(struct watch *w, uint32_t revents);

static void stop_waiting(struct errand *e)
{
        struct events *events = e->errands->events;

        watch_remove(events, &e->watch);
        timer_stop(events, &e->slow_timer);
        timer_stop(events, &e->limit_timer);
        if (e->place) {
                list_remove(&e->node);
                e->place = NULL;
        }
        e->inquiry = NULL;
        e->helper = NULL;
        free(TAKE(e->text));
}

void errand_done(struct errand *e)
{
        struct helper *h = e->helper;

        if (!e->inquiry)
                return;
        stop_waiting(e);
        if (h && h->child.pid > 0)
                (void)kill_process(h->child.pid, h->child.pidfd, SIGKILL);
}

// Once the answer is complete, the helper exits by itself.
static void finish(struct errand *e, int error)
{
        if (error < 0)
                errand_done(e);
        else
                stop_waiting(e);
        e->on_over(e, error);
}

static void on_answer(struct watch *w, uint32_t revents UNUSED)
{
        struct errand *e = CONTAINER_OF(w, struct errand, watch);
        int r = inquiry_read(e->inquiry);

        if (r != -EAGAIN)
                finish(e, r);
}

static void on_limit(struct timer *t, usec_t now UNUSED)
{
        struct errand *e = CONTAINER_OF(t, struct errand, limit_timer);
        char span[USEC_SPAN_MAX];

        log_unit(e->id, LOG_ERR, 0, "%s has not answered for %s, giving up",
                 inquiry_where(e->inquiry)[0] ? inquiry_where(e->inquiry) : "A name service",
                 usec_format_span(e->limit, USEC_PER_SEC, span, sizeof(span)));
        finish(e, -ETIMEDOUT);
}

static void on_slow(struct timer *t, usec_t now UNUSED)
{
        const struct errand *e = CONTAINER_OF(t, struct errand, slow_timer);

        log_unit(e->id, LOG_WARNING, 0, "%s", e->text);
}

// Starts the helper process. 0 or -errno.
static int launch(struct errand *e, struct errand_place *place)
{
        struct errands *all = e->errands;
        struct helper *h = calloc(1, sizeof(*h));
        int r = h ? inquiry_launch(e->inquiry) : -ENOMEM;

        if (r == 0) {
                e->watch = (struct watch){.fd = inquiry_fd(e->inquiry), .on_event = on_answer};
                r = watch_set(all->events, &e->watch, EPOLLIN);
        }
        if (r < 0) {
                free(h);
                return r; // the inquiry ends its process, if it has one
        }
        pid_t pid = inquiry_release(e->inquiry);

        *h = (struct helper){.child = {.pidfd = -1}, .errands = all, .place = place};
        r = reaper_watch(all->reaper, &h->child, pid, -1, (struct owner){0}, on_helper_exit);
        if (r < 0) { // its end would go unnoticed
                (void)kill_process(pid, -1, SIGKILL);
                watch_remove(all->events, &e->watch);
                free(h);
                return r;
        }
        list_append(&all->helpers, &h->node);
        e->helper = h;
        place->n_helpers++;
        return 0;
}

// Launches the errands that wait for this place, as far as there are free places.
static void launch_next(struct errand_place *place)
{
        while (place->n_helpers < ERRANDS_PER_PLACE && !list_is_empty(&place->waiting)) {
                struct errand *e = CONTAINER_OF(place->waiting.next, struct errand, node);
                int r;

                list_remove(&e->node);
                e->place = NULL;
                r = launch(e, place);
                if (r < 0)
                        finish(e, r);
        }
}

static int begin(struct errand *e)
{
        const struct inquiry *i = e->inquiry;
        struct errand_place *place =
                get_place(e->errands, inquiry_where(i)[0] ? inquiry_mount(i) : NAME_SERVICES);

        if (!place)
                return -ENOMEM;
        if (place->n_helpers < ERRANDS_PER_PLACE) {
                int r = launch(e, place);

                if (r < 0) {
                        place->n_helpers++;
                        release_place(place); // frees it if it is empty
                }
                return r;
        }
        e->place = place;
        list_append(&place->waiting, &e->node);
        return 0;
}

int errand_await(struct errands *all, struct errand *e, struct inquiry *inquiry, const char *id,
                 usec_t limit, void (*on_over)(struct errand *e, int error))
{
        const char *where = inquiry_where(inquiry);
        usec_t now = clock_now();

        errand_done(e);
        *e = (struct errand){
                .inquiry = inquiry,
                .errands = all,
                .id = id,
                .on_over = on_over,
                .watch = {.fd = -1},
                .limit = limit,
                .text = str_printf("Waiting for %s", where[0] ? where : "name services")};
        int r = e->text ? begin(e) : -ENOMEM;

        if (r == 0)
                r = timer_set(all->events, &e->slow_timer, usec_add(now, SLOW), on_slow);
        if (r == 0)
                r = timer_set(all->events, &e->limit_timer, usec_add(now, limit), on_limit);
        if (r < 0)
                errand_done(e);
        return r;
}

const char *errand_text(const struct errand *e)
{
        return e->text;
}

usec_t errand_limit(const struct errands *all, usec_t own)
{
        usec_t usual = all->settings->default_timeout_start;

        return own != USEC_INFINITY ? own : usual != USEC_INFINITY ? usual : LIMIT_MAX;
}

// ---- all of them

int errands_new(struct events *events, struct reaper *r, const struct settings *settings,
                struct errands **ret)
{
        struct errands *all = calloc(1, sizeof(*all));

        if (!all)
                return -ENOMEM;
        all->events = events;
        all->reaper = r;
        all->settings = settings;
        list_init(&all->places);
        list_init(&all->helpers);
        *ret = all;
        return 0;
}

// A process that hangs in a file system is left alone.
void errands_free(struct errands *all)
{
        if (!all)
                return;
        LIST_FOREACH (&all->helpers, node) {
                struct helper *h = CONTAINER_OF(node, struct helper, node);

                (void)kill_process(h->child.pid, h->child.pidfd, SIGKILL);
                reaper_forget(all->reaper, &h->child);
                helper_free(h);
        }
        LIST_FOREACH (&all->places, node) {
                struct errand_place *p = CONTAINER_OF(node, struct errand_place, node);

                list_remove(&p->node);
                free(p);
        }
        free(all);
}
