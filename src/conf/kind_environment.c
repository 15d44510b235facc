// Environment=, UnsetEnvironment=, PassEnvironment= and EnvironmentFile=.
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

static bool is_good(const char *s, bool with_names, bool with_assignments)
{
        return (with_names && strv_env_name_is_valid(s, strlen(s))) ||
               (with_assignments && strv_env_assignment_is_valid(s));
}

static int add_entry(const struct parse_context *c, const char *word, bool with_names,
                     bool with_assignments, char ***list)
{
        CLEANUP(free) char *text = NULL;
        int r;

        // Checked before the expansion, too, since the marks of a template are control characters.
        r = kind_expand(c, word, SPECIFIERS_ALL, KIND_MARKS_KEEP, &text);
        if (!text)
                return r;
        if (!is_good(specifier_has_marks(text) ? word : text, with_names, with_assignments))
                return with_names
                               ? kind_complain(c, "Invalid environment name for %s, ignoring: %s",
                                               c->directive->name, text)
                               : kind_complain(c, "Invalid environment assignment, ignoring: %s",
                                               text);
        if (with_names)
                return strv_push_take(list, TAKE(text));
        return strv_env_set(list, text);
}

static int parse_entries(const struct parse_context *c, const char *value,
                         enum parse_word_flags flags, bool with_names, bool with_assignments,
                         void *field)
{
        const char *p = value;

        if (!*value) {
                strv_free(*(char ***)field);
                *(char ***)field = NULL;
                return 0;
        }
        for (;;) {
                CLEANUP(free) char *word = NULL;
                int r = parse_word(&p, " \t\n\r", flags, &word);

                if (r == 0 || r == -ENOMEM)
                        return r;
                if (r < 0) // the words before the bad one remain
                        return kind_complain(c, "Invalid syntax, ignoring: %s", value);
                r = add_entry(c, word, with_names, with_assignments, field);
                if (r != 0)
                        return r;
        }
}

static int parse_environment(const struct parse_context *c, const char *value, void *field)
{
        return parse_entries(c, value, PARSE_WORD_UNQUOTE | PARSE_WORD_UNESCAPE, false, true,
                             field);
}

// arg 1: assignments are accepted, too (UnsetEnvironment=).
static int parse_environment_names(const struct parse_context *c, const char *value, void *field)
{
        bool with_assignments = c->directive->arg == 1;

        return parse_entries(c, value,
                             PARSE_WORD_UNQUOTE | (with_assignments ? PARSE_WORD_UNESCAPE : 0),
                             true, with_assignments, field);
}

static int format_environment(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_C, *(char **const *)field, ret_lines);
}

#define DEFINE_KIND(id, dbus)                  \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = dbus,             \
                .parse = parse_##id,           \
                .format = format_environment,  \
                .free = kind_strv_free,        \
                .equal = kind_strv_equal,      \
                .copy = kind_strv_copy,        \
        }

DEFINE_KIND(environment, "as");
DEFINE_KIND(environment_names, "as");

// ---- EnvironmentFile= --------------------------------------------------------------------------

static void free_environment_files(void *field)
{
        struct environment_file_list *list = field;

        for (size_t i = 0; i < list->n; i++)
                free(list->items[i].path);
        free(list->items);
        *list = (struct environment_file_list){0};
}

// Takes the path. 0 or -ENOMEM.
static int add_file(struct environment_file_list *list, char *path, bool missing_ok)
{
        struct environment_file *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more) {
                free(path);
                return -ENOMEM;
        }
        list->items = more;
        more[list->n++] = (struct environment_file){.path = path, .missing_ok = missing_ok};
        return 0;
}

static int parse_environment_files(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(free) char *path = NULL;
        bool missing_ok = *value == '-';
        int r;

        if (!*value) {
                free_environment_files(field);
                return 0;
        }
        r = kind_expand(c, value + missing_ok, SPECIFIERS_ALL, KIND_MARKS_KEEP, &path);
        if (path)
                r = kind_clean_path(c, &path);
        return path ? add_file(field, TAKE(path), missing_ok) : r;
}

static int format_environment_files(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct environment_file_list *list = field;
        int r = 0;

        for (size_t i = 0; i < list->n && r == 0; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                if (list->items[i].missing_ok)
                        buf_putc(&b, '-');
                kind_put_specifiers(&b, d, list->items[i].path);
                r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_environment_files(const void *a, const void *b)
{
        const struct environment_file_list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (x->items[i].missing_ok != y->items[i].missing_ok ||
                    !streq(x->items[i].path, y->items[i].path))
                        return false;
        return true;
}

static int copy_environment_files(const void *from, void *to)
{
        const struct environment_file_list *list = from;
        struct environment_file_list copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                char *path = strdup(list->items[i].path);

                if (!path || add_file(&copy, path, list->items[i].missing_ok) < 0) {
                        free_environment_files(&copy);
                        return -ENOMEM;
                }
        }
        *(struct environment_file_list *)to = copy;
        return 0;
}

const struct kind kind_environment_files = {
        .name = "environment_files",
        .size = sizeof(kind_environment_files_t),
        .signature = NULL,
        .parse = parse_environment_files,
        .format = format_environment_files,
        .free = free_environment_files,
        .equal = equal_environment_files,
        .copy = copy_environment_files,
};
