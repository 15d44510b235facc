#include "core/unit/dependency.h"

#include "base/array.h"
#include "base/log.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"

#include <assert.h>

_Static_assert(_DEP_MAX <= 30, "two bits of an edge's kinds are taken");

static const struct {
        const char *name;
        enum dependency inverse;
} kinds[_DEP_MAX] = {
        [DEP_REQUIRES] = {"Requires", DEP_REQUIRED_BY},
        [DEP_REQUISITE] = {"Requisite", DEP_REQUISITE_OF},
        [DEP_WANTS] = {"Wants", DEP_WANTED_BY},
        [DEP_BINDS_TO] = {"BindsTo", DEP_BOUND_BY},
        [DEP_PART_OF] = {"PartOf", DEP_CONSISTS_OF},
        [DEP_UPHOLDS] = {"Upholds", DEP_UPHELD_BY},
        [DEP_CONFLICTS] = {"Conflicts", DEP_CONFLICTED_BY},
        [DEP_BEFORE] = {"Before", DEP_AFTER},
        [DEP_ON_SUCCESS] = {"OnSuccess", DEP_ON_SUCCESS_OF},
        [DEP_ON_FAILURE] = {"OnFailure", DEP_ON_FAILURE_OF},
        [DEP_TRIGGERS] = {"Triggers", DEP_TRIGGERED_BY},
        [DEP_PROPAGATES_RELOAD_TO] = {"PropagatesReloadTo", DEP_RELOAD_PROPAGATED_FROM},
        [DEP_PROPAGATES_STOP_TO] = {"PropagatesStopTo", DEP_STOP_PROPAGATED_FROM},
        [DEP_JOINS_NAMESPACE_OF] = {"JoinsNamespaceOf", DEP_JOINS_NAMESPACE_OF},
        [DEP_REQUIRED_BY] = {"RequiredBy", DEP_REQUIRES},
        [DEP_REQUISITE_OF] = {"RequisiteOf", DEP_REQUISITE},
        [DEP_WANTED_BY] = {"WantedBy", DEP_WANTS},
        [DEP_BOUND_BY] = {"BoundBy", DEP_BINDS_TO},
        [DEP_CONSISTS_OF] = {"ConsistsOf", DEP_PART_OF},
        [DEP_UPHELD_BY] = {"UpheldBy", DEP_UPHOLDS},
        [DEP_CONFLICTED_BY] = {"ConflictedBy", DEP_CONFLICTS},
        [DEP_AFTER] = {"After", DEP_BEFORE},
        [DEP_ON_SUCCESS_OF] = {"OnSuccessOf", DEP_ON_SUCCESS},
        [DEP_ON_FAILURE_OF] = {"OnFailureOf", DEP_ON_FAILURE},
        [DEP_TRIGGERED_BY] = {"TriggeredBy", DEP_TRIGGERS},
        [DEP_RELOAD_PROPAGATED_FROM] = {"ReloadPropagatedFrom", DEP_PROPAGATES_RELOAD_TO},
        [DEP_STOP_PROPAGATED_FROM] = {"StopPropagatedFrom", DEP_PROPAGATES_STOP_TO},
};

const char *dependency_name(enum dependency d)
{
        return kinds[d].name;
}

// ---- edges

// The edge asked for is usually the one that was made or widened last, or the one after it.
static struct dependency_edge *find_edge(const struct unit *u, const struct unit *other)
{
        const struct dependency_list *l = &u->deps;

        for (uint32_t i = l->last; i < l->n && i <= l->last + 1; i++)
                if (l->items[i].unit == other)
                        return &l->items[i];
        for (uint32_t i = l->n; i > 0; i--)
                if (l->items[i - 1].unit == other)
                        return &l->items[i - 1];
        return NULL;
}

bool dependency_exists(const struct unit *u, enum dependency d, const struct unit *other)
{
        // A target may have ten thousand edges, so the end with fewer is searched.
        if (other->deps.n < u->deps.n) {
                const struct dependency_edge *back = find_edge(other, u);

                return back && back->kinds & DEP_BIT(kinds[d].inverse);
        }
        const struct dependency_edge *edge = find_edge(u, other);

        return edge && edge->kinds & DEP_BIT(d);
}

// The edge at index i has gained kinds.
static void note_kinds(struct dependency_list *l, uint32_t i)
{
        if (l->blocks)
                l->blocks[i / DEPENDENCY_BLOCK] |= l->items[i].kinds;
}

