// A growing string. Errors are sticky: append freely, check once at the end.
#pragma once

#include "base/def.h"

struct buf {
        char *data;  // NUL-terminated whenever it is not NULL
        size_t size; // bytes used, without the NUL
        size_t capacity;
        int error; // 0 or -ENOMEM; once set, appends do nothing
};

#define BUF_NULL ((struct buf){0})

void buf_done(struct buf *b);
static inline void cleanup_buf(struct buf *b)
{
        buf_done(b);
}

void buf_put(struct buf *b, const void *data, size_t size);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
// Forget the content, keep the memory.
void buf_clear(struct buf *b);
// The text (never NULL, "" when empty); valid until the next change.
const char *buf_text(const struct buf *b);
// Passes the string to the caller (*b is empty afterwards). 0 or the sticky error.
int buf_take(struct buf *b, char **ret);
// Append s as a JSON string, with quotes (invalid UTF-8 becomes U+FFFD).
void buf_put_json(struct buf *b, const char *s);
