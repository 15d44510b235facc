#include "core/registry.h"

#include "base/log.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "core/dependency.h"
#include "core/diag_log.h"
#include "core/job.h"

// ---- names

struct unit *manager_find_unit(struct manager *m, const char *name)
{
        return map_get(m->units, name);
}

int registry_add_name(struct unit *u, const char *name)
{
        int r = map_set(u->manager->units, name, u);

        if (r >= 0 && strcmp(name, u->id) != 0)
                u->has_aliases = true;
        return r < 0 ? r : 0;
}

void registry_drop_aliases(struct unit *u)
{
        struct map *units = u->manager->units;
        const char *name;
        void *value;

        if (!u->has_aliases)
                return;
        u->has_aliases = false;
        for (size_t position = 0; map_next(units, &position, &name, &value);)
                if (value == u && strcmp(name, u->id) != 0)
                        map_remove(units, name);
}

struct unit *manager_next_unit(struct manager *m, struct unit *after)
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

        if (m->n_unbuilt == m->unbuilt_capacity) {
                size_t capacity = m->unbuilt_capacity ? m->unbuilt_capacity * 2 : 16;
                struct unit **items = realloc(m->unbuilt, capacity * sizeof(struct unit *));

                if (!items)
                        return -ENOMEM;
                m->unbuilt = items;
                m->unbuilt_capacity = capacity;
        }
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
        dependency_drop(u);
        list_remove(&u->type_node);
        work_cancel(&u->change_work);
        work_cancel(&u->state_work);
        work_cancel(&u->notify_work);
        work_cancel(&u->collect_work);
        unit_conf_unref(u->conf);
        map_remove(u->manager->units, u->id);
        free(u);
}

void registry_remove_unit(struct unit *u)
{
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
                if (r == 0 && !manager_find_unit(u->manager, *name))
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
        manager_collect_unit(u);
        *ret = u;
        return 0;
}

int registry_build(struct manager *m)
{
        // Edges first; building a unit may load others, which join the end of the list.
        for (size_t i = 0; i < m->n_unbuilt; i++) {
                int r = dependency_build(m->unbuilt[i]);

                if (r < 0)
                        return r;
        }
        // Only now it is known which order was asked for.
        for (size_t i = 0; i < m->n_unbuilt; i++) {
                struct unit *u = m->unbuilt[i];
                int r = u->conf->type == UNIT_TARGET ? dependency_build_target_order(u) : 0;

                if (r < 0)
                        return r;
        }
        m->n_unbuilt = 0;
        return 0;
}

// The unit itself, without what it names.
static int load_one(struct manager *m, const char *name, struct unit **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        struct diag diag = diag_log_once(m->complaints);
        struct unit *u;
        int r = conf_load(m->loader, name, &diag, &conf);

        if (r < 0)
                return r;
        u = manager_find_unit(m, conf->id);
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

int manager_load_unit(struct manager *m, const char *name, struct unit **ret)
{
        struct unit *u = manager_find_unit(m, name);
        // Called by dependency_build() itself, too: then the list is being worked off further up.
        bool is_building = m->is_building;
        int r = 0;

        if (!u) {
                if (!unit_name_is_valid(name) || unit_name_is_template(name))
                        return -EINVAL;
                r = load_one(m, name, &u);
        }
        if (r == 0 && !is_building && m->n_unbuilt > 0) {
                m->is_building = true;
                r = registry_build(m);
                m->is_building = false;
        }
        if (r == 0)
                *ret = u;
        return r;
}

// ---- units that nobody needs any more

static bool is_alive(const struct unit *u)
{
        enum active_state state = unit_active_state(u);

        if (u->job || (u->ops->is_needed && u->ops->is_needed(u)))
                return true;
        if (state == ACTIVE_FAILED)
                return u->conf->unit->collect_mode == COLLECT_INACTIVE;
        return state != ACTIVE_INACTIVE;
}

// Does somebody name u who stays himself? Follows the chain of those who name it; a ring of idle
// units that name each other is not needed. 1 yes, 0 no, -ENOMEM.
static int is_referenced(struct unit *u)
{
        CLEANUP(u64map) struct u64map *seen = NULL;
        CLEANUP(free) struct unit **stack = NULL;
        size_t n = 0, capacity = 0;

        UNIT_FOREACH_DEPENDENCY(u, DEP_REFERENCED_BY, other)
        if (is_alive(other))
                return 1;
        for (struct unit *at = u; at; at = n > 0 ? stack[--n] : NULL)
                UNIT_FOREACH_DEPENDENCY(at, DEP_REFERENCED_BY, other)
                {
                        if (is_alive(other))
                                return 1;
                        if (!seen && !(seen = u64map_new()))
                                return -ENOMEM;
                        if (u64map_get(seen, (uintptr_t)other))
                                continue;
                        if (u64map_set(seen, (uintptr_t)other, other) < 0)
                                return -ENOMEM;
                        if (n == capacity) {
                                capacity = capacity ? capacity * 2 : 16;
                                struct unit **grown = realloc(stack, capacity * sizeof(*grown));

                                if (!grown)
                                        return -ENOMEM;
                                stack = grown;
                        }
                        stack[n++] = other;
                }
        return 0;
}

static void on_collect(struct work *w)
{
        struct unit *u = CONTAINER_OF(w, struct unit, collect_work);

        // Short of memory: it is looked at again when something changes.
        if (u->manager->is_reloading || is_alive(u) || is_referenced(u) != 0)
                return;
        // Those that only this one named may be next.
        UNIT_FOREACH_DEPENDENCY(u, DEP_REFERENCES, other)
        manager_collect_unit(other);
        log_unit(u->id, LOG_DEBUG, 0, "Unloaded.");
        registry_remove_unit(u);
}

void manager_collect_unit(struct unit *u)
{
        work_queue(u->manager->events, WORK_COLLECT, &u->collect_work, on_collect);
}
