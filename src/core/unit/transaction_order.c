#include "core/unit/transaction.h"

#include "base/buf.h"
#include "base/log.h"
#include "core/unit/job_type.h"
#include "core/unit/order.h"

// The number of jobs of a cycle that are named.
#define CYCLE_NAMED_MAX 20

// Nodes: the transaction's jobs by index, then pending jobs of other units as they are found.
// Pending jobs have no cycle among themselves, so a cycle contains a new job: it is enough to
// search from the new ones.
struct ordering {
        struct transaction *t;
        struct order *order;
        struct unit **units; // by node
        bool *is_reached;
        uint32_t n, capacity;
        struct u64map *pending; // struct unit -> node, of units without a job in the transaction
        uint32_t *queue;        // nodes reached; each at most once
        uint32_t n_queue;
};

static void ordering_done(struct ordering *g)
{
        order_free(g->order);
        free(g->units);
        free(g->is_reached);
        free(g->queue);
        u64map_free(g->pending);
}

static int reserve_nodes(struct ordering *g, uint32_t capacity)
{
        struct unit **units = realloc(g->units, capacity * sizeof(*units));

        if (!units)
                return -ENOMEM;
        g->units = units;
        bool *is_reached = realloc(g->is_reached, capacity * sizeof(*is_reached));

        if (!is_reached)
                return -ENOMEM;
        g->is_reached = is_reached;
        uint32_t *queue = realloc(g->queue, capacity * sizeof(*queue));

        if (!queue)
                return -ENOMEM;
        g->queue = queue;
        g->capacity = capacity;
        return 0;
}

static void reach(struct ordering *g, uint32_t node)
{
        if (g->is_reached[node])
                return;
        g->is_reached[node] = true;
        g->queue[g->n_queue++] = node;
}

static int ordering_init(struct ordering *g, struct transaction *t)
{
        *g = (struct ordering){.t = t, .pending = u64map_new()};
        int r = g->pending ? order_new(t->n_jobs, &g->order) : -ENOMEM;

        if (r == 0)
                r = reserve_nodes(g, t->n_jobs + 16);
        if (r < 0)
                return r;
        g->n = t->n_jobs;
        for (uint32_t i = 0; i < t->n_jobs; i++) {
                g->units[i] = t->jobs[i].unit;
                g->is_reached[i] = false;
        }
        return 0;
}

// The type that the job will have: one that absorbs a pending job has the merged type.
static enum job_type node_type(const struct ordering *g, uint32_t node)
{
        const struct unit *u = g->units[node];
        enum job_type type;

        if (node >= g->t->n_jobs)
                return u->job->type;
        type = g->t->jobs[node].type;
        if (u->job && type != JOB_NOP)
                (void)job_type_merge(u->job->type, type, unit_active_state(u), &type);
        return type;
}

// Others wait for it, but it waits for none.
static bool ignores_order(const struct ordering *g, uint32_t node)
{
        return node < g->t->n_jobs ? g->t->jobs[node].ignore_order
                                   : g->units[node]->job->ignore_order;
}

// The node of a unit; *ret TX_NONE: it has neither a job here nor a pending one.
static int find_node(struct ordering *g, struct unit *u, uint32_t *ret)
{
        *ret = transaction_find(g->t, u);
        if (*ret != TX_NONE || !u->job)
                return 0;
        // Node 0 is a job of the transaction, so 0 can mean "unknown".
        uintptr_t known = (uintptr_t)u64map_get(g->pending, (uintptr_t)u);

        if (known != 0) {
                *ret = (uint32_t)known;
                return 0;
        }
        if (g->n == g->capacity && reserve_nodes(g, g->capacity * 2) < 0)
                return -ENOMEM;
        if (u64map_set(g->pending, (uintptr_t)u, (void *)(uintptr_t)g->n) < 0)
                return -ENOMEM;
        g->units[g->n] = u;
        g->is_reached[g->n] = false;
        *ret = g->n++;
        return 0;
}

