// RuntimeDirectory=, StateDirectory= and the like: relative paths, each with links after a colon.
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

static void list_done(struct managed_directory_list *list)
{
        for (size_t i = 0; i < list->n; i++) {
                free(list->items[i].path);
                strv_free(list->items[i].symlinks);
        }
        free(list->items);
        *list = (struct managed_directory_list){0};
}

static void free_directories(void *field)
{
        list_done(field);
}

// Finds or adds the entry of a path. Takes the path. NULL: no memory.
static struct managed_directory *list_get(struct managed_directory_list *list, char *path)
{
        struct managed_directory *more;

        for (size_t i = 0; i < list->n; i++)
                if (streq(list->items[i].path, path)) {
                        free(path);
                        return &list->items[i];
                }
        more = realloc(list->items, (list->n + 1) * sizeof(*more));
        if (!more) {
                free(path);
                return NULL;
        }
        list->items = more;
        more[list->n] = (struct managed_directory){.path = path};
        return &more[list->n++];
}

// Reads a relative path from text[0..n); *ret NULL: complained about.
static int read_relative(const struct parse_context *c, const char *text, size_t n, char **ret)
{
        CLEANUP(free) char *part = str_ndup(text, n), *full = NULL, *simple = NULL;
        int r;

        if (!part)
                return -ENOMEM;
        r = kind_expand(c, part, SPECIFIERS_ALL, KIND_MARKS_KEEP, &full);
        if (!full)
                return r;
        if (fs_path_is_absolute(full) || fs_path_has_dotdot(full))
                return kind_complain(c, "%s= path is not relative and normalized, ignoring: %s",
                                     c->directive->name, full);
        simple = fs_path_simplify(full);
        if (!simple)
                return -ENOMEM;
        if (!*simple || streq(simple, "."))
                return kind_complain_value(c, "path", full);
        if (streq(simple, "private") || str_after_prefix(simple, "private/"))
                return kind_complain(c, "%s= path can't be 'private', ignoring assignment: %s",
                                     c->directive->name, full);
        *ret = TAKE(simple);
        return 0;
}

static int add_word(const struct parse_context *c, const char *word,
                    struct managed_directory_list *list)
{
        const char *colon = strchr(word, ':');
        CLEANUP(free) char *path = NULL, *symlink = NULL;
        struct managed_directory *item;
        int r = read_relative(c, word, colon ? (size_t)(colon - word) : strlen(word), &path);

        if (!path)
                return r;
        if (colon && colon[1]) {
                if (streq(c->directive->name, "ConfigurationDirectory")) {
                        kind_warn(c, "Destination parameter is not supported for %s=, ignoring: %s",
                                  c->directive->name, word);
                } else {
                        r = read_relative(c, colon + 1, strlen(colon + 1), &symlink);
                        if (!symlink)
                                return r;
                }
        }
        item = list_get(list, TAKE(path));
        if (!item)
                return -ENOMEM;
        return symlink && !strv_contains(item->symlinks, symlink)
                       ? strv_push_take(&item->symlinks, TAKE(symlink))
                       : 0;
}

static int parse_directories(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        int r;

        if (!*value) {
                list_done(field);
                return 0;
        }
        r = parse_words(value, PARSE_WORD_UNQUOTE, &words);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain_value(c, "paths", value);
        STRV_FOREACH (word, words) {
                r = add_word(c, *word, field);
                if (r != 0)
                        return r;
        }
        return 0;
}

static int format_directories(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct managed_directory_list *list = field;
        CLEANUP(strv) char **words = NULL;
        int r = 0;

        for (size_t i = 0; i < list->n && r == 0; i++) {
                const struct managed_directory *item = &list->items[i];

                if (!item->symlinks)
                        r = strv_push(&words, item->path);
                STRV_FOREACH (symlink, item->symlinks) {
                        char *word = r == 0 ? str_printf("%s:%s", item->path, *symlink) : NULL;

                        r = word ? strv_push_take(&words, word) : -ENOMEM;
                }
        }
        return r < 0 ? r : kind_format_words(d, KIND_QUOTE_PLAIN, words, ret_lines);
}

static bool equal_directories(const void *a, const void *b)
{
        const struct managed_directory_list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (!streq(x->items[i].path, y->items[i].path) ||
                    !strv_equal(x->items[i].symlinks, y->items[i].symlinks))
                        return false;
        return true;
}

static int copy_directories(const void *from, void *to)
{
        const struct managed_directory_list *list = from;
        struct managed_directory_list copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                char *path = strdup(list->items[i].path);
                struct managed_directory *item = path ? list_get(&copy, path) : NULL;

                if (!item || strv_copy(list->items[i].symlinks, &item->symlinks) < 0) {
                        list_done(&copy);
                        return -ENOMEM;
                }
        }
        *(struct managed_directory_list *)to = copy;
        return 0;
}

const struct kind kind_directories = {
        .name = "directories",
        .size = sizeof(kind_directories_t),
        .signature = NULL,
        .parse = parse_directories,
        .format = format_directories,
        .free = free_directories,
        .equal = equal_directories,
        .copy = copy_directories,
};