static void note_all_kinds(struct dependency_list *l)
{
        if (l->blocks)
                memset(l->blocks, 0, l->capacity / DEPENDENCY_BLOCK * sizeof(*l->blocks));
        for (uint32_t i = 0; i < l->n; i++)
                note_kinds(l, i);
}

static int reserve_blocks(struct dependency_list *l, uint32_t capacity)
{
        if (capacity <= DEPENDENCY_BLOCK)
                return 0;
        uint32_t *blocks = reallocarray(l->blocks, capacity / DEPENDENCY_BLOCK, sizeof(*blocks));

        if (!blocks)
                return -ENOMEM;
        l->blocks = blocks;
        return 0;
}

static int reserve_edge(struct dependency_list *l)
{
        if (l->n < l->capacity)
                return 0;
        uint32_t capacity = l->capacity;

        if (ARRAY_RESERVE(l->items, l->n, capacity, 4) < 0 || reserve_blocks(l, capacity) < 0)
                return -ENOMEM;
        l->capacity = capacity;
        note_all_kinds(l);
        return 0;
}

static void append_edge(struct dependency_list *l, struct unit *unit, uint32_t more)
{
        l->items[l->n] = (struct dependency_edge){unit, more};
        l->last = l->n;
        note_kinds(l, l->n++);
}

static void widen_edge(struct dependency_list *l, struct dependency_edge *edge, uint32_t more)
{
        edge->kinds |= more;
        l->last = (uint32_t)(edge - l->items);
        note_kinds(l, l->last);
}

int dependency_add(struct unit *u, enum dependency d, struct unit *other)
{
        uint32_t there = DEP_BIT(d) | DEP_REFERENCES;
        uint32_t back = DEP_BIT(kinds[d].inverse) | DEP_REFERENCED_BY;

        if (u == other)
                return 0;
        struct unit *small = u->deps.n <= other->deps.n ? u : other;
        struct unit *big = small == u ? other : u;
        struct dependency_edge *edge = find_edge(small, big);

        if (edge) {
                widen_edge(&small->deps, edge, small == u ? there : back);
                edge = find_edge(big, small);
                assert(edge);
                widen_edge(&big->deps, edge, big == u ? there : back);
                return 0;
        }
        if (reserve_edge(&u->deps) < 0 || reserve_edge(&other->deps) < 0)
                return -ENOMEM;
        append_edge(&u->deps, other, there);
        append_edge(&other->deps, u, back);
        return 0;
}

// The order is kept: it is the order in which descriptors are passed and units are listed.
void dependency_drop_gone(struct unit *u)
{
        struct dependency_list *l = &u->deps;
        uint32_t n = 0;

        for (uint32_t i = 0; i < l->n; i++)
                if (!l->items[i].unit->is_gone)
                        l->items[n++] = l->items[i];
        l->n = n;
        l->last = 0;
        note_all_kinds(l);
}

void dependency_clear(struct unit *u)
{
        free(u->deps.items);
        free(u->deps.blocks);
        u->deps = (struct dependency_list){0};
}

// ---- from the configuration

static int add_by_name(struct unit *u, const char *name, enum dependency a, enum dependency b)
{
        struct unit *other = NULL;
        int r = registry_load_unit(u->manager, name, &other);

        if (r == -EINVAL || r == -E2BIG) {
                log_unit(u->id, LOG_WARNING, -r, "%s=%s is left out", kinds[a].name, name);
                return 0;
        }
        if (r < 0)
                return r;
        r = dependency_add(u, a, other);
        if (r == 0 && b != _DEP_MAX)
                r = dependency_add(u, b, other);
        return r;
}

