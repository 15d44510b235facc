#include "core/unit/order.h"

#include "base/array.h"

struct edge {
        uint32_t first, then;
};

struct order {
        uint32_t n;
        struct edge *edges;
        size_t n_edges, edges_capacity;
};

int order_new(uint32_t n, struct order **ret)
{
        struct order *o = calloc(1, sizeof(*o));

        if (!o)
                return -ENOMEM;
        o->n = n;
        *ret = o;
        return 0;
}

void order_free(struct order *o)
{
        if (!o)
                return;
        free(o->edges);
        free(o);
}

int order_add(struct order *o, uint32_t first, uint32_t then)
{
        if (ARRAY_RESERVE(o->edges, o->n_edges, o->edges_capacity, 64) < 0)
                return -ENOMEM;
        o->edges[o->n_edges++] = (struct edge){first, then};
        o->n = MAX(o->n, MAX(first, then) + 1);
        return 0;
}

// ---- depth first, with an explicit stack

struct search {
        uint32_t *start; // of each node's followers in `followers`; n + 1 entries
        uint32_t *followers;
        uint32_t *next; // the follower to visit next
        uint32_t *path; // from the root to the current node
        uint32_t depth;
        uint32_t *place; // place + 1 on the path; 0: not on it
        bool *is_done;
        uint32_t *sorted; // filled from the end
        uint32_t first;
};

static void search_done(struct search *s)
{
        free(s->start);
        free(s->followers);
        free(s->next);
        free(s->path);
        free(s->place);
        free(s->is_done);
        free(s->sorted);
}

static int search_init(struct search *s, const struct order *o)
{
        size_t n = (size_t)o->n + 1;

        *s = (struct search){
                .start = calloc(n + 1, sizeof(uint32_t)),
                .followers = calloc(o->n_edges + 1, sizeof(uint32_t)),
                .next = calloc(n, sizeof(uint32_t)),
                .path = calloc(n, sizeof(uint32_t)),
                .place = calloc(n, sizeof(uint32_t)),
                .is_done = calloc(n, sizeof(bool)),
                .sorted = calloc(n, sizeof(uint32_t)),
                .first = o->n,
        };
        if (!s->start || !s->followers || !s->next || !s->path || !s->place || !s->is_done ||
            !s->sorted) {
                search_done(s);
                return -ENOMEM;
        }
        // Counting sort of the edges by their first node.
        for (size_t i = 0; i < o->n_edges; i++)
                s->start[o->edges[i].first + 1]++;
        for (size_t i = 1; i < n; i++)
                s->start[i] += s->start[i - 1];
        for (uint32_t i = 0; i < o->n; i++)
                s->next[i] = s->start[i];
        for (size_t i = 0; i < o->n_edges; i++)
                s->followers[s->next[o->edges[i].first]++] = o->edges[i].then;
        return 0;
}

static void push(struct search *s, uint32_t node)
{
        s->path[s->depth++] = node;
        s->place[node] = s->depth;
        // Followers are visited from the last one down: a node finished later comes earlier in the
        // order.
        s->next[node] = s->start[node + 1];
}

// Visits everything that waits, directly or not, for root. 1: all visited and sorted; 0: a cycle,
// which is the path from *ret_begin on.
static int visit(struct search *s, uint32_t root, uint32_t *ret_begin)
{
        push(s, root);
        while (s->depth > 0) {
                uint32_t node = s->path[s->depth - 1];

                if (s->next[node] == s->start[node]) {
                        s->is_done[node] = true;
                        s->place[node] = 0;
                        s->depth--;
                        s->sorted[--s->first] = node;
                        continue;
                }
                uint32_t follower = s->followers[--s->next[node]];

                if (s->is_done[follower])
                        continue;
                if (s->place[follower] > 0) {
                        *ret_begin = s->place[follower] - 1;
                        return 0;
                }
                push(s, follower);
        }
        return 1;
}

int order_sort(const struct order *o, uint32_t **ret_nodes, uint32_t *ret_n)
{
        struct search s;
        uint32_t begin = 0;
        int r = search_init(&s, o);

        if (r < 0)
                return r;
        r = 1;
        for (uint32_t i = o->n; i > 0 && r > 0; i--)
                if (!s.is_done[i - 1])
                        r = visit(&s, i - 1, &begin);
        if (r > 0) {
                *ret_n = o->n;
                *ret_nodes = TAKE(s.sorted);
        } else {
                *ret_n = s.depth - begin;
                memmove(s.path, s.path + begin, *ret_n * sizeof(uint32_t));
                *ret_nodes = TAKE(s.path);
        }
        search_done(&s);
        return r;
}
