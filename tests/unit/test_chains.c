// Thousands of units in a chain of dependencies: no call recurses along the chain, whatever happens
// at its ends. The tests use the smallest possible stack, so that a recursion overflows it.
#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/settings.h"
#include "core/loop/diag_log.h"
#include "core/unit/job.h"
#include "core/unit/registry.h"
#include "unit/fake_unit.h"
#include "unit/harness.h"

#include <stdio.h>
#include <sys/resource.h>

#define ALONE "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/true\n"
#define STACK_MAX (256u << 10)
#define TURNS_MAX 10000000

struct chain {
        struct settings settings;
        struct manager *manager;
        struct core_observer observer;
        uint32_t n;
        struct fake **units; // each needs the next
        struct fake *handler;
        unsigned n_removed[_JOB_RESULT_MAX];
        uint32_t last_removed; // number of the unit whose job was the last to go
        bool is_in_order;      // each job went right after that of the unit behind it
};

// ---- making one

static uint32_t length(void)
{
        return harness_has_valgrind() ? 1000 : 20000;
}

static uint32_t number_of(const struct unit *u)
{
        return (uint32_t)strtoul(u->id + 1, NULL, 10);
}

static void on_job_removed(struct core_observer *o, struct job *j, const char *result)
{
        struct chain *c = CONTAINER_OF(o, struct chain, observer);
        uint32_t number = number_of(j->unit);

        for (int r = 0; r < _JOB_RESULT_MAX; r++)
                c->n_removed[r] += streq(result, job_result_name((enum job_result)r));
        if (j->unit == &c->handler->unit)
                return;
        c->is_in_order &= number + 1 == c->last_removed;
        c->last_removed = number;
}

static struct fake *add_unit(struct chain *c, const char *name, const char *text)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log();
        struct unit *u = NULL;

        assert_int_equal(conf_load_text(c->manager->loader, name, text, &diag, &conf), 0);
        assert_int_equal(registry_add_unit(c->manager, conf, &u), 0);
        return fake_of(u);
}

// How a unit of the chain needs the next: by one set of these in turn.
struct link {
        const char *kinds[3];
};

static const struct link requires[] = {{{"After", "Requires"}}};
static const struct link mixed[] = {{{"After", "BindsTo"}},
                                    {{"After", "Requires"}},
                                    {{"After", "BindsTo", "PartOf"}},
                                    {{"After", "Requires", "PartOf"}},
                                    {{"After", "BindsTo", "StopPropagatedFrom"}}};

static void add_link(struct chain *c, uint32_t i, const struct link *link)
{
        CLEANUP(buf) struct buf text = BUF_NULL;
        CLEANUP(free) char *name = str_printf("c%u.service", i);

        buf_puts(&text, "[Unit]\nDefaultDependencies=no\nOnFailure=handler.service\n");
        for (size_t k = 0; k < ARRAY_SIZE(link->kinds) && link->kinds[k] && i + 1 < c->n; k++)
                buf_printf(&text, "%s=c%u.service\n", link->kinds[k], i + 1);
        buf_puts(&text, "[Service]\nExecStart=/bin/true\n");
        c->units[i] = add_unit(c, name, buf_text(&text));
}

static void manager_init(struct chain *c)
{
        struct manager_options options = {.settings = &c->settings, .runtime_dir = "/tmp"};

        *c = (struct chain){.n = length(), .observer.on_job_removed = on_job_removed};
        log_set_level(LOG_CRIT);
        settings_init(&c->settings);
        assert_int_equal(manager_new(&options, &c->manager), 0);
        c->manager->types[UNIT_SERVICE] = &fake_ops;
        c->manager->is_started = true; // no word about the start
        c->units = calloc(c->n, sizeof(*c->units));
        assert_non_null(c->units);
        c->handler = add_unit(c, "handler.service", ALONE);
        manager_add_observer(c->manager, &c->observer);
}

static void chain_init(struct chain *c, const struct link *links, size_t n_links)
{
        manager_init(c);
        for (uint32_t i = 0; i < c->n; i++)
                add_link(c, i, &links[(c->n - i) % n_links]);
        assert_int_equal(registry_build(c->manager), 0);
}

