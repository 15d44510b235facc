// Which units are unloaded, and that no remaining unit refers to them.
#include "core/unit/collect.h"

#include "base/buf.h"
#include "base/log.h"
#include "base/strv.h"
#include "conf/settings.h"
#include "core/loop/diag_log.h"
#include "core/unit/dependency.h"
#include "core/unit/registry.h"
#include "unit/fake_unit.h"
#include "unit/harness.h"

#include <stdio.h>

#define UNITS_MAX 5
#define STAR_MAX 3000

struct world {
        struct settings settings;
        struct manager *manager;
};

static void world_init(struct world *w)
{
        struct manager_options options = {.settings = &w->settings, .runtime_dir = "/tmp"};

        settings_init(&w->settings);
        assert_int_equal(manager_new(&options, &w->manager), 0);
        w->manager->types[UNIT_SERVICE] = &fake_ops;
        w->manager->is_started = true;
        fake_is_kept = false;
}

static void world_done(struct world *w)
{
        manager_free(w->manager);
        settings_done(&w->settings);
        fake_is_kept = true;
}

static struct fake *add(struct world *w, const char *name, const char *wants, const char *mode)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        CLEANUP(buf) struct buf text = BUF_NULL;
        struct diag diag = diag_log();
        struct unit *u = NULL;

        buf_printf(&text,
                   "[Unit]\nDefaultDependencies=no\nWants=%s\nCollectMode=%s\n"
                   "[Service]\nExecStart=/bin/true\n",
                   wants, mode);
        assert_int_equal(conf_load_text(w->manager->loader, name, buf_text(&text), &diag, &conf),
                         0);
        assert_int_equal(registry_add_unit(w->manager, conf, &u), 0);
        return fake_of(u);
}

static void collect(struct world *w)
{
        for (int i = 0; i < 20; i++)
                assert_true(events_turn(w->manager->events, 0) >= 0);
}

// A unit for each word: its letter, its state (i, a, f: failed, F: failed, and need not be kept),
// and those that it wants.
static const struct {
        const char *units, *left;
} rows[] = {
        {"ai", ""},
        {"aa", "a"},
        {"aaa", "a"},
        {"aab bi", "ab"},
        {"aib ba", "b"},
        {"aib bia", ""}, // only they name one another
        {"aib bia cab", "abc"},
        {"aib bic cid di", ""},
        {"aab bic cid di", "abcd"},
        {"af", "a"},
        {"aF", ""},
        {"afb bi", "ab"},
        {"aFb bi", ""},
        {"aic bac ci", "bc"},
        {"aib bic cib dac", "bcd"},
        {"aib bibc ci dai", "d"},
        {"aide bic ci di ea", "e"},
        {"aabc bide cide di ei", "abcde"},
        {"dicba ci bi ai", ""},
};

static void make(struct world *w, const char *units)
{
        CLEANUP(strv) char **words = NULL;
        struct fake *fakes[UNITS_MAX] = {0};
        size_t n = 0;

        assert_int_equal(strv_split(units, " ", &words), 0);
        STRV_FOREACH (word, words) {
                CLEANUP(buf) struct buf wants = BUF_NULL;
                char name[] = {(*word)[0], '.', 's', 'e', 'r', 'v', 'i', 'c', 'e', '\0'};

                for (const char *c = *word + 2; *c; c++)
                        buf_printf(&wants, "%c.service ", *c);
                fakes[n++] = add(w, name, buf_text(&wants),
                                 (*word)[1] == 'F' ? "inactive-or-failed" : "inactive");
        }
        assert_int_equal(registry_build(w->manager), 0);
        for (size_t i = 0; i < n; i++)
                fakes[i]->state = words[i][1] == 'a'   ? ACTIVE_ACTIVE
                                  : words[i][1] == 'i' ? ACTIVE_INACTIVE
                                                       : ACTIVE_FAILED;
}

static void test_rows(void **state)
{
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char left[UNITS_MAX + 1] = "";
                struct world w = {0};

                world_init(&w);
                make(&w, rows[i].units);
                collect(&w);
                for (char c = 'a'; c < 'a' + UNITS_MAX; c++) {
                        char name[16];

                        snprintf(name, sizeof(name), "%c.service", c);
                        struct unit *u = registry_find_unit(w.manager, name);

                        if (!u)
                                continue;
                        left[strlen(left)] = c;
                        for (uint32_t k = 0; k < u->deps.n; k++)
                                if (registry_find_unit(w.manager, u->deps.items[k].unit->id) !=
                                    u->deps.items[k].unit)
                                        fail_msg("row %zu: %c names what is gone", i, c);
                }
                if (strcmp(left, rows[i].left) != 0)
                        fail_msg("row %zu (%s): %s is left, not %s", i, rows[i].units, left,
                                 rows[i].left);
                world_done(&w);
        }
}

// A unit goes when the last that kept it has ended, its further names with it.
static void test_end(void **state)
{
        struct world w = {0};

        world_init(&w);
        struct fake *a = add(&w, "a.service", "b.service", "inactive");
        struct fake *b = add(&w, "b.service", "", "inactive");

        assert_int_equal(registry_add_name(&b->unit, "alias.service"), 0);
        assert_int_equal(registry_build(w.manager), 0);
        fake_set(a, ACTIVE_ACTIVE);
        fake_set(b, ACTIVE_ACTIVE);
        collect(&w);
        fake_set(b, ACTIVE_INACTIVE);
        collect(&w);
        assert_ptr_equal(registry_find_unit(w.manager, "alias.service"), &b->unit);
        fake_set(a, ACTIVE_INACTIVE);
        collect(&w);
        assert_int_equal(map_size(w.manager->units), 0);
        world_done(&w);
}

// Thousands that name one that stays: it loses them all, and keeps the order of the others.
static void test_many(void **state)
{
        struct world w = {0};
        struct fake *fakes[STAR_MAX];
        struct fake *hub;
        uint32_t n = 0;

        world_init(&w);
        hub = add(&w, "hub.service", "", "inactive");
        hub->state = ACTIVE_ACTIVE;
        for (uint32_t i = 0; i < STAR_MAX; i++) {
                char name[32];

                snprintf(name, sizeof(name), "u%u.service", i);
                fakes[i] = add(&w, name, "hub.service", "inactive");
                fakes[i]->state = i % 7 == 0 ? ACTIVE_ACTIVE : ACTIVE_INACTIVE;
        }
        assert_int_equal(registry_build(w.manager), 0);
        collect(&w);
        UNIT_FOREACH_DEPENDENCY (&hub->unit, DEP_BIT(DEP_WANTED_BY), other) {
                assert_ptr_equal(other, &fakes[n]->unit);
                n += 7;
        }
        assert_true(n >= STAR_MAX);
        assert_int_equal(hub->unit.deps.n, n / 7);
        assert_int_equal(dependency_next(&hub->unit.deps, 0, DEP_BIT(DEP_WANTS)), hub->unit.deps.n);
        world_done(&w);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_end),
        cmocka_unit_test(test_many),
};
HARNESS_MAIN(tests)
