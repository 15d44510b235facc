// Lists of plain words, and documentation.
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

static bool is_uri(const char *s)
{
        static const char *const schemes[] = {"http://", "https://", "file:/", "info:", "man:"};

        for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
                const char *rest = str_after_prefix(s, schemes[i]);

                if (rest && *rest)
                        return true;
        }
        return false;
}

static int parse_list(const struct parse_context *c, const char *value, bool are_uris, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r;

        if (!*value) {
                strv_free(*(char ***)field);
                *(char ***)field = NULL;
                return 0;
        }
        r = parse_words(value, PARSE_WORD_UNQUOTE | PARSE_WORD_NO_BACKSLASH, &words);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "words", value);
        STRV_FOREACH (word, words) {
                char *text = NULL;

                r = kind_expand(c, *word, SPECIFIERS_ALL, KIND_MARKS_REPORT, &text);
                if (text && are_uris && !is_uri(text)) {
                        r = kind_complain(c, "Invalid URL, ignoring: %s", text);
                        free(text);
                } else if (text) {
                        r = strv_push_take(field, text);
                }
                if (r != 0)
                        return r;
        }
        return 0;
}

static int parse_as_words(const struct parse_context *c, const char *value, void *field)
{
        return parse_list(c, value, false, field);
}

static int parse_uris(const struct parse_context *c, const char *value, void *field)
{
        return parse_list(c, value, true, field);
}

static int format_list(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_RAW, *(char **const *)field, ret_lines);
}

#define DEFINE_KIND(id, parser)                \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = "as",             \
                .parse = parser,               \
                .format = format_list,         \
                .free = kind_strv_free,        \
                .equal = kind_strv_equal,      \
                .copy = kind_strv_copy,        \
        }

DEFINE_KIND(words, parse_as_words);
DEFINE_KIND(uris, parse_uris);