// The first needs all but the last, and they need the last.
static void star_init(struct chain *c)
{
        CLEANUP(buf) struct buf text = BUF_NULL;
        CLEANUP(free) char *last = NULL;

        manager_init(c);
        last = str_printf("c%u.service", c->n - 1);
        // As by links: so many words of one setting would be another matter.
        c->units[0] = add_unit(c, "c0.service", ALONE);
        buf_printf(&text,
                   "[Unit]\nDefaultDependencies=no\nBindsTo=%s\nAfter=%s\nBefore=c0.service\n"
                   "OnFailure=handler.service\n[Service]\nExecStart=/bin/true\n",
                   last, last);
        for (uint32_t i = 1; i + 1 < c->n; i++) {
                CLEANUP(free) char *name = str_printf("c%u.service", i);

                c->units[i] = add_unit(c, name, buf_text(&text));
                assert_int_equal(strv_push(&c->units[0]->unit.conf->linked_requires, name), 0);
        }
        c->units[c->n - 1] = add_unit(c, last, ALONE);
        assert_int_equal(registry_build(c->manager), 0);
}

static void chain_done(struct chain *c)
{
        manager_remove_observer(c->manager, &c->observer);
        manager_free(c->manager);
        settings_done(&c->settings);
        free(c->units);
        log_set_level(LOG_INFO);
}

static void request(struct chain *c, enum job_type type, uint32_t i)
{
        struct request_failure why = {0};

        memset(c->n_removed, 0, sizeof(c->n_removed));
        c->is_in_order = true;
        if (job_request(c->manager, type, &c->units[i]->unit, JOB_REPLACE, NULL, &why) !=
            REQUEST_OK)
                fail_msg("refused: %s", why.text);
}

// False: the loop is to end.
static bool turn(struct chain *c)
{
        int r = events_turn(c->manager->events, 0);

        assert_true(r >= 0);
        return r > 0;
}

static bool is_moving(const struct fake *f)
{
        return f->state == ACTIVE_ACTIVATING || f->state == ACTIVE_DEACTIVATING;
}

static void arrive(void)
{
        struct fake *f = CONTAINER_OF(fakes_moving.next, struct fake, moving_node);

        fake_set(f, f->state == ACTIVE_ACTIVATING ? ACTIVE_ACTIVE : ACTIVE_INACTIVE);
}

// Until no job is left: who is on the way arrives.
static void settle(struct chain *c)
{
        for (unsigned i = 0; i < TURNS_MAX; i++) {
                turn(c);
                if (!list_is_empty(&fakes_moving))
                        arrive();
                else if (job_count(c->manager) == 0)
                        return;
        }
        fail_msg("%zu jobs are left", job_count(c->manager));
}

static void settle_until_moving(struct chain *c, uint32_t i)
{
        for (unsigned n = 0; n < TURNS_MAX && !is_moving(c->units[i]); n++)
                turn(c);
}

static void assert_all(const struct chain *c, enum active_state state)
{
        for (uint32_t i = 0; i < c->n; i++)
                if (c->units[i]->state != state)
                        fail_msg("%s is %s", c->units[i]->unit.id,
                                 active_state_name(c->units[i]->state));
}

static void start_all(struct chain *c)
{
        request(c, JOB_START, 0);
        assert_int_equal(job_count(c->manager), c->n);
        settle(c);
        assert_all(c, ACTIVE_ACTIVE);
        assert_int_equal(c->n_removed[JOB_DONE], c->n);
}

// ---- what happens to them

// The last one cannot be started: none can.
static void fail_start(const struct link *links, size_t n_links)
{
        struct chain c;

        chain_init(&c, links, n_links);
        request(&c, JOB_START, 0);
        assert_int_equal(job_count(c.manager), c.n);
        settle_until_moving(&c, c.n - 1);
        c.last_removed = c.n;
        fake_set(c.units[c.n - 1], ACTIVE_FAILED);
        // All of it belongs to this one change.
        turn(&c);
        assert_int_equal(c.n_removed[JOB_FAILED], 1);
        assert_int_equal(c.n_removed[JOB_DEPENDENCY], c.n - 1);
        assert_true(c.is_in_order);
        assert_int_equal(c.last_removed, 0);
        assert_true(c.handler->unit.job || is_moving(c.handler));
        settle(&c);
        assert_int_equal(c.handler->state, ACTIVE_ACTIVE);
        chain_done(&c);
}

