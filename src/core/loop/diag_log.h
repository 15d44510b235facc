// Diagnostics sinks that write to the log: what the daemon's loading uses.
#pragma once

#include "conf/diag.h"

struct diag diag_log(void);

// What was complained about since the last reload. A unit that nobody needs is loaded each time
// that somebody asks for it, and would be complained about each time.
struct diag_memory;
int diag_memory_new(struct diag_memory **ret); // 0 or -ENOMEM
void diag_memory_free(struct diag_memory *m);  // NULL is fine
DEFINE_CLEANUP(diag_memory, struct diag_memory *, diag_memory_free)
void diag_memory_forget(struct diag_memory *m);
// The sink logs what is not remembered, and remembers it. The instances of a template count as one.
struct diag diag_log_once(struct diag_memory *m);
