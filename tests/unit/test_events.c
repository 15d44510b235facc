#include "core/loop/events.h"

#include "base/clock.h"
#include "base/fd.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static char trace[256];

static void note(char c)
{
        size_t n = strlen(trace);

        if (n + 1 < sizeof(trace)) {
                trace[n] = c;
                trace[n + 1] = '\0';
        }
}

static struct events *begin(void)
{
        struct events *e;

        trace[0] = '\0';
        assert_int_equal(events_new(&e), 0);
        return e;
}

static void turns(struct events *e, int n)
{
        while (n-- > 0)
                assert_true(events_turn(e, 5 * USEC_PER_MSEC) >= 0);
}

// ---- watches

static void on_readable(struct watch *w, uint32_t revents)
{
        char c;

        assert_true(revents & EPOLLIN);
        assert_int_equal(read(w->fd, &c, 1), 1);
        note(c);
}

static void test_watches(void **state)
{
        struct events *e = begin();
        struct watch w = {.on_event = on_readable};
        int pipe_fds[2];

        assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
        w.fd = pipe_fds[0];
        assert_int_equal(watch_set(e, &w, EPOLLIN), 0);
        assert_int_equal(watch_set(e, &w, EPOLLIN), 0); // as it is
        turns(e, 2);
        assert_string_equal(trace, "");
        assert_int_equal(write(pipe_fds[1], "ab", 2), 2);
        turns(e, 4);
        assert_string_equal(trace, "ab");
        watch_remove(e, &w);
        assert_int_equal(w.events, 0);
        assert_int_equal(write(pipe_fds[1], "c", 1), 1);
        turns(e, 3);
        assert_string_equal(trace, "ab");
        assert_int_equal(watch_set(e, &w, EPOLLIN), 0); // what waited is seen now
        turns(e, 3);
        assert_string_equal(trace, "abc");
        watch_remove(e, &w);
        watch_remove(e, &w);
        fd_close(pipe_fds[0]);
        fd_close(pipe_fds[1]);
        events_free(e);
}

// ---- timers

struct letter_timer {
        struct timer timer;
        char letter;
        usec_t again; // set again this far ahead; 0: not
        struct events *events;
        struct change *change;
};

static void on_timer(struct timer *t, usec_t now)
{
        struct letter_timer *l = CONTAINER_OF(t, struct letter_timer, timer);

        assert_false(timer_is_set(t));
        note(l->letter);
        if (l->again > 0) {
                assert_int_equal(timer_set(l->events, t, now + l->again, on_timer), 0);
                l->again = 0;
        }
}

static void test_timers(void **state)
{
        struct events *e = begin();
        struct letter_timer a = {.letter = 'a'}, b = {.letter = 'b'}, c = {.letter = 'c'};
        usec_t now = clock_now();

        // In the order of their times, not in that of their setting.
        assert_int_equal(timer_set(e, &b.timer, now + 2000, on_timer), 0);
        assert_int_equal(timer_set(e, &a.timer, now + 1000, on_timer), 0);
        assert_int_equal(timer_set(e, &c.timer, now + 1500, on_timer), 0);
        timer_stop(e, &c.timer);
        assert_false(timer_is_set(&c.timer));
        a.again = 3000;
        a.events = e;
        for (int i = 0; i < 1000 && (timer_is_set(&a.timer) || timer_is_set(&b.timer)); i++)
                turns(e, 1);
        assert_string_equal(trace, "aba");
        assert_int_equal(timer_set(e, &c.timer, USEC_INFINITY, on_timer), 0); // never
        assert_false(timer_is_set(&c.timer));
        // One that is due already comes at the next turn.
        assert_int_equal(timer_set(e, &c.timer, 1, on_timer), 0);
        turns(e, 2);
        assert_string_equal(trace, "abac");
        events_free(e);
}

// ---- work

struct letter_work {
        struct work work, *next;
        struct events *events;
        char letter;
};

static void run_letter(struct work *w)
{
        struct letter_work *l = CONTAINER_OF(w, struct letter_work, work);

        note(l->letter);
        if (l->next)
                work_queue(l->events, WORK_JOBS, l->next, run_letter);
}

// Changes are a tree: what each brings about.
struct change {
        struct work work;
        struct events *events;
        struct change *causes[3];
        char letter;
};

static void run_change(struct work *w)
{
        struct change *c = CONTAINER_OF(w, struct change, work);

        note(c->letter);
        for (size_t i = 0; i < ARRAY_SIZE(c->causes) && c->causes[i]; i++)
                work_queue(c->events, WORK_CHANGES, &c->causes[i]->work, run_change);
}

static void on_change_timer(struct timer *t, usec_t now)
{
        struct letter_timer *l = CONTAINER_OF(t, struct letter_timer, timer);

        note(l->letter);
        work_queue(l->events, WORK_CHANGES, &l->change->work, run_change);
}