static void test_start_fails(void **state)
{
        fail_start(requires, ARRAY_SIZE(requires));
        fail_start(mixed, ARRAY_SIZE(mixed));
}

// The last one fails while all are up: those that are bound to it go, and what needs them.
static void test_bound_stop(void **state)
{
        struct chain c;

        chain_init(&c, mixed, ARRAY_SIZE(mixed));
        start_all(&c);
        memset(c.n_removed, 0, sizeof(c.n_removed));
        fake_set(c.units[c.n - 1], ACTIVE_FAILED);
        settle(&c);
        assert_int_equal(c.n_removed[JOB_DONE], c.n); // the last has none, the handler one
        assert_int_equal(c.handler->state, ACTIVE_ACTIVE);
        c.units[c.n - 1]->state = ACTIVE_INACTIVE;
        assert_all(&c, ACTIVE_INACTIVE);
        chain_done(&c);
}

static void test_restart_and_stop(void **state)
{
        struct chain c;

        chain_init(&c, mixed, ARRAY_SIZE(mixed));
        start_all(&c);
        unsigned before = ticks;

        request(&c, JOB_RESTART, c.n - 1);
        assert_int_equal(job_count(c.manager), c.n);
        settle(&c);
        assert_all(&c, ACTIVE_ACTIVE);
        for (uint32_t i = 0; i < c.n; i++)
                assert_true(c.units[i]->started > before);
        request(&c, JOB_STOP, c.n - 1);
        settle(&c);
        assert_all(&c, ACTIVE_INACTIVE);
        chain_done(&c);
}

// One that all need, and one that needs all.
static void test_star(void **state)
{
        struct chain c;

        star_init(&c);
        request(&c, JOB_START, 0);
        settle(&c);
        assert_all(&c, ACTIVE_ACTIVE);
        request(&c, JOB_RESTART, c.n - 1);
        assert_int_equal(job_count(c.manager), c.n);
        settle(&c);
        assert_all(&c, ACTIVE_ACTIVE);
        fake_set(c.units[c.n - 1], ACTIVE_INACTIVE);
        settle(&c);
        assert_all(&c, ACTIVE_INACTIVE);
        request(&c, JOB_START, 0);
        settle_until_moving(&c, c.n - 1);
        fake_set(c.units[c.n - 1], ACTIVE_FAILED);
        turn(&c);
        assert_int_equal(c.n_removed[JOB_DEPENDENCY], c.n - 1);
        settle(&c);
        chain_done(&c);
}

// The end of the supervisor: what has no default dependencies is stopped last, in one go.
static void test_end(void **state)
{
        struct chain c;

        chain_init(&c, mixed, ARRAY_SIZE(mixed));
        start_all(&c);
        memset(c.n_removed, 0, sizeof(c.n_removed));
        manager_stop(c.manager, 3);
        for (unsigned i = 0; i < TURNS_MAX && turn(&c); i++)
                if (!list_is_empty(&fakes_moving))
                        arrive();
        assert_false(turn(&c));
        assert_all(&c, ACTIVE_INACTIVE);
        assert_int_equal(c.n_removed[JOB_DONE], c.n + 1); // and shutdown.target
        assert_int_equal(c.manager->exit_code, 3);
        chain_done(&c);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_start_fails),
        cmocka_unit_test(test_star),
        cmocka_unit_test(test_bound_stop),
        cmocka_unit_test(test_restart_and_stop),
};

int main(int argc, char **argv)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_STACK, &limit) == 0) {
                limit.rlim_cur = MIN(limit.rlim_max, STACK_MAX);
                (void)setrlimit(RLIMIT_STACK, &limit);
        }
        return harness_run(argc, argv, tests, ARRAY_SIZE(tests));
}
