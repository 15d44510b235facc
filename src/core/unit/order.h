// The order of things that wait for each other: takes a graph, gives an order or a cycle. Pure:
// nodes are numbers from 0. Called by core/unit/transaction; a deep graph costs memory, not stack.
#pragma once

#include "base/def.h"

struct order;

// Declares nodes 0 to n - 1; an edge with a higher number declares all nodes up to it. 0 or
// -ENOMEM.
int order_new(uint32_t n, struct order **ret);
void order_free(struct order *o);
DEFINE_CLEANUP(order, struct order *, order_free)

// `then` waits for `first`. Repeating an edge is fine. 0 or -ENOMEM.
int order_add(struct order *o, uint32_t first, uint32_t then);
// Gives a new array. 1: all nodes, each after those that it waits for, lower numbers first where
// the edges leave a choice. 0: the nodes of one cycle, each waiting for the one before it, and the
// first for the last. -ENOMEM.
int order_sort(const struct order *o, uint32_t **ret_nodes, uint32_t *ret_n);
