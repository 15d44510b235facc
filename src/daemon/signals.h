// Handles usherd's signals, and reports its state to its own manager (sd_notify).
#pragma once

#include "core/unit/manager.h"

struct signals;

// Blocks all signals that mean something, before anything else is made.
int signals_block(void);
// required: ends with a failure after the start when fewer sockets than this listen (usherd run).
// 0 or -errno.
int signals_new(struct manager *m, unsigned required, struct signals **ret);
void signals_free(struct signals *s); // NULL is fine
DEFINE_CLEANUP(signals, struct signals *, signals_free)
