// The job engine on random graphs, with units that start, stop and fail when the test decides.
#include "core/unit/job.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/settings.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"
#include "unit/fake_unit.h"
#include "unit/harness.h"

#include <stdio.h>

#define UNITS_MAX 7
#define TURNS_MAX 2000

// ---- worlds

static uint32_t seed;

static uint32_t pick(uint32_t n)
{
        seed = seed * 1664525U + 1013904223U;
        return (seed >> 8) % n;
}

enum edge { REQUIRES, WANTS, BINDS_TO, PART_OF, CONFLICTS, AFTER, UPHOLDS, N_EDGES };
static const char *const edge_names[] = {"Requires",  "Wants", "BindsTo", "PartOf",
                                         "Conflicts", "After", "Upholds"};

struct world {
        char dir[64];
        struct settings settings;
        struct manager *manager;
        uint32_t n;
        bool edges[N_EDGES][UNITS_MAX][UNITS_MAX]; // [kind][from][to]
        struct fake *units[UNITS_MAX];
};

static void write_unit(struct world *w, uint32_t i)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        CLEANUP(free) char *path = str_printf("%s/u%u.service", w->dir, i);

        buf_puts(&b, "[Unit]\nDefaultDependencies=no\nCollectMode=inactive\n");
        for (int e = 0; e < N_EDGES; e++)
                for (uint32_t k = 0; k < w->n; k++)
                        if (w->edges[e][i][k])
                                buf_printf(&b, "%s=u%u.service\n", edge_names[e], k);
        buf_puts(&b, "[Service]\nExecStart=/bin/true\n");
        assert_int_equal(fs_write_file_atomic(path, buf_text(&b), 0644), 0);
}

static void world_init(struct world *w)
{
        strcpy(w->dir, "/tmp/usher-jobs-XXXXXX");
        assert_non_null(mkdtemp(w->dir));
        char *unit_path[] = {w->dir, NULL};

        settings_init(&w->settings);
        struct manager_options options = {
                .settings = &w->settings, .unit_path = unit_path, .runtime_dir = w->dir};

        for (uint32_t i = 0; i < w->n; i++)
                write_unit(w, i);
        assert_int_equal(manager_new(&options, &w->manager), 0);
        w->manager->types[UNIT_SERVICE] = &fake_ops;
        w->manager->is_started = true; // no word about the start
        for (uint32_t i = 0; i < w->n; i++) {
                char name[32];
                struct unit *u;

                snprintf(name, sizeof(name), "u%u.service", i);
                assert_int_equal(registry_load_unit(w->manager, name, &u), 0);
                assert_ptr_equal(u->ops, &fake_ops);
                w->units[i] = fake_of(u);
        }
}

static void world_done(struct world *w)
{
        manager_free(w->manager);
        settings_done(&w->settings);
        assert_int_equal(fs_remove_tree(w->dir), 0);
}

static void edge(struct world *w, enum edge kind, uint32_t from, uint32_t to)
{
        w->edges[kind][from][to] = true;
}

// One unit that is on its way arrives, at random; fails: in one of so many cases (0: never).
static bool advance(struct world *w, uint32_t fails)
{
        uint32_t moving[UNITS_MAX], n = 0;

        for (uint32_t i = 0; i < w->n; i++)
                if (w->units[i]->state == ACTIVE_ACTIVATING ||
                    w->units[i]->state == ACTIVE_DEACTIVATING)
                        moving[n++] = i;
        if (n == 0)
                return false;
        struct fake *f = w->units[moving[pick(n)]];

        if (f->state == ACTIVE_DEACTIVATING)
                fake_set(f, ACTIVE_INACTIVE);
        else
                fake_set(f, fails > 0 && pick(fails) == 0 ? ACTIVE_FAILED : ACTIVE_ACTIVE);
        return true;
}

// Until nothing is to be done any more. The engine never waits for what does not come.
static void settle(struct world *w, uint32_t fails)
{
        for (unsigned turn = 0; turn < TURNS_MAX; turn++) {
                // What is queued, until nothing changes without us.
                for (int i = 0; i < 4; i++)
                        assert_true(events_turn(w->manager->events, 0) >= 0);
                if (!advance(w, fails) && job_count(w->manager) == 0)
                        return;
        }
        for (struct job *j = job_next(w->manager, NULL); j; j = job_next(w->manager, j))
                printf("job %u: %s %s %s, %s\n", j->id, j->unit->id, job_type_name(j->type),
                       job_state_name(j->state), fake_sub_state(j->unit));
        for (int e = 0; e < N_EDGES; e++)
                for (uint32_t i = 0; i < w->n; i++)
                        for (uint32_t k = 0; k < w->n; k++)
                                if (w->edges[e][i][k])
                                        printf("u%u %s u%u\n", i, edge_names[e], k);
        fail_msg("seed %u: jobs are left for ever", seed);
}

