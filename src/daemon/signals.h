// Handles usherd's signals, and reports its state to its own manager (sd_notify).
#pragma once

#include "core/unit/manager.h"

struct signals;

// Blocks all signals that usherd handles, before it creates anything.
int signals_block(void);
// required: exits with a failure after the start if fewer sockets than this listen (usherd run).
// 0 or -errno.
int signals_new(struct manager *m, unsigned required, struct signals **ret);
void signals_free(struct signals *s); // NULL is fine
DEFINE_CLEANUP(signals, struct signals *, signals_free)