static int add_names(struct unit *u, char *const *names, enum dependency d)
{
        STRV_FOREACH (name, names) {
                int r = add_by_name(u, *name, d, _DEP_MAX);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_configured(struct unit *u)
{
        const struct unit_group *g = u->conf->unit;
        const struct {
                char *const *names;
                enum dependency d;
        } lists[] = {
                {g->requires, DEP_REQUIRES},
                {g->requisite, DEP_REQUISITE},
                {g->wants, DEP_WANTS},
                {g->binds_to, DEP_BINDS_TO},
                {g->part_of, DEP_PART_OF},
                {g->upholds, DEP_UPHOLDS},
                {g->conflicts, DEP_CONFLICTS},
                {g->before, DEP_BEFORE},
                {g->after, DEP_AFTER},
                {g->on_success, DEP_ON_SUCCESS},
                {g->on_failure, DEP_ON_FAILURE},
                {g->propagates_reload_to, DEP_PROPAGATES_RELOAD_TO},
                {g->reload_propagated_from, DEP_RELOAD_PROPAGATED_FROM},
                {g->propagates_stop_to, DEP_PROPAGATES_STOP_TO},
                {g->stop_propagated_from, DEP_STOP_PROPAGATED_FROM},
                {g->joins_namespace_of, DEP_JOINS_NAMESPACE_OF},
                {u->conf->linked_requires, DEP_REQUIRES},
                {u->conf->linked_wants, DEP_WANTS},
                {u->conf->linked_upholds, DEP_UPHOLDS},
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
                int r = add_names(u, lists[i].names, lists[i].d);

                if (r < 0)
                        return r;
        }
        return 0;
}

// ---- added by the types

static int add_socket(struct unit *u)
{
        const struct socket_group *g = u->conf->socket;
        CLEANUP(free) char *same_name = NULL;

        if (g->accept)
                return 0; // each connection has a service of its own
        if (!g->service) {
                int r = unit_name_change_suffix(u->id, UNIT_SERVICE, &same_name);

                if (r < 0)
                        return r;
        }
        return add_by_name(u, g->service ? g->service : same_name, DEP_BEFORE, DEP_TRIGGERS);
}

// The bus that the unit needs. If another supervisor runs the bus, it is not among these units.
static int add_message_bus(struct unit *u)
{
        struct manager *m = u->manager;
        struct unit *bus = NULL;
        int r = registry_load_unit(m, "dbus.socket", &bus);

        if (r == 0)
                r = dependency_add(u, DEP_AFTER, bus);
        if (r == 0 && (bus->conf->load_state != LOAD_NOT_FOUND ||
                       !manager_differs(m, DIFFERENCE_MESSAGE_BUS)))
                r = dependency_add(u, DEP_REQUIRES, bus);
        return r;
}

static int add_service(struct unit *u)
{
        if (u->conf->service->type == SERVICE_DBUS) {
                int r = add_message_bus(u);

                if (r < 0)
                        return r;
        }
        STRV_FOREACH (name, u->conf->service->sockets) {
                int r = add_by_name(u, *name, DEP_WANTS, DEP_AFTER);

                if (r == 0)
                        r = add_by_name(u, *name, DEP_TRIGGERED_BY, _DEP_MAX);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_defaults(struct unit *u)
{
        // A user's supervisor has no sysinit.target; its services are ordered after basic.target.
        bool is_user = u->manager->options.is_user;
        const char *base = is_user ? "basic.target" : "sysinit.target";
        bool is_socket = u->conf->type == UNIT_SOCKET, is_service = u->conf->type == UNIT_SERVICE;
        int r = 0;

        if (!is_socket && !is_service && u->conf->type != UNIT_TARGET)
                return 0;
        if (is_socket)
                r = add_by_name(u, "sockets.target", DEP_BEFORE, _DEP_MAX);
        if (r == 0 && (is_service || (is_socket && !is_user)))
                r = add_by_name(u, base, DEP_REQUIRES, DEP_AFTER);
        if (r == 0 && is_service)
                r = add_by_name(u, "basic.target", DEP_AFTER, _DEP_MAX);
        return r == 0 ? add_by_name(u, "shutdown.target", DEP_BEFORE, DEP_CONFLICTS) : r;
}

int dependency_build(struct unit *u)
{
        const struct unit_conf *conf = u->conf;

        if (conf->load_state != LOAD_LOADED)
                return 0;
        int r = add_configured(u);

        if (r == 0 && conf->socket)
                r = add_socket(u);
        if (r == 0 && conf->service)
                r = add_service(u);
        if (r == 0 && conf->unit->default_dependencies)
                r = add_defaults(u);
        return r;
}

int dependency_build_target_order(struct unit *target)
{
        static const uint32_t pulled_in = DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_REQUISITE) |
                                          DEP_BIT(DEP_WANTS) | DEP_BIT(DEP_BINDS_TO);

        if (target->conf->load_state != LOAD_LOADED || !target->conf->unit->default_dependencies)
                return 0;
        UNIT_FOREACH_DEPENDENCY (target, pulled_in, other) {
                if (other->conf->load_state != LOAD_LOADED ||
                    !other->conf->unit->default_dependencies)
                        continue;
                // The configuration asks for the opposite order.
                if (dependency_exists(target, DEP_BEFORE, other))
                        continue;
                int r = dependency_add(target, DEP_AFTER, other);

                if (r < 0)
                        return r;
        }
        return 0;
}
