#include "core/unit/registry.h"

#include <assert.h>

#include "base/array.h"
#include "base/log.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "core/loop/diag_log.h"
#include "core/unit/collect.h"
#include "core/unit/dependency.h"
#include "core/unit/index.h"
#include "core/unit/job.h"

// ---- names

struct unit *registry_find_unit(struct manager *m, const char *name)
{
        return map_get(m->units, name);
}

int registry_add_name(struct unit *u, const char *name)
{
        int r = strcmp(name, u->id) == 0 ? 0 : strv_push(&u->aliases, name);

        if (r >= 0)
                r = map_set(u->manager->units, name, u);
        return r < 0 ? r : 0;
}

void registry_drop_aliases(struct unit *u)
{
        struct map *units = u->manager->units;

        STRV_FOREACH (name, u->aliases)
                if (map_get(units, *name) == u)
                        map_remove(units, *name);
        strv_free(TAKE(u->aliases));
}

struct unit *registry_next_unit(struct manager *m, struct unit *after)
{
        int type = after ? (int)after->ops->type : 0;
        struct list_node *node = after ? after->type_node.next : m->by_type[0].next;

        while (node == &m->by_type[type])
                if (++type < _UNIT_TYPE_MAX)
                        node = m->by_type[type].next;
                else
                        return NULL;
        return CONTAINER_OF(node, struct unit, type_node);
}

// ---- new units

int registry_queue_build(struct unit *u)
{
        struct manager *m = u->manager;

        if (ARRAY_RESERVE(m->unbuilt, m->n_unbuilt, m->unbuilt_capacity, 16) < 0)
                return -ENOMEM;
        m->unbuilt[m->n_unbuilt++] = u;
        return 0;
}

static void unqueue_build(struct unit *u)
{
        struct manager *m = u->manager;

        for (size_t i = 0; i < m->n_unbuilt; i++)
                if (m->unbuilt[i] == u) {
                        m->unbuilt[i] = m->unbuilt[--m->n_unbuilt];
                        return;
                }
}

static void forget_unit(struct unit *u)
{
        registry_drop_aliases(u);
        unqueue_build(u);
        dependency_clear(u);
        list_remove(&u->type_node);
        list_remove(&u->collect.node);
        work_cancel(&u->change_work);
        work_cancel(&u->state_work);
        work_cancel(&u->notify_work);
        unit_checks_free(u);
        unit_conf_unref(u->conf);
        free(u->kept);
        map_remove(u->manager->units, u->id);
        free(u);
}

void registry_remove_unit(struct unit *u)
{
        assert(u->deps.n == 0 && !u->job);
        for (struct core_observer *o = u->manager->observers; o; o = o->next)
                if (o->on_unit_removed)
                        o->on_unit_removed(o, u);
        if (u->ops->done)
                u->ops->done(u);
        forget_unit(u);
}

static int add_aliases(struct unit *u)
{
        int r = 0;

        STRV_FOREACH (name, u->conf->names)
                if (r == 0 && !registry_find_unit(u->manager, *name))
                        r = registry_add_name(u, *name);
        return r;
}

int registry_add_unit(struct manager *m, struct unit_conf *conf, struct unit **ret)
{
        const struct unit_ops *ops = m->types[conf->type];

        if (map_size(m->units) >= REGISTRY_UNITS_MAX)
                return -E2BIG;
        struct unit *u = calloc(1, ops->size);

        if (!u)
                return -ENOMEM;
        int r = map_set(m->units, conf->id, u);

        if (r < 0) {
                free(u);
                return r;
        }
        u->manager = m;
        u->ops = ops;
        u->conf = unit_conf_ref(conf);
        u->id = map_get_key(m->units, conf->id);
        // Placeholders of all types share one list.
        list_append(&m->by_type[ops->type], &u->type_node);
        unit_configure(u);
        r = add_aliases(u);
        if (r == 0)
                r = registry_queue_build(u);
        if (r == 0 && ops->init)
                r = ops->init(u);
        if (r < 0) {
                if (ops->done)
                        ops->done(u);
                forget_unit(u);
                return r;
        }
        for (struct core_observer *o = m->observers; o; o = o->next)
                if (o->on_unit_new)
                        o->on_unit_new(o, u);
        collect_unit_later(u);
        *ret = u;
        return 0;
}

int registry_build(struct manager *m)
{
        // Building a unit's edges may load further units, which are appended to the list.
        for (size_t i = 0; i < m->n_unbuilt; i++) {
                int r = dependency_build(m->unbuilt[i]);

                if (r < 0)
                        return r;
        }
        // Only now is it known which ordering the files ask for.
        for (size_t i = 0; i < m->n_unbuilt; i++) {
                struct unit *u = m->unbuilt[i];
                int r = u->conf->type == UNIT_TARGET ? dependency_build_target_order(u) : 0;

                if (r < 0)
                        return r;
        }
        m->n_unbuilt = 0;
        return 0;
}

// Loads the unit itself, without the units that it names.
static int load_one(struct manager *m, const char *name, struct unit **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log_once(m->complaints);
        struct unit *u;
        int r = conf_load(m->loader, name, &diag, &conf);

        if (r < 0)
                return r;
        u = registry_find_unit(m, conf->id);
        if (u) {
                r = registry_add_name(u, name);
        } else {
                r = registry_add_unit(m, conf, &u);
                if (r == 0 && strcmp(name, u->id) != 0)
                        r = registry_add_name(u, name);
        }
        if (r == 0)
                *ret = u;
        return r;
}

static int build_pending(struct manager *m)
{
        if (m->n_unbuilt == 0)
                return 0;
        m->is_building = true;
        int r = registry_build(m);

        m->is_building = false;
        return r;
}

int registry_load_unit(struct manager *m, const char *name, struct unit **ret)
{
        struct unit *u = registry_find_unit(m, name);
        // dependency_build() calls this, too: then an outer call works off the list.
        bool is_building = m->is_building;
        int r = 0;

        if (!u) {
                if (!unit_name_is_valid(name) || unit_name_is_template(name))
                        return -EINVAL;
                index_refresh(m, name);
                r = load_one(m, name, &u);
        }
        if (r == 0 && !is_building)
                r = build_pending(m);
        if (r == 0)
                *ret = u;
        return r;
}

int registry_rebuild_unit(struct unit *u)
{
        int r = add_aliases(u);

        if (r == 0)
                r = registry_queue_build(u);
        return r < 0 ? r : build_pending(u->manager);
}
