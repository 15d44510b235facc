#include "core/log_ring.h"

#include "base/log.h"
#include "base/str.h"

#include <fnmatch.h>

struct log_ring {
        struct list_node lines;
        size_t limit, bytes;
        uint64_t last; // number of the youngest
        bool is_attached;
};

static void trim(struct log_ring *ring)
{
        while (ring->bytes > ring->limit) {
                struct log_ring_line *oldest =
                        CONTAINER_OF(ring->lines.next, struct log_ring_line, node);

                list_remove(&oldest->node);
                ring->bytes -= oldest->size;
                free(oldest);
        }
}

static void on_line(const struct log_line *line, void *data)
{
        struct log_ring *ring = data;
        const char *unit = line->unit ? line->unit : "";
        size_t unit_size = strlen(unit) + 1, text_size = strlen(line->text) + 1;
        size_t size = sizeof(struct log_ring_line) + unit_size + text_size;
        struct log_ring_line *l = size > ring->limit ? NULL : malloc(size);

        ring->last++; // also where it cannot be kept: the gap tells
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
        list_append(&ring->lines, &l->node);
        ring->bytes += size;
        trim(ring);
}

int log_ring_new(size_t limit, struct log_ring **ret)
{
        struct log_ring *ring = calloc(1, sizeof(*ring));

        if (!ring)
                return -ENOMEM;
        ring->limit = limit;
        list_init(&ring->lines);
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

static bool matches(const struct log_ring_line *l, const char *pattern)
{
        return !*pattern || streq(l->unit, pattern) || fnmatch(pattern, l->unit, 0) == 0;
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
                if (!matches(l, pattern))
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
        while (line && !matches(line, pattern));
        return line;
}
