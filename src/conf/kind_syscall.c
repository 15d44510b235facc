// System calls that a service may use or not: lists with groups and "~", error numbers,
// architectures (systemd.exec(5), SystemCallFilter= and its neighbours).
#include "base/array.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"
#include "conf/syscall.h"

#include <seccomp.h>

#define ITEMS_FIRST 64

// ---- the list ----------------------------------------------------------------------------------

// Index of the number, or of the place where it belongs.
static size_t find(const struct syscall_filter *f, int number)
{
        size_t low = 0, high = f->n;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (f->items[middle].number < number)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

bool syscall_filter_has(const struct syscall_filter *f, int number, int *ret_error)
{
        size_t i = find(f, number);

        if (i >= f->n || f->items[i].number != number)
                return false;
        if (ret_error)
                *ret_error = f->items[i].error;
        return true;
}

// One that is there gets the new error. 0 or -ENOMEM.
static int put(struct syscall_filter *f, int number, int error)
{
        size_t i = find(f, number);

        if (!syscall_filter_has(f, number, NULL)) {
                int r = ARRAY_RESERVE(f->items, f->n, f->capacity, ITEMS_FIRST);

                if (r < 0)
                        return r;
                memmove(&f->items[i + 1], &f->items[i], (f->n - i) * sizeof(*f->items));
                f->n++;
        }
        f->items[i] = (struct syscall_item){.number = number, .error = error};
        return 0;
}

static void drop(struct syscall_filter *f, int number)
{
        size_t i = find(f, number);

        if (!syscall_filter_has(f, number, NULL))
                return;
        memmove(&f->items[i], &f->items[i + 1], (f->n - i - 1) * sizeof(*f->items));
        f->n--;
}

// ---- one line ----------------------------------------------------------------------------------

struct line {
        struct syscall_filter *filter;
        bool is_inverted;
        int error; // of the word in work
};

// A call joins the list where the line and the list mean the same, and leaves it otherwise.
static int take(void *arg, int number)
{
        struct line *line = arg;

        if (line->is_inverted != line->filter->is_allow_list)
                return put(line->filter, number, line->error);
        drop(line->filter, number);
        return 0;
}

static int take_word(const struct parse_context *c, struct line *line, char *word)
{
        char *error = strchr(word, ':');
        int number, r;

        line->error = SYSCALL_ERROR_NONE;
        if (error) {
                *error++ = '\0';
                if (syscall_error_parse(error, &line->error) < 0) {
                        kind_warn(c, "Unknown error number '%s' of '%s', ignoring.", error, word);
                        return 0;
                }
        }
        if (word[0] == '@') {
                r = syscall_group_each(word, take, line);
                if (r == -ENOENT)
                        kind_warn(c, "Unknown group of system calls '%s', ignoring.", word);
                return r == -ENOENT ? 0 : r;
        }
        if (syscall_number(word, &number) < 0) {
                kind_warn(c, "Unknown system call '%s', ignoring.", word);
                return 0;
        }
        return take(line, number);
}

static void free_filter(void *field)
{
        struct syscall_filter *f = field;

        free(f->items);
        *f = (struct syscall_filter){0};
}

static int parse_syscalls(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        struct line line = {.filter = field, .is_inverted = value[0] == '~'};
        int r;

        if (!*value) {
                free_filter(field);
                return 0;
        }
        r = parse_words(value + line.is_inverted, PARSE_WORD_UNQUOTE, &words);
        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "system calls", value);
        // What the first line says decides what the list means; a list of what is allowed has the
        // calls that every program needs.
        if (!line.filter->is_set) {
                line.filter->is_set = true;
                line.filter->is_allow_list = !line.is_inverted;
                line.error = SYSCALL_ERROR_NONE;
                if (!line.is_inverted && c->directive->arg == SYSCALL_LIST_FILTER)
                        r = syscall_group_each("@default", take, &line);
        }
        STRV_FOREACH (word, words)
                if (r >= 0)
                        r = take_word(c, &line, *word);
        return r;
}

// ---- as text -----------------------------------------------------------------------------------

static int push_call(char ***words, int number, int error)
{
        CLEANUP(free) char *name = syscall_name(number);
        const char *error_name = error == SYSCALL_ERROR_NONE ? NULL : syscall_error_name(error);
        char *word;

        if (!name)
                return -ENOMEM;
        if (error == SYSCALL_ERROR_NONE)
                word = TAKE(name);
        else if (error_name)
                word = str_printf("%s:%s", name, error_name);
        else
                word = str_printf("%s:%d", name, error);
        return word ? strv_push_take(words, word) : -ENOMEM;
}

int syscall_filter_words(const struct syscall_filter *f, bool has_denied, char ***ret)
{
        CLEANUP(strv) char **words = NULL;
        int r = 0;

        for (size_t i = 0; r == 0 && i < f->n; i++)
                if (has_denied || !f->is_allow_list || f->items[i].error == SYSCALL_ERROR_NONE)
                        r = push_call(&words, f->items[i].number, f->items[i].error);
        if (r < 0)
                return r;
        strv_sort(words);
        *ret = TAKE(words);
        return 0;
}

