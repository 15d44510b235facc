// Intrusive doubly linked lists: a struct list_node embedded in each item, a struct list_node as
// head.
#pragma once

#include "base/def.h"

struct list_node {
        struct list_node *next, *prev; // both NULL: in no list (items only)
};

static inline void list_init(struct list_node *head)
{
        head->next = head->prev = head;
}

static inline bool list_is_empty(const struct list_node *head)
{
        return head->next == head || !head->next;
}

static inline bool list_is_linked(const struct list_node *n)
{
        return n->next != NULL;
}

static inline void list_append(struct list_node *head, struct list_node *n)
{
        n->prev = head->prev;
        n->next = head;
        head->prev->next = n;
        head->prev = n;
}

static inline void list_prepend(struct list_node *head, struct list_node *n)
{
        list_append(head->next, n);
}

// Moves all items of `from` to the beginning of the list, and leaves `from` empty.
static inline void list_prepend_all(struct list_node *head, struct list_node *from)
{
        if (list_is_empty(from))
                return;
        from->prev->next = head->next;
        head->next->prev = from->prev;
        head->next = from->next;
        from->next->prev = head;
        list_init(from);
}

// Takes the item out; does nothing if it is in no list.
static inline void list_remove(struct list_node *n)
{
        if (!n->next)
                return;
        n->prev->next = n->next;
        n->next->prev = n->prev;
        n->next = n->prev = NULL;
}

// Walks the list; the current item may be removed.
#define LIST_FOREACH(head, node)                                                             \
        for (struct list_node *node = (head)->next, *node##_next = node ? node->next : NULL; \
             node && node != (head); node = node##_next, node##_next = node->next)
