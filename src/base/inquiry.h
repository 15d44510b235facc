// A short-lived process of our own that may block where the supervisor must not: it asks the name
// services, and its answer comes back through a pipe, as fields.
#pragma once

#include "base/buf.h"

#include <sys/types.h>

#define INQUIRY_TIMEOUT_SEC 25 // after which it ends itself, without an answer

struct inquiry;

// Start it: `work` writes fields with inquiry_put_field() and returns. It runs in a copy of the
// process, where no handler of ours runs and nothing but the answer's descriptor is open. 0 or
// -errno.
int inquiry_start(void (*work)(struct buf *answer, const void *question), const void *question,
                  struct inquiry **ret);
void inquiry_free(struct inquiry *h); // NULL is fine; kills the process if it still runs
DEFINE_CLEANUP(inquiry, struct inquiry *, inquiry_free)
// Readable when the answer is there, or the process has ended without one: there is no need for a
// timer. Owned by the inquiry.
int inquiry_fd(const struct inquiry *h);
// Take the answer in (at the first call; may block when the descriptor is not readable yet).
// 0, -ETIMEDOUT there is none, other -errno.
int inquiry_read(struct inquiry *h);
// The answer's next field, NULL after the last one. Strings are the inquiry's.
const char *inquiry_next_field(struct inquiry *h);

void inquiry_put_field(struct buf *answer, const char *text); // NULL: ""
// Tests: an inquiry whose process gave this answer. 0 or -ENOMEM.
int inquiry_new_answered(const char *answer, size_t size, struct inquiry **ret);
