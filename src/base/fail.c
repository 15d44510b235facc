#include "base/fail.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

int fail_set(struct fail *fail, int error, const char *op, const char *fmt, ...)
{
        va_list ap;

        error = abs(error);
        if (!fail)
                return -error;
        fail->error = error;
        fail->op = op;
        fail->detail[0] = '\0';
        if (fmt) {
                va_start(ap, fmt);
                vsnprintf(fail->detail, sizeof(fail->detail), fmt, ap);
                va_end(ap);
        }
        return -error;
}

int fail_set_default(struct fail *fail, int result, const char *op, const char *what)
{
        if (result >= 0 || (fail && fail->error == -result))
                return result;
        return fail_set(fail, result, op, "%s", what);
}

bool fail_is_exhaustion(int error)
{
        switch (abs(error)) {
        case EAGAIN:
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
                return true;
        default:
                return false;
        }
}

const char *fail_format(const struct fail *fail, char *buf, size_t size)
{
        const char *op = fail->op ? fail->op : "operation";
        const char *sought = fail->error == ESRCH ? str_after_prefix(op, "find ") : NULL;

        // The text of ESRCH is about processes.
        if (sought)
                snprintf(buf, size, "there is no %s%s%s", sought, fail->detail[0] ? " named " : "",
                         fail->detail);
        else if (fail->detail[0])
                snprintf(buf, size, "%s %s: %s", op, fail->detail, strerror(fail->error));
        else
                snprintf(buf, size, "%s: %s", op, strerror(fail->error));
        return buf;
}
