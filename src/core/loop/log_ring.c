#include "core/loop/log_ring.h"

#include "base/heap.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

#include <fnmatch.h>
#include <stdio.h>

// Longer group names are truncated; no unit name is that long.
#define KEY_MAX 320
// Longer patterns match nothing; no unit name is that long.
#define PATTERN_MAX 512

// Lines printed by a unit, or by all instances of a template; or lines about that unit.
struct log_ring_group {
        struct heap_node node;
        struct list_node lines;
        size_t bytes; // including the group's own memory
        char key[];
};

struct log_ring {
        struct list_node lines;
        struct map *groups;
        struct heap fattest; // the largest group has the smallest key
        size_t limit, bytes;
        uint64_t last; // number of the newest line
        bool is_attached;
};

// ---- groups

static size_t group_size(const char *key)
{
        return sizeof(struct log_ring_group) + strlen(key) + 1;
}

static int count(struct log_ring *ring, struct log_ring_group *g, size_t bytes)
{
        int r = heap_set(&ring->fattest, &g->node, UINT64_MAX - (g->bytes + bytes));

        if (r < 0)
                return r;
        g->bytes += bytes;
        ring->bytes += bytes;
        return 0;
}

static void group_free(struct log_ring *ring, struct log_ring_group *g)
{
        heap_remove(&ring->fattest, &g->node);
        ring->bytes -= g->bytes;
        map_remove(ring->groups, g->key);
        free(g);
}

static struct log_ring_group *get_group(struct log_ring *ring, const char *unit, bool is_own)
{
        const char *at = strchr(unit, '@'), *type = at ? strrchr(at, '.') : NULL;
        char key[KEY_MAX];

        snprintf(key, sizeof(key), "%c%.*s%s", is_own ? '!' : ' ',
                 (int)(type ? at + 1 - unit : KEY_MAX), unit, type ? type : "");
        struct log_ring_group *g = map_get(ring->groups, key);

        if (g)
                return g;
        g = calloc(1, group_size(key));
        if (!g)
                return NULL;
        list_init(&g->lines);
        strcpy(g->key, key);
        if (map_set(ring->groups, key, g) < 0) {
                free(g);
                return NULL;
        }
        if (count(ring, g, group_size(key)) < 0) {
                group_free(ring, g);
                return NULL;
        }
        return g;
}

// ---- lines

static void drop_line(struct log_ring *ring, struct log_ring_line *l)
{
        struct log_ring_group *g = l->group;

        list_remove(&l->node);
        list_remove(&l->group_node);
        g->bytes -= l->size;
        ring->bytes -= l->size;
        free(l);
        if (list_is_empty(&g->lines))
                group_free(ring, g);
        else
                (void)heap_set(&ring->fattest, &g->node,
                               UINT64_MAX - g->bytes); // cannot fail: the node is in the heap
}

static void trim(struct log_ring *ring)
{
        while (ring->bytes > ring->limit) {
                struct log_ring_group *g =
                        CONTAINER_OF(heap_first(&ring->fattest), struct log_ring_group, node);

                drop_line(ring, CONTAINER_OF(g->lines.next, struct log_ring_line, group_node));
        }
}

static void keep_line(struct log_ring *ring, struct log_ring_line *l, bool is_own)
{
        struct log_ring_group *g = get_group(ring, l->unit, is_own);

        if (g && count(ring, g, l->size) == 0) {
                l->group = g;
                list_append(&ring->lines, &l->node);
                list_append(&g->lines, &l->group_node);
                trim(ring);
                return;
        }
        if (g && list_is_empty(&g->lines))
                group_free(ring, g);
        free(l);
}

static void on_line(const struct log_line *line, void *data)
{
        struct log_ring *ring = data;
        const char *unit = line->unit ? line->unit : "";
        size_t unit_size = strlen(unit) + 1, text_size = strlen(line->text) + 1;
        size_t size = sizeof(struct log_ring_line) + unit_size + text_size;
        bool is_kept = size + group_size(unit) + 1 <= ring->limit;
        struct log_ring_line *l = is_kept ? malloc(size) : NULL;

        ring->last++; // counted even if the line cannot be kept: the gap in the numbers shows that
        if (!l)
                return;
        char *copy = (char *)(l + 1);

        memcpy(copy, unit, unit_size);
        memcpy(copy + unit_size, line->text, text_size);
        *l = (struct log_ring_line){.number = ring->last,
                                    .time = clock_now_realtime(),
                                    .level = line->level,
                                    .pid = line->pid,
                                    .unit = copy,
                                    .text = copy + unit_size,
                                    .size = size};
        keep_line(ring, l, line->pid == 0);
}

int log_ring_new(size_t limit, struct log_ring **ret)
{
        struct log_ring *ring = calloc(1, sizeof(*ring));

        if (!ring)
                return -ENOMEM;
        ring->limit = limit;
        list_init(&ring->lines);
        ring->groups = map_new();
        if (!ring->groups) {
                free(ring);
                return -ENOMEM;
        }
        *ret = ring;
        return 0;
}

void log_ring_free(struct log_ring *ring)
{
        if (!ring)
                return;
        if (ring->is_attached)
                log_set_hook(NULL, NULL);
        log_ring_set_limit(ring, 0);
        heap_done(&ring->fattest);
        map_free(ring->groups);
        free(ring);
}

void log_ring_set_limit(struct log_ring *ring, size_t limit)
{
        ring->limit = limit;
        trim(ring);
}

void log_ring_attach(struct log_ring *ring)
{
        ring->is_attached = true;
        log_set_hook(on_line, ring);
}

// Names of units contain backslashes (foo\x2dbar.service), which escape nothing here.
static bool matches(const struct log_ring_line *l, const char *pattern)
{
        char one[PATTERN_MAX];

        for (size_t n; *pattern; pattern += n + (pattern[n] == '\n')) {
                n = strcspn(pattern, "\n");
                if (n == 0 || n >= sizeof(one))
                        continue;
                memcpy(one, pattern, n);
                one[n] = '\0';
                if (streq(l->unit, one) || fnmatch(one, l->unit, FNM_NOESCAPE) == 0)
                        return true;
        }
        return false;
}

static bool is_wanted(const struct log_ring_line *l, const char *pattern)
{
        return !*pattern || matches(l, pattern);
}

static const struct log_ring_line *line_at(const struct log_ring *ring,
                                           const struct list_node *node)
{
        return node == &ring->lines ? NULL : CONTAINER_OF(node, struct log_ring_line, node);
}

const struct log_ring_line *log_ring_find(const struct log_ring *ring, const char *pattern,
                                          uint64_t after, size_t n)
{
        const struct log_ring_line *found = NULL, *l = line_at(ring, ring->lines.prev);

        for (; l && l->number > after && n > 0; l = line_at(ring, l->node.prev)) {
                if (!is_wanted(l, pattern))
                        continue;
                found = l;
                n--;
        }
        return found;
}

const struct log_ring_line *log_ring_next(const struct log_ring *ring, const char *pattern,
                                          const struct log_ring_line *line)
{
        do
                line = line_at(ring, line->node.next);
        while (line && !is_wanted(line, pattern));
        return line;
}
