// A reload: new confs for all units in memory, then all edges anew. What runs goes on; the types
// decide in ops->reconfigure what a new conf changes (sockets keep the descriptors that still fit).
#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile.h"
#include "core/dependency.h"
#include "core/diag_log.h"
#include "core/log_ring.h"
#include "core/registry.h"

// What is to be swapped, all read before the first swap.
struct change {
        struct unit *unit;
        struct unit_conf *conf;
};

struct changes {
        struct change *items;
        size_t n;
};

static void changes_done(struct changes *c)
{
        for (size_t i = 0; i < c->n; i++)
                unit_conf_unref(c->items[i].conf);
        free(c->items);
}

static size_t count_units(struct manager *m)
{
        size_t n = 0;

        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u))
                n++;
        return n;
}

// A name that has become an alias of another unit is not that unit: what runs under it is kept
// under a conf that says so.
static int load_anew(struct conf_loader *loader, struct unit *u, struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log();

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

static int read_all(struct manager *m, struct conf_loader *loader, struct changes *ret)
{
        ret->items = calloc(count_units(m) + 1, sizeof(*ret->items));
        if (!ret->items)
                return -ENOMEM;
        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u)) {
                struct change *c = &ret->items[ret->n];
                int r = load_anew(loader, u, &c->conf);

                if (r < 0)
                        return r;
                c->unit = u;
                ret->n++;
        }
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

static void swap(struct change *c)
{
        struct unit *u = c->unit;
        struct unit_conf *old = u->conf;

        if (old == c->conf || is_same(old, c->conf))
                return;
        log_unit(u->id, LOG_DEBUG, 0, "Its settings have changed.");
        u->conf = TAKE(c->conf);
        unit_configure(u);
        if (u->ops->reconfigure)
                u->ops->reconfigure(u, old);
        unit_changed(u);
        unit_conf_unref(old);
}

// Names and edges follow from the confs alone: from nothing. What memory does not suffice for is
// made by the next load.
static int rebuild(struct manager *m)
{
        int r = 0;

        m->n_unbuilt = 0;
        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u)) {
                registry_drop_aliases(u);
                dependency_clear(u);
        }
        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u)) {
                STRV_FOREACH (name, u->conf->names)
                        if (r == 0 && !manager_find_unit(m, *name))
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

static void tell(struct manager *m, bool is_active)
{
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_reloading)
                        o->on_reloading(o, is_active);
}

static void apply(struct manager *m, struct changes *changes)
{
        m->is_reloading = true;
        for (size_t i = 0; i < changes->n; i++)
                swap(&changes->items[i]);
        int r = rebuild(m);

        if (r < 0)
                log_write(LOG_ERR, "Not all dependencies could be made: %s", strerror(-r));
        m->n_reloads++;
        m->is_reloading = false;
        for (struct unit *u = manager_next_unit(m, NULL); u; u = manager_next_unit(m, u))
                manager_collect_unit(u);
}

int manager_reload(struct manager *m)
{
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        CLEANUP(cfgfile) struct cfgfile *cfgfile = NULL;
        struct changes changes = {0};
        int r = 0;

        tell(m, true);
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
                log_ring_set_limit(m->log_ring, m->settings->log_buffer_size);
                m->options.cfgfile = cfgfile;
                apply(m, &changes);
                // What the clean-up below frees.
                loader = old_loader;
                cfgfile = old_cfgfile;
        }
        changes_done(&changes);
        tell(m, false);
        return r;
}
