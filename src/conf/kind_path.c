// Paths: one, several, search paths, the working directory.
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

static enum kind_marks marks_of(const struct directive *d)
{
        // Values of [Unit] are not filled for each instance.
        return d->group == GROUP_UNIT ? KIND_MARKS_REPORT : KIND_MARKS_KEEP;
}

// Reads a path, expanded and clean; if *ret is NULL the result is that of parse.
static int read_path(const struct parse_context *c, const char *value, enum kind_marks marks,
                     char **ret)
{
        CLEANUP(free) char *path = NULL;
        int r = kind_expand(c, value, SPECIFIERS_ALL, marks, &path);

        if (path)
                r = kind_clean_path(c, &path);
        if (path)
                *ret = TAKE(path);
        return r;
}

static int parse_path(const struct parse_context *c, const char *value, void *field)
{
        char *path = NULL;
        int r = *value ? read_path(c, value, marks_of(c->directive), &path) : 0;

        if (path || !*value)
                kind_string_take(field, path);
        return r;
}

// PIDFile=: a relative path is below the runtime root.
static int parse_runtime_path(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(free) char *full = NULL;
        char *path = NULL;
        int r = 0;

        for (const char *p = value; *p; p++)
                if ((unsigned char)*p < ' ')
                        return kind_complain_value(c, "path", value);
        if (*value) {
                full = str_printf("%s%s", *value == '/' || *value == '%' ? "" : "%t/", value);
                if (!full)
                        return -ENOMEM;
                r = read_path(c, full, KIND_MARKS_REPORT, &path);
        }
        if (path || !*value)
                kind_string_take(field, path);
        return r;
}

// ---- several -----------------------------------------------------------------------------------

// Adds the valid paths and complains about the others.
static int add_paths(const struct parse_context *c, char **words, char ***list)
{
        STRV_FOREACH (word, words) {
                char *path = NULL;
                int r = read_path(c, *word, marks_of(c->directive), &path);

                if (path)
                        r = strv_push_take(list, path);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int parse_mount_paths(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r = parse_words(value, PARSE_WORD_UNQUOTE, &words);

        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "paths", value);
        return add_paths(c, words, field);
}

static int parse_paths(const struct parse_context *c, const char *value, void *field)
{
        if (*value)
                return parse_mount_paths(c, value, field);
        strv_free(*(char ***)field);
        *(char ***)field = NULL;
        return 0;
}

static int format_paths(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_PLAIN, *(char **const *)field, ret_lines);
}

static int parse_search_paths(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r;

        if (!*value) {
                strv_free(*(char ***)field);
                *(char ***)field = NULL;
                return 0;
        }
        r = strv_split(value, ":", &words);
        return r < 0 ? r : add_paths(c, words, field);
}

static int format_search_paths(const struct directive *d, const void *field, char ***ret_lines)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        STRV_FOREACH (path, *(char **const *)field) {
                if (b.size > 0)
                        buf_putc(&b, ':');
                kind_put_specifiers(&b, d, *path);
        }
        return b.size > 0 || b.error < 0 ? kind_push_buf(ret_lines, &b) : 0;
}

// ---- the working directory ---------------------------------------------------------------------

static int parse_working_directory(const struct parse_context *c, const char *value, void *field)
{
        struct working_directory *v = field, new = {0};
        struct directive lenient = *c->directive;
        struct parse_context context = *c;
        int r = 0;

        if (*value == '-') {
                new.missing_ok = true;
                value++;
                // As in systemd, a path that may be missing may also be invalid.
                lenient.flags &= (unsigned char)~DIRECTIVE_SECURITY;
                context.directive = &lenient;
                c = &context;
                if (!*value)
                        return kind_complain_value(c, "path", "-");
        }
        new.is_home = streq(value, "~");
        if (*value && !new.is_home) {
                r = read_path(c, value, KIND_MARKS_KEEP, &new.path);
                if (!new.path)
                        return r;
        }
        free(v->path);
        *v = new;
        return 0;
}

static int format_working_directory(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct working_directory *v = field;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!v->path && !v->is_home)
                return 0;
        if (v->missing_ok)
                buf_putc(&b, '-');
        if (v->path)
                kind_put_specifiers(&b, d, v->path);
        else
                buf_putc(&b, '~');
        return kind_push_buf(ret_lines, &b);
}

static void free_working_directory(void *field)
{
        free(((struct working_directory *)field)->path);
}

static bool equal_working_directory(const void *a, const void *b)
{
        const struct working_directory *x = a, *y = b;

        return x->is_home == y->is_home && x->missing_ok == y->missing_ok &&
               str_eq_ptr(x->path, y->path);
}

static int copy_working_directory(const void *from, void *to)
{
        const struct working_directory *v = from;
        struct working_directory copy = {.is_home = v->is_home, .missing_ok = v->missing_ok};
        int r = str_set(&copy.path, v->path);

        if (r == 0)
                *(struct working_directory *)to = copy;
        return r;
}

#define DEFINE_KIND(id, dbus, sort, formatter) \
        const struct kind kind_##id = {        \
                .name = #id,                   \
                .size = sizeof(kind_##id##_t), \
                .signature = dbus,             \
                .parse = parse_##id,           \
                .format = formatter,           \
                .free = sort##_free,           \
                .equal = sort##_equal,         \
                .copy = sort##_copy,           \
        }

DEFINE_KIND(path, "s", kind_string, kind_string_format);
DEFINE_KIND(runtime_path, "s", kind_string, kind_string_format);
DEFINE_KIND(paths, "as", kind_strv, format_paths);
DEFINE_KIND(mount_paths, "as", kind_strv, format_paths);
DEFINE_KIND(search_paths, "as", kind_strv, format_search_paths);

const struct kind kind_working_directory = {
        .name = "working_directory",
        .size = sizeof(kind_working_directory_t),
        .signature = NULL,
        .parse = parse_working_directory,
        .format = format_working_directory,
        .free = free_working_directory,
        .equal = equal_working_directory,
        .copy = copy_working_directory,
};