// Done when the callback has returned, before the next one, depth first.
static void test_changes(void **state)
{
        struct events *e = begin();
        struct change c[6];
        struct letter_timer first = {.letter = '1', .events = e, .change = &c[0]},
                            second = {.letter = '2', .events = e, .change = &c[5]};
        struct letter_work job = {.letter = 'j'};

        for (int i = 0; i < 6; i++)
                c[i] = (struct change){.events = e, .letter = (char)('a' + i)};
        c[0].causes[0] = &c[1];
        c[0].causes[1] = &c[2];
        c[1].causes[0] = &c[3];
        c[1].causes[1] = &c[4];
        // It waits behind e already: now it comes before it, and once.
        c[4].causes[0] = &c[2];
        assert_int_equal(timer_set(e, &first.timer, 1, on_change_timer), 0);
        assert_int_equal(timer_set(e, &second.timer, 2, on_change_timer), 0);
        work_queue(e, WORK_JOBS, &job.work, run_letter);
        turns(e, 1);
        assert_string_equal(trace, "1abdec2fj");
        // From outside of the loop: at its next turn. In order, each once.
        trace[0] = '\0';
        work_queue(e, WORK_CHANGES, &c[3].work, run_change);
        work_queue(e, WORK_CHANGES, &c[5].work, run_change);
        work_queue(e, WORK_CHANGES, &c[3].work, run_change);
        work_queue(e, WORK_CHANGES, &c[2].work, run_change);
        work_cancel(&c[2].work);
        turns(e, 1);
        assert_string_equal(trace, "df");
        events_free(e);
}

static void test_work(void **state)
{
        struct events *e = begin();
        struct letter_work jobs = {.letter = 'j'}, notify = {.letter = 'n'},
                           collect = {.letter = 'c'}, later = {.letter = 'l'},
                           gone = {.letter = 'g'};

        work_queue(e, WORK_NOTIFY, &notify.work, run_letter);
        work_queue(e, WORK_COLLECT, &collect.work, run_letter);
        work_queue(e, WORK_JOBS, &jobs.work, run_letter);
        work_queue(e, WORK_JOBS, &jobs.work, run_letter); // once
        work_queue(e, WORK_JOBS, &gone.work, run_letter);
        work_cancel(&gone.work);
        work_cancel(&gone.work);
        jobs.next = &later.work;
        jobs.events = e;
        turns(e, 1);
        assert_string_equal(trace, "jlcn"); // what a job queues is done before the rest
        turns(e, 1);
        assert_string_equal(trace, "jlcn");
        events_free(e);
}

struct long_work {
        struct events *events;
        sd_event_source *source;
};

// Something long in a source of sd-event.
static int on_defer(sd_event_source *source UNUSED, void *data)
{
        struct long_work *l = data;

        note('(');
        assert_int_equal(events_serve(l->events), 0);
        note(')');
        return 0;
}

static void test_serve(void **state)
{
        struct long_work l = {.events = begin()};
        struct letter_timer timer = {.letter = 't'};
        struct letter_work work = {.letter = 'j'};
        struct watch w = {.fd = -1, .on_event = on_readable};
        int ends[2];

        assert_int_equal(pipe(ends), 0);
        w.fd = ends[0];
        assert_int_equal(watch_set(l.events, &w, EPOLLIN), 0);
        assert_int_equal(write(ends[1], "w", 1), 1);
        assert_int_equal(timer_set(l.events, &timer.timer, 1, on_timer), 0);
        work_queue(l.events, WORK_JOBS, &work.work, run_letter);
        assert_true(sd_event_add_defer(events_sd(l.events), &l.source, on_defer, &l) >= 0);
        assert_true(sd_event_source_set_priority(l.source, SD_EVENT_PRIORITY_IMPORTANT) >= 0);
        turns(l.events, 2);
        assert_string_equal(trace, "(wtj)"); // all of it meanwhile, and once
        sd_event_source_unref(l.source);
        watch_remove(l.events, &w);
        events_free(l.events);
        close(ends[0]);
        close(ends[1]);
}

static void test_exit(void **state)
{
        struct events *e = begin();

        events_exit(e, 7);
        assert_int_equal(events_run(e), 7);
        events_free(e);
}

static int use(void *arg UNUSED)
{
        CLEANUP(events) struct events *e = NULL;
        struct letter_timer t = {.letter = 't'};
        int r = events_new(&e);

        if (r == 0)
                r = timer_set(e, &t.timer, 1, on_timer);
        if (r == 0)
                timer_stop(e, &t.timer);
        return r;
}

static void test_oom(void **state)
{
        oom_prove(use, NULL);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watches), cmocka_unit_test(test_timers), cmocka_unit_test(test_work),
        cmocka_unit_test(test_changes), cmocka_unit_test(test_serve),  cmocka_unit_test(test_exit),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