// What a list of allowed calls lacks of those that its first line brings.
static int lack(void *arg, int number)
{
        const struct line *line = arg;
        struct line *missing = arg;

        return syscall_filter_has(line->filter, number, NULL)
                       ? 0
                       : put(missing[1].filter, number, SYSCALL_ERROR_NONE);
}

static int push_line(char ***ret_lines, const char *prefix, const struct syscall_filter *f)
{
        CLEANUP(strv) char **words = NULL;
        CLEANUP(buf) struct buf b = BUF_NULL;
        int r = syscall_filter_words(f, true, &words);

        if (r < 0)
                return r;
        buf_puts(&b, prefix);
        STRV_FOREACH (word, words)
                buf_printf(&b, "%s%s", word == words ? "" : " ", *word);
        return kind_push_buf(ret_lines, &b);
}

static int format_syscalls(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct syscall_filter *f = field;
        struct syscall_filter missing = {0};
        struct line walk[] = {{.filter = (struct syscall_filter *)f}, {.filter = &missing}};
        int r;

        if (!f->is_set)
                return 0;
        // A list of nothing that is allowed has lost what its first line brought.
        if (f->n == 0 && f->is_allow_list)
                r = kind_push_line(ret_lines, "execve");
        else
                r = push_line(ret_lines, f->is_allow_list ? "" : "~", f);
        if (r == 0 && f->is_allow_list && d->arg == SYSCALL_LIST_FILTER)
                r = syscall_group_each("@default", lack, walk);
        else if (r == 0 && f->is_allow_list && f->n == 0)
                r = put(&missing, SCMP_SYS(execve), SYSCALL_ERROR_NONE);
        if (r == 0 && missing.n > 0)
                r = push_line(ret_lines, "~", &missing);
        free_filter(&missing);
        return r;
}

static bool equal_syscalls(const void *a, const void *b)
{
        const struct syscall_filter *x = a, *y = b;

        return x->is_set == y->is_set && x->is_allow_list == y->is_allow_list && x->n == y->n &&
               (x->n == 0 || memcmp(x->items, y->items, x->n * sizeof(*x->items)) == 0);
}

static int copy_syscalls(const void *from, void *to)
{
        const struct syscall_filter *x = from;
        struct syscall_filter *y = to;

        *y = *x;
        y->items = NULL;
        y->capacity = 0;
        if (x->n == 0)
                return 0;
        y->items = malloc(x->n * sizeof(*x->items));
        if (!y->items)
                return -ENOMEM;
        memcpy(y->items, x->items, x->n * sizeof(*x->items));
        y->capacity = x->n;
        return 0;
}

const struct kind kind_syscalls = {
        .name = "syscalls",
        .size = sizeof(kind_syscalls_t),
        .signature = "(bas)",
        .parse = parse_syscalls,
        .format = format_syscalls,
        .free = free_filter,
        .equal = equal_syscalls,
        .copy = copy_syscalls,
};

// ---- SystemCallErrorNumber= --------------------------------------------------------------------

static int parse_error(const struct parse_context *c, const char *value, void *field)
{
        if (!*value) {
                *(int *)field = SYSCALL_ERROR_KILL;
                return 0;
        }
        return syscall_error_parse(value, field) < 0 ? kind_complain_value(c, "error number", value)
                                                     : 0;
}

static int format_error(const struct directive *d UNUSED, const void *field, char ***ret_lines)
{
        int error = *(const int *)field;
        const char *name = syscall_error_name(error);

        return name ? kind_push_line(ret_lines, "%s", name)
                    : kind_push_line(ret_lines, "%d", error);
}

const struct kind kind_syscall_error = {
        .name = "syscall_error",
        .size = sizeof(kind_syscall_error_t),
        .signature = "i",
        .parse = parse_error,
        .format = format_error,
};

// ---- SystemCallArchitectures= ------------------------------------------------------------------

static int parse_architectures(const struct parse_context *c, const char *value, void *field)
{
        CLEANUP(strv) char **words = NULL;
        char ***list = field;
        uint32_t token;
        int r;

        if (!*value) {
                strv_free(*list);
                *list = NULL;
                return 0;
        }
        r = parse_words(value, PARSE_WORD_UNQUOTE, &words);
        if (r < 0)
                return r == -ENOMEM ? r : kind_complain_value(c, "architectures", value);
        STRV_FOREACH (word, words) {
                if (syscall_architecture(*word, &token) < 0)
                        kind_warn(c, "Unknown architecture '%s', ignoring.", *word);
                else if (!strv_contains(*list, *word))
                        r = strv_push(list, *word);
                if (r < 0)
                        return r;
        }
        strv_sort(*list);
        return 0;
}

static int format_architectures(const struct directive *d, const void *field, char ***ret_lines)
{
        return kind_format_words(d, KIND_QUOTE_RAW, *(char *const *const *)field, ret_lines);
}

const struct kind kind_architectures = {
        .name = "architectures",
        .size = sizeof(kind_architectures_t),
        .signature = "as",
        .parse = parse_architectures,
        .format = format_architectures,
        .free = kind_strv_free,
        .equal = kind_strv_equal,
        .copy = kind_strv_copy,
};
