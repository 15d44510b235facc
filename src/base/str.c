#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

bool str_eq_ptr(const char *a, const char *b)
{
        return a == b || (a && b && streq(a, b));
}

char *str_after_prefix(const char *s, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? (char *)s + n : NULL;
}

char *str_at_suffix(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && streq(s + n - m, suffix) ? (char *)s + n - m : NULL;
}

bool str_is_empty(const char *s)
{
        return !s || s[0] == '\0';
}

char *str_printf(const char *fmt, ...)
{
        va_list ap;
        char *text = NULL;
        int r;

        va_start(ap, fmt);
        r = vasprintf(&text, fmt, ap);
        va_end(ap);
        return r < 0 ? NULL : text;
}

char *str_ndup(const char *s, size_t n)
{
        return strndup(s, n);
}

int str_set(char **p, const char *s)
{
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }
        free(*p);
        *p = copy;
        return 0;
}

char *str_strip(char *s)
{
        static const char blanks[] = " \t\n\r\v\f";
        size_t n;

        s += strspn(s, blanks);
        n = strlen(s);
        while (n > 0 && strchr(blanks, s[n - 1]))
                s[--n] = '\0';
        return s;
}

// Length of the valid UTF-8 sequence at s, 0 if there is none (RFC 3629: no surrogates, shortest
// form).
static size_t utf8_length(const unsigned char *s)
{
        unsigned char c = s[0];
        size_t n;
        uint32_t code;

        if (c < 0x80)
                return 1;
        if (c >= 0xc2 && c <= 0xdf)
                n = 2;
        else if ((c & 0xf0) == 0xe0)
                n = 3;
        else if (c >= 0xf0 && c <= 0xf4)
                n = 4;
        else
                return 0;
        code = c & (0xffu >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((s[i] & 0xc0) != 0x80)
                        return 0;
                code = (code << 6) | (s[i] & 0x3f);
        }
        if ((n == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
            (n == 4 && (code < 0x10000 || code > 0x10ffff)))
                return 0;
        return n;
}

bool str_is_utf8(const char *s)
{
        const unsigned char *p = (const unsigned char *)s;

        while (*p) {
                size_t n = utf8_length(p);

                if (n == 0)
                        return false;
                p += n;
        }
        return true;
}

size_t str_utf8_length(const char *s)
{
        return utf8_length((const unsigned char *)s);
}

void str_copy_cut(char *to, size_t size, const char *from)
{
        size_t n = strnlen(from, size);

        if (n == size) // a character must begin after the cut
                for (n--; n > 0 && ((unsigned char)from[n] & 0xc0) == 0x80;)
                        n--;
        memcpy(to, from, n);
        to[n] = '\0';
}

bool str_is_control(const char *s)
{
        const unsigned char *p = (const unsigned char *)s;

        if (p[0] < 0x80)
                return (p[0] < 0x20 && p[0] != '\t') || p[0] == 0x7f;
        if (p[0] == 0xc2)
                return p[1] < 0xa0; // U+0080 to U+009F: terminals treat them as ESC and a letter
        if (p[0] == 0xd8)
                return p[1] == 0x9c; // U+061C
        if (p[0] != 0xe2)
                return false;
        // U+200E and U+200F; U+2028 to U+202E; U+2066 to U+2069
        return p[1] == 0x80   ? p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae)
               : p[1] == 0x81 ? p[2] >= 0xa6 && p[2] <= 0xa9
                              : false;
}

static char *escape(const char *s, bool keeps_lines)
{
        char *text = malloc(strlen(s) * 4 + 1), *out = text;

        if (!text)
                return NULL;
        while (*s) {
                size_t n = str_utf8_length(s);

                if (n > 0 && (!str_is_control(s) || (keeps_lines && *s == '\n'))) {
                        out = mempcpy(out, s, n);
                        s += n;
                        continue;
                }
                for (n = MAX(n, (size_t)1); n > 0; n--)
                        out += sprintf(out, "\\x%02x", (unsigned char)*s++);
        }
        *out = '\0';
        return text;
}

char *str_escape(const char *s)
{
        return escape(s, false);
}

char *str_escape_lines(const char *s)
{
        return escape(s, true);
}

#define NEAREST_MAX 64

static char lower(char c)
{
        return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

// Edits (insert, delete, replace, swap of neighbours) between a and b, case ignored.
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m)
{
        size_t rows[3][NEAREST_MAX + 1];

        for (size_t j = 0; j <= m; j++)
                rows[0][j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];

                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t cost = lower(a[i - 1]) != lower(b[j - 1]);

                        row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + cost);
                        if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                            lower(a[i - 2]) == lower(b[j - 1]))
                                row[j] = MIN(row[j], above2[j - 2] + 1);
                }
        }
        return rows[n % 3][m];
}

const char *str_nearest(const char *s, const char *const *names, size_t n)
{
        const char *best = NULL;
        size_t length = strlen(s), best_distance = SIZE_MAX;

        if (length == 0 || length > NEAREST_MAX)
                return NULL;
        for (size_t i = 0; i < n; i++) {
                size_t m = strlen(names[i]);

                if (m > NEAREST_MAX || (m > length ? m - length : length - m) > length / 3 + 1)
                        continue;
                size_t distance = edit_distance(s, length, names[i], m);

                if (distance < best_distance) {
                        best_distance = distance;
                        best = names[i];
                }
        }
        return best_distance <= MAX((size_t)1, length / 3) ? best : NULL;
}
