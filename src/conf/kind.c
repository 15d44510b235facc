#include "conf/kind.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MAX 1024        // of a complaint; values are cut
#define PATH_LENGTH_MAX 4095 // PATH_MAX less its NUL

bool kind_equal(const struct kind *kind, const void *a, const void *b)
{
        return kind->equal ? kind->equal(a, b) : memcmp(a, b, kind->size) == 0;
}

int kind_copy(const struct kind *kind, const void *from, void *to)
{
        if (kind->copy)
                return kind->copy(from, to);
        memcpy(to, from, kind->size);
        return 0;
}

void kind_report(const struct parse_context *c, enum diag_class class, const char *text)
{
        bool is_named = !c->directive || strstr(text, c->directive->name);

        diag_report(c->diag, class, c->unit, c->file, c->line, "%s%s%s",
                    is_named ? "" : c->directive->name, is_named ? "" : "=: ", text);
}

static void report(const struct parse_context *c, enum diag_class class, const char *fmt,
                   va_list ap) PRINTF(3, 0);

static void report(const struct parse_context *c, enum diag_class class, const char *fmt,
                   va_list ap)
{
        char text[TEXT_MAX];

        if (!c->diag)
                return;
        vsnprintf(text, sizeof(text), fmt, ap);
        kind_report(c, class, text);
}

static bool is_security(const struct parse_context *c)
{
        return c->directive && (c->directive->flags & DIRECTIVE_SECURITY);
}

int kind_complain(const struct parse_context *c, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        report(c, is_security(c) ? DIAG_ERROR : DIAG_WARNING, fmt, ap);
        va_end(ap);
        return is_security(c) ? 1 : 0;
}

int kind_complain_value(const struct parse_context *c, const char *what, const char *value)
{
        return kind_complain(c, "Failed to parse %s for %s=, %s: %s", what, c->directive->name,
                             is_security(c) ? "refusing the unit" : "ignoring", value);
}

void kind_warn(const struct parse_context *c, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        report(c, DIAG_WARNING, fmt, ap);
        va_end(ap);
}

void kind_notice(const struct parse_context *c, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        report(c, DIAG_NOTICE, fmt, ap);
        va_end(ap);
}

static bool has_specifiers(const struct parse_context *c)
{
        return (c->directive->flags & DIRECTIVE_SPECIFIER) && c->specifiers;
}

static int expand(const struct parse_context *c, const char *value, enum specifier_set set,
                  char **ret)
{
        char bad = '?';
        int r;

        if (!has_specifiers(c)) {
                *ret = strdup(value);
                return *ret ? 0 : -ENOMEM;
        }
        r = specifier_expand(value, c->specifiers, set, ret, &bad);
        if (r == -EINVAL)
                return kind_complain(c, "Unknown specifier '%%%c' in %s=, ignoring: %s", bad,
                                     c->directive->name, value);
        if (r < 0 && r != -ENOMEM)
                return kind_complain(c, "Failed to resolve specifier '%%%c' in %s=, ignoring: %s",
                                     bad, c->directive->name, value);
        return r;
}

// Handles a byte that looks like a mark in a text that has none.
static int settle_byte(const struct parse_context *c, enum kind_marks marks, char **text)
{
        CLEANUP(free) char *plain = NULL;

        if (marks == KIND_MARKS_BYTES)
                return 0;
        plain = TAKE(*text);
        if (marks == KIND_MARKS_REPORT)
                return kind_complain(c, "Control character in %s=, ignoring: %s",
                                     c->directive->name, plain);
        *text = specifier_protect(plain);
        return *text ? 0 : -ENOMEM;
}

int kind_expand(const struct parse_context *c, const char *value, enum specifier_set set,
                enum kind_marks marks, char **ret)
{
        char *text = NULL;
        int r = expand(c, value, set, &text);

        if (!text)
                return r;
        if (specifier_has_marks(text)) {
                if (!has_specifiers(c) || !c->specifiers->defer_instance)
                        r = settle_byte(c, marks, &text);
                else if (marks == KIND_MARKS_KEEP && c->ret_kept)
                        *c->ret_kept = true;
                else if (marks != KIND_MARKS_KEEP && c->ret_marks)
                        *c->ret_marks = true;
        }
        *ret = text;
        return r;
}

// ---- writing -----------------------------------------------------------------------------------

void kind_put_specifiers(struct buf *b, const struct directive *d, const char *value)
{
        bool has_specifiers = d && (d->flags & DIRECTIVE_SPECIFIER);

        for (const char *p = value; *p; p++) {
                if (p[0] == SPECIFIER_MARK && p[1] != '\0') {
                        if (*++p != SPECIFIER_MARK)
                                buf_putc(b, '%');
                } else if (has_specifiers && *p == '%') {
                        buf_putc(b, '%');
                }
                buf_putc(b, *p);
        }
}