static enum request_error request(struct world *w, enum job_type type, uint32_t i)
{
        struct request_failure why = {0};

        return job_request(w->manager, type, &w->units[i]->unit, JOB_REPLACE, NULL, &why);
}

static bool is_up(const struct world *w, uint32_t i)
{
        return w->units[i]->state == ACTIVE_ACTIVE;
}

// ---- random graphs

static void random_edges(struct world *w)
{
        w->n = 2 + pick(UNITS_MAX - 1);
        for (uint32_t e = pick(2 * w->n + 1); e > 0; e--) {
                // Few conflicts: else hardly anything can be started.
                enum edge kind = pick(10) == 0 ? CONFLICTS : (enum edge)pick(CONFLICTS);
                uint32_t from = pick(w->n), to = pick(w->n);

                if (from != to)
                        edge(w, kind, from, to);
        }
        for (uint32_t e = pick(2 * w->n + 1); e > 0; e--) {
                uint32_t from = pick(w->n), to = pick(w->n);

                if (from != to)
                        edge(w, AFTER, from, to);
        }
}

// All that has to be up with i: the closure over Requires= and BindsTo=.
static void close_over(const struct world *w, uint32_t i, bool *closure, bool with_wants)
{
        if (closure[i])
                return;
        closure[i] = true;
        for (uint32_t k = 0; k < w->n; k++)
                if (w->edges[REQUIRES][i][k] || w->edges[BINDS_TO][i][k] ||
                    (with_wants && w->edges[WANTS][i][k]))
                        close_over(w, k, closure, with_wants);
}

static bool has_conflict(const struct world *w, const bool *set)
{
        for (uint32_t i = 0; i < w->n; i++)
                for (uint32_t k = 0; k < w->n; k++)
                        if (set[i] && set[k] && w->edges[CONFLICTS][i][k])
                                return true;
        return false;
}

static bool has_order_cycle(const struct world *w, const bool *set)
{
        bool is_done[UNITS_MAX] = {false};
        bool is_moving = true, is_left = false;

        while (is_moving) {
                is_moving = false;
                for (uint32_t i = 0; i < w->n; i++) {
                        bool is_free = set[i] && !is_done[i];

                        for (uint32_t k = 0; k < w->n; k++)
                                is_free = is_free &&
                                          !(w->edges[AFTER][i][k] && set[k] && !is_done[k]);
                        is_moving |= is_free;
                        is_done[i] |= is_free;
                }
        }
        for (uint32_t i = 0; i < w->n; i++)
                is_left |= set[i] && !is_done[i];
        return is_left;
}

// Does a stop of i take k along?
static bool takes_along(const struct world *w, uint32_t i, uint32_t k)
{
        bool is_stopped[UNITS_MAX] = {[UNITS_MAX - 1] = false};
        bool is_moving = true;

        is_stopped[i] = true;
        while (is_moving) {
                is_moving = false;
                for (uint32_t a = 0; a < w->n; a++)
                        for (uint32_t b = 0; b < w->n; b++)
                                if (is_stopped[b] && !is_stopped[a] &&
                                    (w->edges[REQUIRES][a][b] || w->edges[BINDS_TO][a][b] ||
                                     w->edges[PART_OF][a][b]))
                                        is_moving = is_stopped[a] = true;
        }
        return is_stopped[k];
}

// What must hold whenever all is quiet, whatever was asked for. Two that conflict may be up where
// the stop of one would have taken the other along, which was to be started: systemd leaves the
// stop out, too (tests/compat/cases/conflict-part-of).
static void assert_sane(const struct world *w, uint32_t own)
{
        for (uint32_t i = 0; i < w->n; i++)
                for (uint32_t k = 0; k < w->n; k++) {
                        if (w->edges[CONFLICTS][i][k] && is_up(w, i) && is_up(w, k) &&
                            !takes_along(w, i, k) && !takes_along(w, k, i))
                                fail_msg("seed %u: u%u and u%u conflict and are up", own, i, k);
                        if (w->edges[BINDS_TO][i][k] && w->edges[AFTER][i][k] && is_up(w, i) &&
                            !is_up(w, k))
                                fail_msg("seed %u: u%u is up without u%u", own, i, k);
                }
}

