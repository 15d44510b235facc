// The order of things that wait for each other: a graph in, an order or a cycle out. Pure: nodes
// are numbers from 0. Called by core/unit/transaction; depth of the graph costs memory, not stack.
#pragma once

#include "base/def.h"

struct order;

// Nodes 0 to n - 1; an edge with a higher number makes all nodes up to it. 0 or -ENOMEM.
int order_new(uint32_t n, struct order **ret);
void order_free(struct order *o);
DEFINE_CLEANUP(order, struct order *, order_free)

// `then` waits for `first`. Repeating an edge is fine. 0 or -ENOMEM.
int order_add(struct order *o, uint32_t first, uint32_t then);
// Gives a new array. 1: all nodes, each behind those that it waits for, lower numbers
// first where the edges leave it open. 0: the nodes of one cycle, each waiting for the one before
// it, and the first for the last. -ENOMEM.
int order_sort(const struct order *o, uint32_t **ret_nodes, uint32_t *ret_n);
