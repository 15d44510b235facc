// Diagnostics sinks that write to the log, used when the daemon loads units.
#pragma once

#include "conf/diag.h"

struct diag diag_log(void);

// The complaints logged since the last reload. A unit that is not kept in memory is loaded each
// time a client asks for it, and would be complained about each time.
struct diag_memory;
int diag_memory_new(struct diag_memory **ret); // 0 or -ENOMEM
void diag_memory_free(struct diag_memory *m);  // NULL is fine
DEFINE_CLEANUP(diag_memory, struct diag_memory *, diag_memory_free)
void diag_memory_forget(struct diag_memory *m);
// A sink that logs each complaint once. All instances of a template count as one unit.
struct diag diag_log_once(struct diag_memory *m);