static void assert_started(const struct world *w, const bool *closure, uint32_t own)
{
        for (uint32_t i = 0; i < w->n; i++) {
                if (closure[i] && !is_up(w, i))
                        fail_msg("seed %u: u%u is not up", own, i);
                for (uint32_t k = 0; k < w->n; k++)
                        if (closure[i] && closure[k] && w->edges[AFTER][i][k] &&
                            !w->edges[AFTER][k][i] && w->units[i]->started < w->units[k]->up)
                                fail_msg("seed %u: u%u did not wait for u%u", own, i, k);
        }
}

// A first start where nothing fails, so the verdict and the units that must be up can be predicted.
static void test_first_start(void **state)
{
        unsigned n_ok = 0, n_refused = 0;

        for (uint32_t own = 1; own <= 400; own++) {
                struct world w = {0};
                bool hard[UNITS_MAX] = {false}, soft[UNITS_MAX] = {false};

                seed = own * 7919;
                random_edges(&w);
                world_init(&w);
                close_over(&w, 0, hard, false);
                close_over(&w, 0, soft, true);
                enum request_error error = request(&w, JOB_START, 0);
                bool is_impossible = has_conflict(&w, hard) || has_order_cycle(&w, hard);

                if (is_impossible && error == REQUEST_OK)
                        fail_msg("seed %u: what is impossible was accepted", own);
                if (!has_conflict(&w, soft) && !has_order_cycle(&w, soft) && error != REQUEST_OK)
                        fail_msg("seed %u: refused with %d", own, error);
                settle(&w, 0);
                assert_sane(&w, own);
                if (error == REQUEST_OK)
                        assert_started(&w, hard, own);
                else
                        for (uint32_t i = 0; i < w.n; i++)
                                assert_false(is_up(&w, i)); // as a whole, or not at all
                n_ok += error == REQUEST_OK;
                n_refused += error != REQUEST_OK;
                world_done(&w);
        }
        assert_in_range(n_ok, 100, 390);
        assert_in_range(n_refused, 10, 300);
}

// Where no order is to be had, they stop without one.
static void stop_all(struct world *w)
{
        bool all[UNITS_MAX];

        memset(all, true, sizeof(all));
        bool is_cyclic = has_order_cycle(w, all);

        for (uint32_t i = 0; i < w->n; i++) {
                enum request_error error = request(w, JOB_STOP, i);

                assert_true(error == REQUEST_OK || (is_cyclic && error == REQUEST_CYCLIC));
                if (error != REQUEST_OK)
                        assert_int_equal(job_request(w->manager, JOB_STOP, &w->units[i]->unit,
                                                     JOB_IGNORE_DEPENDENCIES, NULL, NULL),
                                         REQUEST_OK);
        }
        settle(w, 0);
        for (uint32_t i = 0; i < w->n; i++)
                assert_false(is_up(w, i));
}

// Starts, stops and restarts on top of one another while units fail: always comes to rest, and at
// the end everything can be stopped.
static void test_never_stuck(void **state)
{
        static const enum job_type types[] = {JOB_START,   JOB_START,       JOB_START,     JOB_STOP,
                                              JOB_RESTART, JOB_TRY_RESTART, JOB_TRY_RELOAD};

        for (uint32_t own = 1; own <= 300; own++) {
                struct world w = {0};

                seed = own * 104729;
                random_edges(&w);
                world_init(&w);
                for (int step = 0; step < 12; step++) {
                        (void)request(&w, types[pick(ARRAY_SIZE(types))], pick(w.n));
                        // Often before the last one is through.
                        for (uint32_t turns = pick(4); turns > 0; turns--) {
                                assert_true(events_turn(w.manager->events, 0) >= 0);
                                (void)advance(&w, 4);
                        }
                        if (pick(3) == 0) {
                                settle(&w, 4);
                                assert_sane(&w, own);
                        }
                }
                settle(&w, 0);
                assert_sane(&w, own);
                stop_all(&w);
                world_done(&w);
        }
}

// ---- what systemd is seen to do in small cases

