// Sets of capabilities, bit n for number n of capabilities(7), as text.
#pragma once

#include "base/buf.h"

// Appends the names of the capabilities that this kernel has, separated by blanks. 0 or -ENOMEM.
int capabilities_put(struct buf *b, uint64_t set);