// Edges to all that come right after a node.
static int follow(struct ordering *g, uint32_t node)
{
        static const uint32_t mask = DEP_BIT(DEP_BEFORE) | DEP_BIT(DEP_AFTER);
        struct unit *u = g->units[node];

        for (uint32_t i = dependency_next(&u->deps, 0, mask); i < u->deps.n;
             i = dependency_next(&u->deps, i + 1, mask)) {
                const struct dependency_edge *edge = &u->deps.items[i];
                uint32_t other = TX_NONE;
                int r = find_node(g, edge->unit, &other);
                bool is_next = false;

                if (r < 0)
                        return r;
                if (other == TX_NONE)
                        continue;
                if (edge->kinds & DEP_BIT(DEP_BEFORE))
                        is_next |= job_type_order(node_type(g, node), node_type(g, other)) < 0;
                if (edge->kinds & DEP_BIT(DEP_AFTER))
                        is_next |= job_type_order(node_type(g, other), node_type(g, node)) > 0;
                if (!is_next || ignores_order(g, other))
                        continue;
                r = order_add(g->order, node, other);
                if (r < 0)
                        return r;
                reach(g, other);
        }
        return 0;
}

static int make_graph(struct ordering *g, struct transaction *t)
{
        int r = ordering_init(g, t);

        if (r < 0)
                return r;
        TX_FOREACH (t, i) {
                const struct tx_job *j = &t->jobs[i];

                // A pending job that stays unchanged adds nothing new.
                if (!j->unit->job || j->unit->job->type != node_type(g, i))
                        reach(g, i);
        }
        for (uint32_t i = 0; i < g->n_queue && r == 0; i++)
                r = follow(g, g->queue[i]);
        return r;
}

// Names the cycle, and gives the job that can be dropped; TX_NONE when all of it is required.
static uint32_t judge_cycle(const struct ordering *g, const uint32_t *nodes, uint32_t n)
{
        CLEANUP(buf) struct buf text = BUF_NULL;
        uint32_t victim = TX_NONE;

        for (uint32_t i = 0; i < n; i++) {
                if (i < CYCLE_NAMED_MAX)
                        buf_printf(&text, "%s/%s -> ", g->units[nodes[i]]->id,
                                   job_type_name(node_type(g, nodes[i])));
                else if (i == CYCLE_NAMED_MAX)
                        buf_puts(&text, "... -> ");
                if (nodes[i] < g->t->n_jobs && !g->t->jobs[nodes[i]].matters)
                        victim = nodes[i];
        }
        buf_puts(&text, g->units[nodes[0]]->id);
        log_unit(g->units[nodes[0]]->id, LOG_WARNING, 0,
                 "Found ordering cycle, each waits for the one before: %s", buf_text(&text));
        return victim;
}

// 1: *ret_nodes is the order; 0: they are a cycle, of which *ret_victim can be dropped (TX_NONE:
// none can); -ENOMEM.
static int sort(struct transaction *t, uint32_t **ret_nodes, uint32_t *ret_n, uint32_t *ret_victim)
{
        struct ordering g = {0};
        int r = make_graph(&g, t);

        if (r == 0)
                r = order_sort(g.order, ret_nodes, ret_n);
        if (r == 0)
                *ret_victim = judge_cycle(&g, *ret_nodes, *ret_n);
        ordering_done(&g);
        return r;
}

enum request_error transaction_order(struct transaction *t, uint32_t **ret_order, uint32_t *ret_n)
{
        uint32_t victim = TX_NONE, n = 0;
        int r;

        for (;;) {
                CLEANUP(free) uint32_t *nodes = NULL;

                r = sort(t, &nodes, &n, &victim);
                if (r > 0)
                        *ret_order = TAKE(nodes);
                if (r != 0 || victim == TX_NONE)
                        break;
                log_unit(t->jobs[victim].unit->id, LOG_ERR, 0,
                         "Job %s deleted to break ordering cycle starting with %s/%s",
                         job_type_name(t->jobs[victim].type), t->jobs[t->anchor].unit->id,
                         job_type_name(t->jobs[t->anchor].type));
                // If the unit has a pending job, that job now takes its place, and cannot be
                // dropped.
                transaction_delete(t, victim, true);
                transaction_drop_orphans(t);
        }
        if (r == 0)
                return transaction_refuse(t, REQUEST_CYCLIC,
                                          "Transaction order is cyclic. See system logs for "
                                          "details.");
        if (r < 0)
                return transaction_refuse(t, REQUEST_FAILED, "%s", strerror(-r));
        // Only the transaction's own jobs.
        *ret_n = 0;
        for (uint32_t i = 0; i < n; i++)
                if ((*ret_order)[i] < t->n_jobs && !t->jobs[(*ret_order)[i]].is_gone)
                        (*ret_order)[(*ret_n)++] = (*ret_order)[i];
        return REQUEST_OK;
}