static void test_requirement_fails(void **state)
{
        struct world w = {.n = 3};

        edge(&w, REQUIRES, 0, 1);
        edge(&w, AFTER, 0, 1);
        edge(&w, WANTS, 0, 2);
        edge(&w, AFTER, 0, 2);
        world_init(&w);
        assert_int_equal(request(&w, JOB_START, 0), REQUEST_OK);
        for (int i = 0; i < 4; i++)
                (void)events_turn(w.manager->events, 0);
        assert_int_equal(w.units[0]->state, ACTIVE_INACTIVE); // it waits for both
        fake_set(w.units[2], ACTIVE_FAILED);
        fake_set(w.units[1], ACTIVE_FAILED);
        settle(&w, 0);
        assert_int_equal(w.units[0]->state, ACTIVE_INACTIVE);
        assert_int_equal(w.units[0]->started, 0);
        world_done(&w);
}

static void test_stop_spreads(void **state)
{
        struct world w = {.n = 4};

        edge(&w, REQUIRES, 1, 0);
        edge(&w, PART_OF, 2, 0);
        edge(&w, WANTS, 3, 0);
        world_init(&w);
        for (uint32_t i = 0; i < 4; i++)
                assert_int_equal(request(&w, JOB_START, i), REQUEST_OK);
        settle(&w, 0);
        assert_int_equal(request(&w, JOB_STOP, 0), REQUEST_OK);
        settle(&w, 0);
        assert_false(is_up(&w, 0) || is_up(&w, 1) || is_up(&w, 2));
        assert_true(is_up(&w, 3));
        world_done(&w);
}

static unsigned fail_starts(struct world *w, struct fake *f)
{
        unsigned n = 0;

        for (int i = 0; i < 1000; i++) {
                assert_true(events_turn(w->manager->events, 0) >= 0);
                if (f->state != ACTIVE_ACTIVATING)
                        continue;
                fake_set(f, ACTIVE_FAILED);
                n++;
        }
        return n;
}

// What is upheld and fails is not started for ever; after a while it is tried again.
static void test_upheld_is_held(void **state)
{
        struct world w = {.n = 2};

        edge(&w, UPHOLDS, 0, 1);
        world_init(&w);
        fake_set(w.units[0], ACTIVE_ACTIVE);
        assert_int_equal(fail_starts(&w, w.units[1]), 17); // with the one that came with u0's start
        assert_true(timer_is_set(&w.manager->auto_timer));
        fake_set(w.units[0], ACTIVE_ACTIVE); // makes it be looked at, and nothing comes of it
        assert_int_equal(fail_starts(&w, w.units[1]), 0);
        timer_stop(w.manager->events, &w.manager->auto_timer);
        w.manager->auto_timer.on_timer(&w.manager->auto_timer, 0); // its time is not over yet
        assert_int_equal(fail_starts(&w, w.units[1]), 0);
        assert_true(timer_is_set(&w.manager->auto_timer));
        rate_reset(&w.units[1]->unit.auto_limit);
        w.manager->auto_timer.on_timer(&w.manager->auto_timer, 0);
        assert_int_equal(fail_starts(&w, w.units[1]), 16);
        world_done(&w);
}

static void test_cycle_is_named(void **state)
{
        struct world w = {.n = 3};
        struct request_failure why = {0};

        for (uint32_t i = 0; i < 3; i++) {
                edge(&w, REQUIRES, i, (i + 1) % 3);
                edge(&w, AFTER, i, (i + 1) % 3);
        }
        world_init(&w);
        assert_int_equal(
                job_request(w.manager, JOB_START, &w.units[0]->unit, JOB_REPLACE, NULL, &why),
                REQUEST_CYCLIC);
        assert_int_equal(job_count(w.manager), 0);
        world_done(&w);
}

// A job that can go for the sake of the order does not help where the unit has a pending one, which
// waits for what is to wait for it (tests/compat/cases/order-pending).
static void test_cycle_with_pending(void **state)
{
        struct world w = {.n = 3};
        struct request_failure why = {0};

        edge(&w, WANTS, 0, 1);
        edge(&w, AFTER, 0, 1);
        edge(&w, AFTER, 1, 0);
        edge(&w, AFTER, 1, 2);
        world_init(&w);
        assert_int_equal(request(&w, JOB_START, 2), REQUEST_OK);
        assert_true(events_turn(w.manager->events, 0) >= 0);
        assert_int_equal(request(&w, JOB_START, 1), REQUEST_OK); // waits for u2
        assert_int_equal(
                job_request(w.manager, JOB_START, &w.units[0]->unit, JOB_REPLACE, NULL, &why),
                REQUEST_CYCLIC);
        settle(&w, 0);
        assert_true(is_up(&w, 1) && !is_up(&w, 0));
        // Without it the wanted one is left out.
        assert_int_equal(request(&w, JOB_STOP, 1), REQUEST_OK);
        settle(&w, 0);
        assert_int_equal(request(&w, JOB_START, 0), REQUEST_OK);
        settle(&w, 0);
        assert_true(is_up(&w, 0) && !is_up(&w, 1));
        world_done(&w);
}

