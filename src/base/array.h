// Arrays that grow by doubling, so that appending n items costs the time of n.
#pragma once

#include "base/def.h"

// Reallocates items to twice *capacity (the first time: to `first`) items of item_size bytes, and
// updates *capacity. Returns NULL without memory; then nothing has changed.
void *array_grow(void *items, size_t *capacity, size_t first, size_t item_size);

// Makes room for one more item after the n of the pointer items; capacity is an integer of any
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
