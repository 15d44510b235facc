// Sets of capabilities, bit n for number n of capabilities(7), as text.
#pragma once

#include "base/buf.h"

// Names of those that this kernel knows, separated by blanks. 0 or -ENOMEM.
int capabilities_put(struct buf *b, uint64_t set);
