// What went wrong below a layer that does not log: operation, error number, short detail.
// Lives on the caller's stack; never allocates; every function that takes one accepts NULL.
#pragma once

#include "base/def.h"

#define FAIL_DETAIL_MAX 256

struct fail {
        int error;                    // positive errno, 0: nothing failed
        const char *op;               // static string: the operation ("bind", "chown", ...)
        char detail[FAIL_DETAIL_MAX]; // what it was about (address, path, holder); may be empty
};

// Fills *fail (when not NULL) and returns -error, so that `return fail_set(...)` passes it up.
// error may be given positive or negative. fmt may be NULL for no detail.
int fail_set(struct fail *fail, int error, const char *op, const char *fmt, ...) PRINTF(4, 5);

// The same where a function below has not filled *fail already, and only for an error: what is
// given is returned, 0 and positive numbers too.
int fail_set_default(struct fail *fail, int result, const char *op, const char *what);

// Want of descriptors, memory or processes: it passes, and asking again later helps. The one
// definition of "exhausted"; error may be given positive or negative. EAGAIN is how clone(2) tells
// of a limit of processes: who calls what also says "nothing there" by it looks at that first.
bool fail_is_exhaustion(int error);

// One sentence for a log line: "bind 127.0.0.1:80 (held by ...): Address already in use".
// What an operation "find user" or "find group" did not find (ESRCH): "there is no user named x".
// Writes to buf (cut to size) and returns buf.
const char *fail_format(const struct fail *fail, char *buf, size_t size);
