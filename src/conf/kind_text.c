// Single strings, and the data for standard input.
#include "base/parse.h"
#include "base/str.h"
#include "conf/kind_impl.h"

#define DATA_MAX ((size_t)16 * 1024 * 1024) // of StandardInputText=, StandardInputData= together

static int parse_text(const struct parse_context *c, const char *value, void *field)
{
        char *text = NULL;
        int r;

        if (!*value) {
                kind_string_take(field, NULL);
                return 0;
        }
        r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_KEEP, &text);
        if (text)
                kind_string_take(field, text);
        return r;
}

#define DEFINE_KIND(id, parser)                \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = "s",              \
                .parse = parser,               \
                .format = kind_string_format,  \
                .free = kind_string_free,      \
                .equal = kind_string_equal,    \
                .copy = kind_string_copy,      \
        }

// Specifiers are expanded if the row has the flag; rows of kind text do not have it.
DEFINE_KIND(string, parse_text);
DEFINE_KIND(text, parse_text);

// ---- data for standard input -------------------------------------------------------------------

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// 0, -EINVAL.
static int put_decoded(struct buf *b, const char *s)
{
        unsigned bits = 0, n_bits = 0, n_digits = 0, n_fill = 0;

        for (; *s; s++) {
                const char *digit = strchr(digits, *s);

                if (strchr(" \t\n\r", *s))
                        continue;
                if (*s == '=') {
                        n_fill++;
                        continue;
                }
                if (!digit || n_fill > 0)
                        return -EINVAL;
                bits = (bits << 6 | (unsigned)(digit - digits)) & 0xffff;
                n_bits += 6;
                n_digits++;
                if (n_bits >= 8) {
                        n_bits -= 8;
                        buf_putc(b, (char)(bits >> n_bits & 0xff));
                }
        }
        return (n_digits + n_fill) % 4 == 0 && n_fill <= 2 ? 0 : -EINVAL;
}

static void put_encoded(struct buf *b, const uint8_t *data, size_t size)
{
        for (size_t i = 0; i < size; i += 3) {
                unsigned n = (unsigned)MIN(size - i, (size_t)3);
                unsigned v = (unsigned)data[i] << 16 | (n > 1 ? (unsigned)data[i + 1] << 8 : 0) |
                             (n > 2 ? (unsigned)data[i + 2] : 0);

                buf_putc(b, digits[v >> 18 & 63]);
                buf_putc(b, digits[v >> 12 & 63]);
                buf_putc(b, n > 1 ? digits[v >> 6 & 63] : '=');
                buf_putc(b, n > 2 ? digits[v & 63] : '=');
        }
}

// A line of text: C escapes, then specifiers, then an end of line.
static int put_text(const struct parse_context *c, struct buf *b, const char *value)
{
        CLEANUP(free) char *plain = NULL, *text = NULL;
        const char *p = value;
        int r = parse_word(&p, "", PARSE_WORD_UNESCAPE, &plain);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain(c, "Failed to decode C escaped text '%s', ignoring", value);
        r = kind_expand(c, plain, SPECIFIERS_ALL, KIND_MARKS_BYTES, &text);
        if (!text)
                return r;
        buf_puts(b, text);
        buf_putc(b, '\n');
        return b->error;
}

static int parse_data(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        struct data_value *v = field;
        size_t before = v->size;
        char *data;
        int r;

        if (!*value) {
                free(v->data);
                *v = (struct data_value){0};
                return 0;
        }
        buf_put(&b, v->data, v->size);
        if (c->directive->arg == DATA_TEXT)
                r = put_text(c, &b, value);
        else if (put_decoded(&b, value) < 0)
                r = kind_complain_value(c, "base64 data", value);
        else
                r = b.error;
        if (r != 0 || b.size == before)
                return r;
        if (b.size > DATA_MAX)
                return kind_complain(c, "Standard input data too large, ignoring");
        before = b.size;
        r = buf_take(&b, &data);
        if (r < 0)
                return r;
        free(v->data);
        *v = (struct data_value){.data = data, .size = before};
        return 0;
}

static int format_data(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        const struct data_value *v = field;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (v->size == 0)
                return 0;
        put_encoded(&b, (const uint8_t *)v->data, v->size);
        return kind_push_buf(ret_lines, &b);
}

static void free_data(void *field)
{
        free(((struct data_value *)field)->data);
}

static bool equal_data(const void *a, const void *b)
{
        const struct data_value *x = a, *y = b;

        return x->size == y->size && (x->size == 0 || memcmp(x->data, y->data, x->size) == 0);
}

static int copy_data(const void *from, void *to)
{
        const struct data_value *v = from;
        struct data_value copy = {.size = v->size};

        if (v->size > 0) {
                copy.data = malloc(v->size);
                if (!copy.data)
                        return -ENOMEM;
                memcpy(copy.data, v->data, v->size);
        }
        *(struct data_value *)to = copy;
        return 0;
}

const struct kind kind_data = {
        .name = "data",
        .size = sizeof(kind_data_t),
        .signature = NULL,
        .parse = parse_data,
        .format = format_data,
        .free = free_data,
        .equal = equal_data,
        .copy = copy_data,
};
