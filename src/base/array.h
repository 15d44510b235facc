// Arrays that grow by doubling, so that appending n items costs the time of n.
#pragma once

#include "base/def.h"

// items anew, with room for twice *capacity (at first: for `first`) items of that size; *capacity
// is what it has room for then. NULL: no memory, and nothing has changed.
void *array_grow(void *items, size_t *capacity, size_t first, size_t item_size);

// Room for one more item behind the n that items, a pointer, has; capacity is an integer of any
// type. 0 or -ENOMEM.
#define ARRAY_RESERVE(items, n, capacity, first)                                      \
        ({                                                                            \
                size_t room_ = (capacity);                                            \
                void *more_ = (items);                                                \
                                                                                      \
                if ((n) >= room_)                                                     \
                        more_ = array_grow(more_, &room_, (first), sizeof(*(items))); \
                if (more_) {                                                          \
                        (items) = more_;                                              \
                        (capacity) = (__typeof__(capacity))room_;                     \
                }                                                                     \
                more_ ? 0 : -ENOMEM;                                                  \
        })
