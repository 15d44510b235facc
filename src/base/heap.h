// A binary heap of timers: each item embeds a node that contains its position, so that any can be
// changed or removed in O(log n).
#pragma once

#include "base/def.h"

struct heap_node {
        usec_t key;
        size_t index; // position + 1; 0: in no heap
};

struct heap {
        struct heap_node **items;
        size_t size, capacity;
};

void heap_done(struct heap *h);
// Insert with key, or move to a new key if it is in the heap. 0 or -ENOMEM (insert only).
int heap_set(struct heap *h, struct heap_node *n, usec_t key);
void heap_remove(struct heap *h, struct heap_node *n); // nothing if it is in no heap
struct heap_node *heap_first(const struct heap *h);    // smallest key, or NULL
