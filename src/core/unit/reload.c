// A reload: new confs for all units in memory, then all edges are rebuilt. Services keep running;
// the types decide in ops->reconfigure what a new conf changes (sockets keep the descriptors that
// still fit).
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "core/loop/diag_log.h"
#include "core/loop/log_ring.h"
#include "core/unit/collect.h"
#include "core/unit/dependency.h"
#include "core/unit/registry.h"

// While files are read, the loop is served at this interval, so that clients do not have to wait.
#define TURN_EVERY (2 * USEC_PER_MSEC)

// What is to be swapped, all read before the first swap.
struct change {
        struct unit *unit;
        struct unit_conf *conf;
};

struct changes {
        struct change *items;
        size_t n, capacity;
        usec_t begin_rt; // time before the first file was read
        usec_t turn;     // when the loop was served last
};

static void changes_done(struct changes *c)
{
        for (size_t i = 0; i < c->n; i++)
                unit_conf_unref(c->items[i].conf);
        free(c->items);
}

// Takes conf, also when it fails.
static int changes_add(struct changes *c, struct unit *u, struct unit_conf *conf)
{
        if (c->n == c->capacity) {
                size_t capacity = c->capacity ? c->capacity * 2 : 16;
                struct change *items = realloc(c->items, capacity * sizeof(*items));

                if (!items) {
                        unit_conf_unref(conf);
                        return -ENOMEM;
                }
                c->items = items;
                c->capacity = capacity;
        }
        c->items[c->n++] = (struct change){u, conf};
        return 0;
}

// A name that has become an alias of another unit is not that unit: what runs under it is kept
// under a conf that says so.
static int load_again(struct conf_loader *loader, struct unit *u, struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log_once(u->manager->complaints);

        if (u->conf->transient) {
                *ret = unit_conf_ref(u->conf);
                return 0;
        }
        int r = conf_load(loader, u->id, &diag, &conf);

        if (r < 0)
                return r;
        if (strcmp(conf->id, u->id) != 0) {
                log_unit(u->id, LOG_WARNING, 0,
                         "It is an alias of %s now. It keeps its settings until it is unloaded.",
                         conf->id);
                *ret = unit_conf_ref(u->conf);
                return 0;
        }
        *ret = TAKE(conf);
        return 0;
}

// Also where the settings come from, and what links say.
static bool is_same(const struct unit_conf *a, const struct unit_conf *b)
{
        return a->load_state == b->load_state && str_eq_ptr(a->fragment_path, b->fragment_path) &&
               str_eq_ptr(a->load_error, b->load_error) && strv_equal(a->names, b->names) &&
               strv_equal(a->dropin_paths, b->dropin_paths) &&
               strv_equal(a->linked_wants, b->linked_wants) &&
               strv_equal(a->linked_requires, b->linked_requires) &&
               strv_equal(a->linked_upholds, b->linked_upholds) && unit_conf_equal(a, b);
}

static int read_one(struct manager *m, struct conf_loader *loader, struct unit *u,
                    struct changes *changes)
{
        struct unit_conf *conf = NULL;
        int r = load_again(loader, u, &conf);

        if (r < 0)
                return r;
        u->reload = m->n_reloads;
        if (conf != u->conf && !is_same(u->conf, conf))
                return changes_add(changes, u, conf);
        unit_conf_unref(conf);
        return 0;
}

// No unit is removed meanwhile, and new units are appended to their type's list, so this walk sees
// them.
static int read_units(struct manager *m, struct conf_loader *loader, struct changes *changes,
                      bool lets_others)
{
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                int r = 0;

                if (u->reload != m->n_reloads)
                        r = read_one(m, loader, u, changes);
                if (r == 0 && lets_others && clock_now() - changes->turn > TURN_EVERY) {
                        r = events_serve(m->events);
                        changes->turn = clock_now();
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_all(struct manager *m, struct conf_loader *loader, struct changes *changes)
{
        int r = read_units(m, loader, changes, true);

        // Units that were loaded while the loop was served are read without another pause.
        return r < 0 ? r : read_units(m, loader, changes, false);
}

static void swap(struct change *c)
{
        struct unit *u = c->unit;
        struct unit_conf *old = u->conf;

        log_unit(u->id, LOG_DEBUG, 0, "Its settings have changed.");
        u->conf = TAKE(c->conf);
        unit_configure(u);
        if (u->ops->reconfigure)
                u->ops->reconfigure(u, old);
        unit_changed(u);
        unit_conf_unref(old);
}

// Names and edges follow from the confs alone and are made from scratch. Where memory is short, the
// next load makes what is missing.
static int rebuild(struct manager *m)
{
        int r = 0;

        m->n_unbuilt = 0;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                registry_drop_aliases(u);
                dependency_clear(u);
        }
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                STRV_FOREACH (name, u->conf->names)
                        if (r == 0 && !registry_find_unit(m, *name))
                                r = registry_add_name(u, *name);
                if (r == 0)
                        r = registry_queue_build(u);
        }
        if (r < 0)
                return r;
        m->is_building = true;
        r = registry_build(m);
        m->is_building = false;
        return r;
}

static void notify_observers(struct manager *m, bool is_active)
{
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_reloading)
                        o->on_reloading(o, is_active);
}

static void apply(struct manager *m, struct changes *changes)
{
        int r = 0;

        for (size_t i = 0; i < changes->n; i++)
                swap(&changes->items[i]);
        if (changes->n > 0)
                r = rebuild(m);
        if (r < 0)
                log_write(LOG_ERR, "Not all dependencies could be made: %s", strerror(-r));
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u)) {
                if (u->reload == m->n_reloads)
                        u->conf_rt = changes->begin_rt;
                if (u->ops->reloaded)
                        u->ops->reloaded(u);
        }
}

static int reload(struct manager *m)
{
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        struct changes changes = {.begin_rt = clock_now_realtime(), .turn = clock_now()};
        int r = 0;

        if (m->options.load_config)
                r = m->options.load_config(m->options.load_config_data, &cfgfile);
        if (r == 0)
                r = manager_index_units(m, cfgfile, &loader);
        if (r == 0)
                r = read_all(m, loader, &changes);
        if (r == 0) {
                struct conf_loader *old_loader = m->loader;
                struct cfgfile *old_cfgfile = m->options.cfgfile;

                m->loader = loader;
                m->options.cfgfile = cfgfile;
                log_ring_set_limit(m->log_ring, m->settings->log_buffer_size);
                apply(m, &changes);
                // What the clean-up frees.
                loader = old_loader;
                cfgfile = old_cfgfile;
        }
        changes_done(&changes);
        return r;
}

int manager_reload(struct manager *m)
{
        notify_observers(m, true);
        m->is_reloading = true;
        m->n_reloads++;
        diag_memory_forget(m->complaints);
        int r = reload(m);

        m->is_reloading = false;
        // What was put off.
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                collect_unit_later(u);
        notify_observers(m, false);
        trim_later(&m->trim);
        return r;
}
