#include "base/buf.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

void buf_done(struct buf *b)
{
        free(b->data);
        *b = BUF_NULL;
}

// Makes room for extra bytes and a NUL.
static bool reserve(struct buf *b, size_t extra)
{
        size_t need = b->size + extra + 1, capacity = b->capacity ? b->capacity : 64;
        char *data;

        if (b->error)
                return false;
        if (extra > PTRDIFF_MAX / 4 || b->size > PTRDIFF_MAX / 4) {
                b->error = -ENOMEM;
                return false;
        }
        if (need <= b->capacity)
                return true;
        while (capacity < need)
                capacity *= 2;
        data = realloc(b->data, capacity);
        if (!data) {
                b->error = -ENOMEM;
                return false;
        }
        b->data = data;
        b->capacity = capacity;
        return true;
}

void buf_put(struct buf *b, const void *data, size_t size)
{
        if (!reserve(b, size))
                return;
        if (size > 0) // data may be NULL then
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = '\0';
}

void buf_puts(struct buf *b, const char *s)
{
        buf_put(b, s, strlen(s));
}

void buf_putc(struct buf *b, char c)
{
        buf_put(b, &c, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n < 0 || !reserve(b, (size_t)n))
                return;
        va_start(ap, fmt);
        vsnprintf(b->data + b->size, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->size += (size_t)n;
}

void buf_clear(struct buf *b)
{
        b->size = 0;
        b->error = 0;
        if (b->data)
                b->data[0] = '\0';
}

const char *buf_text(const struct buf *b)
{
        return b->data ? b->data : "";
}

int buf_take(struct buf *b, char **ret)
{
        reserve(b, 0);
        if (b->error)
                return b->error;
        b->data[b->size] = '\0';
        *ret = b->data;
        *b = BUF_NULL;
        return 0;
}

// The code point of a character of at most three bytes.
static unsigned code_of(const char *s, size_t n)
{
        const unsigned char *p = (const unsigned char *)s;

        return n == 1   ? p[0]
               : n == 2 ? (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu)
                        : (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}

void buf_put_json(struct buf *b, const char *s)
{
        buf_putc(b, '"');
        while (*s) {
                size_t n = str_utf8_length(s);

                if (n == 0) {
                        buf_puts(b, "\xef\xbf\xbd");
                        n = 1;
                } else if (*s == '"' || *s == '\\') {
                        buf_printf(b, "\\%c", *s);
                } else if (*s == '\t' || str_is_control(s)) {
                        buf_printf(b, "\\u%04x", code_of(s, n));
                } else {
                        buf_put(b, s, n);
                }
                s += n;
        }
        buf_putc(b, '"');
}
