// OpenFile=: "PATH[:NAME[:OPTIONS]]", OPTIONS separated by commas.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

#include <limits.h>

static const struct {
        const char *name;
        unsigned flag;
} options[] = {
        {"read-only", OPEN_FILE_READ_ONLY},
        {"append", OPEN_FILE_APPEND},
        {"truncate", OPEN_FILE_TRUNCATE},
        {"graceful", OPEN_FILE_GRACEFUL},
};

static void free_file(struct open_file *f)
{
        free(f->path);
        free(f->name);
        *f = (struct open_file){0};
}

static void free_files(void *field)
{
        struct open_files *list = field;

        for (size_t i = 0; i < list->n; i++)
                free_file(&list->items[i]);
        free(list->items);
        *list = (struct open_files){0};
}

// Moves the file into the list. 0 or -ENOMEM.
static int add_file(struct open_files *list, struct open_file *file)
{
        struct open_file *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        list->items = more;
        more[list->n++] = *file;
        *file = (struct open_file){0};
        return 0;
}

// 0, -EINVAL, -ENOMEM.
static int parse_options(const char *text, unsigned *ret)
{
        CLEANUP(strv) char **words = NULL;
        unsigned flags = 0;
        int r = strv_split(text, ",", &words);

        STRV_FOREACH (word, words) {
                unsigned flag = 0;

                for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                        if (streq(options[i].name, *word))
                                flag = options[i].flag;
                if (flag == 0 || (flags & flag))
                        return -EINVAL;
                flags |= flag;
        }
        *ret = flags;
        unsigned how = flags & (OPEN_FILE_READ_ONLY | OPEN_FILE_APPEND | OPEN_FILE_TRUNCATE);

        return r < 0 ? r : (how & (how - 1)) ? -EINVAL : 0; // one of the three, or none
}

// Parses the text, and changes it. 0, -EINVAL, -ENOMEM.
static int parse_file(const struct parse_context *c, char *text, struct open_file *ret)
{
        char *name = strchr(text, ':'), *flags = NULL;

        if (name) {
                *name++ = '\0';
                flags = strchr(name, ':');
        }
        if (flags)
                *flags++ = '\0';
        int r = flags ? parse_options(flags, &ret->flags) : 0;

        if (r == 0 && (text[0] != '/' || (name && (strchr(name, ':') || strlen(name) > NAME_MAX))))
                r = -EINVAL;
        if (r == 0)
                r = str_set(&ret->path, text);
        if (r < 0)
                return r;
        r = kind_clean_path(c, &ret->path);
        if (!ret->path)
                return r < 0 ? r : -EINVAL;
        return str_set(&ret->name, name && *name ? name : fs_path_basename(ret->path));
}

static int parse_files(const struct parse_context *c, const char *value, void *field)
{
        struct open_file file = {0};
        CLEANUP(free) char *text = NULL;

        if (!*value) {
                free_files(field);
                return 0;
        }
        int r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &text);

        if (!text)
                return r;
        r = parse_file(c, text, &file);
        if (r == 0)
                r = add_file(field, &file);
        free_file(&file);
        return r == -EINVAL ? kind_complain_value(c, "file to open", value) : r;
}

static int format_files(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct open_files *list = field;
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++) {
                const struct open_file *f = &list->items[i];
                CLEANUP(buf) struct buf b = BUF_NULL;
                const char *before = ":";

                kind_put_specifiers(&b, d, f->path);
                buf_putc(&b, ':');
                kind_put_specifiers(&b, d, f->name);
                for (size_t k = 0; k < ARRAY_SIZE(options); k++)
                        if (f->flags & options[k].flag) {
                                buf_printf(&b, "%s%s", before, options[k].name);
                                before = ",";
                        }
                r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_files(const void *a, const void *b)
{
        const struct open_files *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (!streq(x->items[i].path, y->items[i].path) ||
                    !streq(x->items[i].name, y->items[i].name) ||
                    x->items[i].flags != y->items[i].flags)
                        return false;
        return true;
}

static int copy_files(const void *from, void *to)
{
        const struct open_files *list = from;
        struct open_files copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                struct open_file f = {.flags = list->items[i].flags};

                if (str_set(&f.path, list->items[i].path) < 0 ||
                    str_set(&f.name, list->items[i].name) < 0 || add_file(&copy, &f) < 0) {
                        free_file(&f);
                        free_files(&copy);
                        return -ENOMEM;
                }
        }
        *(struct open_files *)to = copy;
        return 0;
}

const struct kind kind_open_files = {
        .name = "open files",
        .size = sizeof(kind_open_files_t),
        .parse = parse_files,
        .format = format_files,
        .free = free_files,
        .equal = equal_files,
        .copy = copy_files,
};
