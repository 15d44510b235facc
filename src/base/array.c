#include "base/array.h"

void *array_grow(void *items, size_t *capacity, size_t first, size_t item_size)
{
        size_t wanted = *capacity > 0 ? *capacity * 2 : first;
        void *more = reallocarray(items, wanted, item_size);

        if (more)
                *capacity = wanted;
        return more;
}
