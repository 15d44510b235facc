#include "core/unit/collect.h"

#include "base/log.h"
#include "core/unit/dependency.h"
#include "core/unit/registry.h"

// Units judged in one batch; what the search finds about one unit spares the others the same
// search.
#define BATCH 512

static bool is_alive(const struct unit *u)
{
        enum active_state state = unit_active_state(u);

        if (u->job || u->n_refs > 0 || (u->ops->is_needed && u->ops->is_needed(u)))
                return true;
        if (state == ACTIVE_FAILED)
                return u->conf->unit->collect_mode == COLLECT_INACTIVE;
        return state != ACTIVE_INACTIVE;
}

// Is u referenced, directly or not, by a unit that stays? The search follows the units that name
// it, nearest first, until one is alive. If none is, all units met are in a list that begins at u
// (collect.next): only they name each other, so they can be unloaded together.
static bool is_referenced(struct unit *u, uint32_t sweep)
{
        uint32_t walk = ++u->manager->last_walk;
        struct unit *last = u;

        u->collect.walk = walk;
        u->collect.named = u->collect.next = NULL;
        for (struct unit *at = u; at; at = at->collect.next)
                UNIT_FOREACH_DEPENDENCY (at, DEP_REFERENCED_BY, other) {
                        if (other->collect.kept == sweep || is_alive(other)) {
                                for (; at; at = at->collect.named)
                                        at->collect.kept = sweep;
                                return true;
                        }
                        if (other->collect.walk == walk || other->is_gone)
                                continue;
                        other->collect.walk = walk;
                        other->collect.named = at;
                        other->collect.next = NULL;
                        last->collect.next = other;
                        last = other;
                }
        return false;
}

// Only units of this list name each other.
static void remove_all(struct manager *m, struct list_node *gone)
{
        uint32_t walk = ++m->last_walk;

        LIST_FOREACH (gone, node) {
                struct unit *u = CONTAINER_OF(node, struct unit, collect.node);

                UNIT_FOREACH_DEPENDENCY (u, DEP_REFERENCES, other) {
                        if (other->is_gone || other->collect.walk == walk)
                                continue;
                        other->collect.walk = walk;
                        dependency_drop_gone(other);
                        collect_unit_later(other);
                }
        }
        // Whoever waits for its end has to see it.
        LIST_FOREACH (gone, node)
                unit_flush_changes(CONTAINER_OF(node, struct unit, collect.node));
        LIST_FOREACH (gone, node)
                dependency_clear(CONTAINER_OF(node, struct unit, collect.node));
        LIST_FOREACH (gone, node) {
                struct unit *u = CONTAINER_OF(node, struct unit, collect.node);

                log_unit(u->id, LOG_DEBUG, 0, "Unloaded.");
                registry_remove_unit(u);
        }
}

static void on_collect(struct work *w)
{
        struct manager *m = CONTAINER_OF(w, struct manager, collect_work);
        struct list_node gone;
        uint32_t sweep;

        if (m->is_reloading)
                return; // all units are judged after the reload
        list_init(&gone);
        sweep = ++m->last_walk;
        for (unsigned i = 0; i < BATCH && !list_is_empty(&m->collectable); i++) {
                struct unit *u = CONTAINER_OF(m->collectable.next, struct unit, collect.node);

                list_remove(&u->collect.node);
                if (u->collect.kept == sweep || is_alive(u) || is_referenced(u, sweep))
                        continue;
                for (; u; u = u->collect.next) {
                        u->is_gone = true;
                        list_remove(&u->collect.node);
                        list_append(&gone, &u->collect.node);
                }
        }
        remove_all(m, &gone);
        if (!list_is_empty(&m->collectable))
                work_queue(m->events, WORK_COLLECT, &m->collect_work, on_collect);
}

void collect_unit_later(struct unit *u)
{
        struct manager *m = u->manager;

        if (!list_is_linked(&u->collect.node))
                list_append(&m->collectable, &u->collect.node);
        work_queue(m->events, WORK_COLLECT, &m->collect_work, on_collect);
}
