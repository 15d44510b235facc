// What signals mean to usherd, and telling its own manager (sd_notify) how it stands.
#pragma once

#include "core/manager.h"

struct signals;

// Blocks all signals that mean something, before anything else is made.
int signals_block(void);
int signals_new(struct manager *m, struct signals **ret); // 0 or -errno
void signals_free(struct signals *s);                     // NULL is fine
DEFINE_CLEANUP(signals, struct signals *, signals_free)
