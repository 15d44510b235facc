// A failure in a layer that does not log: operation, error number, short detail.
// Lives on the caller's stack; never allocates; every function that takes one accepts NULL.
#pragma once

#include "base/def.h"

#define FAIL_DETAIL_MAX 256

struct fail {
        int error;                    // positive errno, 0: nothing failed
        const char *op;               // static string: the operation ("bind", "chown", ...)
        char detail[FAIL_DETAIL_MAX]; // the object (address, path, holder); may be empty
};

// Fills *fail (when not NULL) and returns -error, so that `return fail_set(...)` passes it up.
// error may be given positive or negative. fmt may be NULL for no detail.
int fail_set(struct fail *fail, int error, const char *op, const char *fmt, ...) PRINTF(4, 5);

// The same if result is negative and no called function has filled *fail already. Returns result,
// also if it is 0 or positive.
int fail_set_default(struct fail *fail, int result, const char *op, const char *what);

// Have descriptors, memory or processes run out? If so, trying again later helps. This is the only
// definition of "exhausted"; error may be given positive or negative. EAGAIN counts, since clone(2)
// reports a limit of processes by it: after a call where it means "nothing there", check that
// first.
bool fail_is_exhaustion(int error);

// One sentence for a log line: "bind 127.0.0.1:80 (held by ...): Address already in use".
// ESRCH of the operation "find user" or "find group" becomes "there is no user named x".
// Writes to buf (cut to size) and returns buf.
const char *fail_format(const struct fail *fail, char *buf, size_t size);
