#include "base/heap.h"

#include "base/array.h"

void heap_done(struct heap *h)
{
        free(h->items);
        *h = (struct heap){0};
}

static void place(struct heap *h, size_t i, struct heap_node *n)
{
        h->items[i] = n;
        n->index = i + 1;
}

static void sift_up(struct heap *h, size_t i, struct heap_node *n)
{
        while (i > 0 && h->items[(i - 1) / 2]->key > n->key) {
                place(h, i, h->items[(i - 1) / 2]);
                i = (i - 1) / 2;
        }
        place(h, i, n);
}

static void sift_down(struct heap *h, size_t i, struct heap_node *n)
{
        for (;;) {
                size_t child = 2 * i + 1;

                if (child >= h->size)
                        break;
                if (child + 1 < h->size && h->items[child + 1]->key < h->items[child]->key)
                        child++;
                if (h->items[child]->key >= n->key)
                        break;
                place(h, i, h->items[child]);
                i = child;
        }
        place(h, i, n);
}

int heap_set(struct heap *h, struct heap_node *n, usec_t key)
{
        if (n->index == 0) {
                if (ARRAY_RESERVE(h->items, h->size, h->capacity, 16) < 0)
                        return -ENOMEM;
                n->key = key;
                sift_up(h, h->size++, n);
                return 0;
        }
        bool is_earlier = key < n->key;

        n->key = key;
        if (is_earlier)
                sift_up(h, n->index - 1, n);
        else
                sift_down(h, n->index - 1, n);
        return 0;
}

void heap_remove(struct heap *h, struct heap_node *n)
{
        size_t i = n->index;
        struct heap_node *last;

        if (i == 0)
                return;
        i--;
        n->index = 0;
        last = h->items[--h->size];
        if (last == n)
                return;
        if (i > 0 && h->items[(i - 1) / 2]->key > last->key)
                sift_up(h, i, last);
        else
                sift_down(h, i, last);
}

struct heap_node *heap_first(const struct heap *h)
{
        return h->size ? h->items[0] : NULL;
}