// What counts is what a job and the pending one that takes it in are together: two restarts that
// each wait for the other would wait for ever.
static void test_cycle_of_merged(void **state)
{
        struct world w = {.n = 2};
        struct request_failure why = {0};

        edge(&w, WANTS, 0, 1);
        edge(&w, AFTER, 0, 1);
        edge(&w, BINDS_TO, 1, 0);
        edge(&w, AFTER, 1, 0);
        world_init(&w);
        assert_int_equal(request(&w, JOB_RESTART, 1), REQUEST_OK);
        assert_int_equal(
                job_request(w.manager, JOB_RESTART, &w.units[0]->unit, JOB_REPLACE, NULL, &why),
                REQUEST_CYCLIC);
        settle(&w, 0);
        world_done(&w);
}

static const struct {
        enum job_type pending, wanted;
        enum job_mode mode;
        enum request_error error;
} modes[] = {
        {JOB_START, JOB_STOP, JOB_REPLACE, REQUEST_OK},
        {JOB_START, JOB_STOP, JOB_FAIL, REQUEST_DESTRUCTIVE},
        {JOB_START, JOB_START, JOB_FAIL, REQUEST_OK},
        {JOB_STOP, JOB_START, JOB_FAIL, REQUEST_DESTRUCTIVE},
        {JOB_START, JOB_RELOAD, JOB_REPLACE, REQUEST_NOT_APPLICABLE},
        {JOB_START, JOB_START, JOB_ISOLATE, REQUEST_NO_ISOLATION},
        {JOB_START, JOB_STOP, JOB_ISOLATE, REQUEST_NOT_APPLICABLE},
};

static void test_modes(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
                struct world w = {.n = 1};
                struct request_failure why = {0};

                world_init(&w);
                if (modes[i].pending == JOB_STOP) {
                        assert_int_equal(request(&w, JOB_START, 0), REQUEST_OK);
                        settle(&w, 0);
                }
                assert_int_equal(request(&w, modes[i].pending, 0), REQUEST_OK);
                enum request_error error = job_request(
                        w.manager, modes[i].wanted, &w.units[0]->unit, modes[i].mode, NULL, &why);

                if (error != modes[i].error)
                        fail_msg("row %zu: %d: %s", i, error, why.text);
                assert_int_equal(why.text[0] != '\0', error != REQUEST_OK);
                settle(&w, 0);
                world_done(&w);
        }
}

// A request that memory is too short for is refused as a whole.
static void test_oom(void **state)
{
        struct world w = {.n = 4};

        for (uint32_t i = 0; i < 3; i++) {
                edge(&w, REQUIRES, i, i + 1);
                edge(&w, AFTER, i, i + 1);
        }
        world_init(&w);
        OOM_LOOP {
                enum request_error error = request(&w, JOB_START, 0);
                bool was_hit = oom_was_hit();

                oom_pause();
                assert_int_equal(error, was_hit ? REQUEST_FAILED : REQUEST_OK);
                assert_int_equal(job_count(w.manager), was_hit ? 0 : 4);
                settle(&w, 0);
                for (uint32_t i = 0; i < w.n; i++) {
                        assert_int_equal(is_up(&w, i), !was_hit);
                        assert_int_equal(request(&w, JOB_STOP, i), REQUEST_OK);
                }
                settle(&w, 0);
                oom_resume();
        }
        world_done(&w);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_start),
        cmocka_unit_test(test_never_stuck),
        cmocka_unit_test(test_requirement_fails),
        cmocka_unit_test(test_stop_spreads),
        cmocka_unit_test(test_upheld_is_held),
        cmocka_unit_test(test_cycle_is_named),
        cmocka_unit_test(test_cycle_with_pending),
        cmocka_unit_test(test_cycle_of_merged),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_oom),
};
HARNESS_MAIN(tests)