static void put_raw(struct buf *b, const char *s)
{
        // All in double quotes, but for these themselves.
        if (*s && !strpbrk(s, " \t\n\r\"'")) {
                buf_puts(b, s);
                return;
        }
        buf_putc(b, '"');
        for (; *s; s++) {
                if (*s == '"')
                        buf_puts(b, "\"'\"'\"");
                else
                        buf_putc(b, *s);
        }
        buf_putc(b, '"');
}

static void put_escaped(struct buf *b, enum kind_quoting quoting, const char *s)
{
        bool has_c = quoting == KIND_QUOTE_C;
        bool needs_quotes = !*s || strpbrk(s, " \t\n\r\"'") != NULL;

        if (needs_quotes)
                buf_putc(b, '"');
        for (; *s; s++) {
                size_t n = str_utf8_length(s);

                if (n > 1) {
                        buf_put(b, s, n);
                        s += n - 1;
                } else if (has_c && n == 0) // files are UTF-8
                        buf_printf(b, "\\x%02x", (unsigned char)*s);
                else if (has_c && *s == '\n')
                        buf_puts(b, "\\n");
                else if (has_c && iscntrl((unsigned char)*s) && *s != '\t')
                        buf_printf(b, "\\x%02x", (unsigned char)*s);
                else {
                        if (*s == '"' || *s == '\\')
                                buf_putc(b, '\\');
                        buf_putc(b, *s);
                }
        }
        if (needs_quotes)
                buf_putc(b, '"');
}

void kind_put_word(struct buf *b, const struct directive *d, enum kind_quoting quoting,
                   const char *value)
{
        CLEANUP(buf) struct buf text = BUF_NULL;

        kind_put_specifiers(&text, d, value);
        if (text.error < 0)
                b->error = text.error;
        if (quoting == KIND_QUOTE_RAW)
                put_raw(b, buf_text(&text));
        else
                put_escaped(b, quoting, buf_text(&text));
}

int kind_format_words(const struct directive *d, enum kind_quoting quoting, char *const *words,
                      char ***ret_lines)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (strv_length(words) == 0)
                return 0;
        STRV_FOREACH (word, words) {
                if (word != words)
                        buf_putc(&b, ' ');
                kind_put_word(&b, d, quoting, *word);
        }
        return kind_push_buf(ret_lines, &b);
}

int kind_push_line(char ***lines, const char *fmt, ...)
{
        char *line = NULL;
        va_list ap;
        int n;

        va_start(ap, fmt);
        n = vasprintf(&line, fmt, ap);
        va_end(ap);
        return n < 0 ? -ENOMEM : strv_push_take(lines, line);
}

int kind_push_buf(char ***lines, struct buf *b)
{
        char *line;
        int r = buf_take(b, &line);

        return r < 0 ? r : strv_push_take(lines, line);
}

// ---- fields of strings -------------------------------------------------------------------------

void kind_string_free(void *field)
{
        free(*(char **)field);
}

bool kind_string_equal(const void *a, const void *b)
{
        return str_eq_ptr(*(char *const *)a, *(char *const *)b);
}

int kind_string_copy(const void *from, void *to)
{
        return str_set(to, *(char *const *)from);
}

int kind_string_format(const struct directive *d, const void *field, char ***ret_lines)
{
        const char *text = *(char *const *)field;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!text)
                return 0;
        kind_put_specifiers(&b, d, text);
        return kind_push_buf(ret_lines, &b);
}

void kind_string_take(void *field, char *text)
{
        char **p = field;

        free(*p);
        *p = text;
}

void kind_strv_free(void *field)
{
        strv_free(*(char ***)field);
}

bool kind_strv_equal(const void *a, const void *b)
{
        return strv_equal(*(char **const *)a, *(char **const *)b);
}

int kind_strv_copy(const void *from, void *to)
{
        return strv_copy(*(char **const *)from, to);
}

int kind_clean_path(const struct parse_context *c, char **path)
{
        CLEANUP(free) char *text = TAKE(*path);
        CLEANUP(free) char *simple = NULL;
        const char *rest;

        // %f of a shared template is a path.
        if (!fs_path_is_absolute(text) && !(text[0] == SPECIFIER_MARK && text[1] == 'f'))
                return kind_complain(c, "%s= path is not absolute, ignoring: %s",
                                     c->directive->name, text);
        simple = fs_path_simplify(text);
        if (!simple)
                return -ENOMEM;
        if (strlen(simple) > PATH_LENGTH_MAX)
                return kind_complain(c, "%s= path is too long, ignoring", c->directive->name);
        if (fs_path_has_dotdot(simple))
                return kind_complain(c, "%s= path is not normalized (no .. in it), ignoring: %s",
                                     c->directive->name, simple);
        rest = str_after_prefix(simple, "/var/run/");
        if (!rest) {
                *path = TAKE(simple);
                return 0;
        }
        *path = str_printf("/run/%s", rest);
        if (!*path)
                return -ENOMEM;
        kind_notice(c,
                    "%s= references a path below legacy directory /var/run/, updating %s → %s; "
                    "please update the unit file accordingly.",
                    c->directive->name, simple, *path);
        return 0;
}
