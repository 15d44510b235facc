// Splitting values into words, with quotes and C escapes (systemd.syntax(7)); assignments of a
// shell.
#include "base/parse.h"

#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static void put_utf8(struct buf *b, uint32_t code)
{
        if (code < 0x80) {
                buf_putc(b, (char)code);
        } else if (code < 0x800) {
                buf_putc(b, (char)(0xc0 | (code >> 6)));
                buf_putc(b, (char)(0x80 | (code & 0x3f)));
        } else if (code < 0x10000) {
                buf_putc(b, (char)(0xe0 | (code >> 12)));
                buf_putc(b, (char)(0x80 | ((code >> 6) & 0x3f)));
                buf_putc(b, (char)(0x80 | (code & 0x3f)));
        } else {
                buf_putc(b, (char)(0xf0 | (code >> 18)));
                buf_putc(b, (char)(0x80 | ((code >> 12) & 0x3f)));
                buf_putc(b, (char)(0x80 | ((code >> 6) & 0x3f)));
                buf_putc(b, (char)(0x80 | (code & 0x3f)));
        }
}

// \xHH, \uXXXX, \UXXXXXXXX, \nnn. The length of the escape after the backslash; 0: it is none.
static size_t unescape_number(const char *s, struct buf *b)
{
        size_t digits = *s == 'x' ? 2 : *s == 'u' ? 4 : *s == 'U' ? 8 : 0;
        uint32_t value = 0;

        if (digits > 0) {
                for (size_t i = 1; i <= digits; i++) {
                        int d = hex_digit(s[i]);

                        if (d < 0)
                                return 0;
                        value = value * 16 + (uint32_t)d;
                }
                if (value == 0 ||
                    (digits > 2 && (value > 0x10ffff || (value >= 0xd800 && value < 0xe000))))
                        return 0; // no NUL, no surrogates, nothing beyond Unicode
                if (digits == 2)
                        buf_putc(b, (char)value);
                else
                        put_utf8(b, value);
                return digits + 1;
        }
        for (size_t i = 0; i < 3; i++) {
                if (s[i] < '0' || s[i] > '7')
                        return 0;
                value = value * 8 + (uint32_t)(s[i] - '0');
        }
        if (value == 0 || value > 255)
                return 0;
        buf_putc(b, (char)value);
        return 3;
}

static size_t unescape(const char *s, struct buf *b)
{
        static const char from[] = "abfnrtv\\\"'s", to[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *p = *s ? strchr(from, *s) : NULL;

        if (!p)
                return unescape_number(s, b);
        buf_putc(b, to[p - from]);
        return 1;
}

// A backslash and what follows, at *p (which points after the backslash).
static int take_escape(const char **p, enum parse_word_flags flags, struct buf *b)
{
        if (!**p) { // nothing follows: kept if unknown escapes are
                if (!(flags & PARSE_WORD_KEEP_UNKNOWN))
                        return -EINVAL;
                buf_putc(b, '\\');
                return 0;
        }
        if (flags & PARSE_WORD_UNESCAPE) {
                size_t n = unescape(*p, b);

                if (n > 0) {
                        *p += n;
                        return 0;
                }
                if (!(flags & PARSE_WORD_KEEP_UNKNOWN))
                        return -EINVAL;
                buf_putc(b, '\\');
        }
        buf_putc(b, *(*p)++);
        return 0;
}

int parse_word(const char **p, const char *separators, enum parse_word_flags flags, char **ret)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        const char *s = *p + strspn(*p, separators);
        char quote = 0;

        *p = s;
        if (!*s)
                return 0;
        while (*s && (quote || !strchr(separators, *s))) {
                if (*s == '\\' && !(flags & PARSE_WORD_NO_BACKSLASH)) {
                        s++;
                        int r = take_escape(&s, flags, &b);

                        if (r < 0)
                                return r;
                } else if (quote && *s == quote) {
                        quote = 0;
                        s++;
                } else if (!quote && (flags & PARSE_WORD_UNQUOTE) && (*s == '"' || *s == '\'')) {
                        quote = *s++;
                } else {
                        buf_putc(&b, *s++);
                }
        }
        if (quote)
                return -EINVAL;
        int r = buf_take(&b, ret);

        if (r < 0)
                return r;
        *p = s + strspn(s, separators);
        return 1;
}

int parse_words(const char *s, enum parse_word_flags flags, char ***ret)
{
        CLEANUP(strv) char **v = NULL;
        char *word = NULL;
        int r;

        while ((r = parse_word(&s, " \t\n\r", flags, &word)) > 0) {
                r = strv_push_take(&v, word);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = TAKE(v);
        return 0;
}

// The value after the '=' of a line, n bytes. 1; 0: there is none, or it is no word; -ENOMEM.
static int take_value(const char *text, size_t n, char **ret)
{
        CLEANUP(free) char *raw = str_ndup(text, n);

        if (!raw)
                return -ENOMEM;
        const char *p = str_strip(raw);
        int r = parse_word(&p, "\n",
                           PARSE_WORD_UNQUOTE | PARSE_WORD_UNESCAPE | PARSE_WORD_KEEP_UNKNOWN, ret);

        return r == -EINVAL ? 0 : r;
}

int parse_shell_variable(const char *text, const char *name, char **ret)
{
        CLEANUP(free) char *last = NULL;
        bool is_there = false;

        for (const char *line = text; *line; line += strcspn(line, "\n")) {
                CLEANUP(free) char *value = NULL;

                line += strspn(line, " \t\r\n");
                const char *start = str_after_prefix(line, name);

                if (!start || *start != '=')
                        continue;
                int r = take_value(start + 1, strcspn(start + 1, "\n"), &value);

                if (r < 0)
                        return r;
                free(last);
                last = TAKE(value);
                is_there = true;
        }
        if (is_there && !last && !(last = strdup("")))
                return -ENOMEM;
        if (is_there)
                *ret = TAKE(last);
        return is_there;
}
