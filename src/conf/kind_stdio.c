// StandardInput= (arg 0), StandardOutput= (1), StandardError= (2).
#include "base/str.h"
#include "conf/kind_impl.h"

enum { FOR_INPUT = 1, FOR_OUTPUT = 2, FOR_BOTH = 3 };

// A mode is printed as its first row.
static const struct {
        const char *name;
        enum stdio_mode mode;
        int streams;
        bool console;
        const char *instead; // for an obsolete word
} words[] = {
        {"null", STDIO_NULL, FOR_BOTH, false, NULL},
        {"inherit", STDIO_INHERIT, FOR_OUTPUT, false, NULL},
        {"tty", STDIO_TTY, FOR_BOTH, false, NULL},
        {"tty-force", STDIO_TTY_FORCE, FOR_INPUT, false, NULL},
        {"tty-fail", STDIO_TTY_FAIL, FOR_INPUT, false, NULL},
        {"journal", STDIO_JOURNAL, FOR_OUTPUT, false, NULL},
        {"journal+console", STDIO_JOURNAL, FOR_OUTPUT, true, NULL},
        {"kmsg", STDIO_KMSG, FOR_OUTPUT, false, NULL},
        {"kmsg+console", STDIO_KMSG, FOR_OUTPUT, true, NULL},
        {"syslog", STDIO_JOURNAL, FOR_OUTPUT, false, "journal"},
        {"syslog+console", STDIO_JOURNAL, FOR_OUTPUT, true, "journal+console"},
        {"socket", STDIO_SOCKET, FOR_BOTH, false, NULL},
        {"fd", STDIO_FD, FOR_BOTH, false, NULL},
        {"data", STDIO_DATA, FOR_INPUT, false, NULL},
};

static const struct {
        const char *prefix;
        enum stdio_mode mode;
        int streams;
} prefixes[] = {
        {"fd:", STDIO_FD, FOR_BOTH},
        {"file:", STDIO_FILE, FOR_BOTH},
        {"append:", STDIO_APPEND, FOR_OUTPUT},
        {"truncate:", STDIO_TRUNCATE, FOR_OUTPUT},
};

static const char *what_of(const struct directive *d)
{
        return d->arg == 0 ? "input specifier" : "output specifier";
}

static int read_arg(const struct parse_context *c, enum stdio_mode mode, const char *text,
                    char **ret)
{
        CLEANUP(free) char *arg = NULL;
        int r = kind_expand(c, text, SPECIFIERS_ALL, KIND_MARKS_KEEP, &arg);

        if (!arg)
                return r;
        if (mode != STDIO_FD) {
                r = kind_clean_path(c, &arg);
        } else {
                char *p = arg;

                while (*p && (unsigned char)*p < 127 && *p != ':' &&
                       (*p >= ' ' || *p == SPECIFIER_MARK))
                        p++;
                if (*p || !*arg)
                        return kind_complain(c, "Invalid file descriptor name, ignoring: %s", arg);
        }
        *ret = TAKE(arg);
        return r;
}

static void set_value(struct stdio_value *v, struct stdio_value new)
{
        free(v->arg);
        *v = new;
}

static int parse_stdio(const struct parse_context *c, const char *value, void *field)
{
        int stream = c->directive->arg == 0 ? FOR_INPUT : FOR_OUTPUT;

        if (!*value) {
                set_value(field, (struct stdio_value){.mode = STDIO_DEFAULT});
                return 0;
        }
        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
                const char *rest = str_after_prefix(value, prefixes[i].prefix);
                struct stdio_value new = {.mode = prefixes[i].mode};
                int r;

                if (!rest || !(prefixes[i].streams & stream))
                        continue;
                r = read_arg(c, new.mode, rest, &new.arg);
                if (new.arg)
                        set_value(field, new);
                return r;
        }
        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
                if (!streq(words[i].name, value) || !(words[i].streams & stream))
                        continue;
                if (words[i].instead)
                        kind_notice(c,
                                    "%s=%s is obsolete, automatically updating to %s. Please "
                                    "update the unit file.",
                                    c->directive->name, value, words[i].instead);
                set_value(field,
                          (struct stdio_value){.mode = words[i].mode, .console = words[i].console});
                return 0;
        }
        return kind_complain_value(c, what_of(c->directive), value);
}

static int format_stdio(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct stdio_value *v = field;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (v->arg) {
                for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                        if (prefixes[i].mode == v->mode)
                                buf_puts(&b, prefixes[i].prefix);
                kind_put_specifiers(&b, d, v->arg);
                return kind_push_buf(ret_lines, &b);
        }
        for (size_t i = 0; i < ARRAY_SIZE(words); i++)
                if (words[i].mode == v->mode && words[i].console == v->console)
                        return kind_push_line(ret_lines, "%s", words[i].name);
        return 0;
}

static void free_stdio(void *field)
{
        free(((struct stdio_value *)field)->arg);
}

static bool equal_stdio(const void *a, const void *b)
{
        const struct stdio_value *x = a, *y = b;

        return x->mode == y->mode && x->console == y->console && str_eq_ptr(x->arg, y->arg);
}

static int copy_stdio(const void *from, void *to)
{
        const struct stdio_value *v = from;
        struct stdio_value copy = {.mode = v->mode, .console = v->console};
        int r = str_set(&copy.arg, v->arg);

        if (r == 0)
                *(struct stdio_value *)to = copy;
        return r;
}

const struct kind kind_stdio = {
        .name = "stdio",
        .size = sizeof(kind_stdio_t),
        .signature = NULL,
        .parse = parse_stdio,
        .format = format_stdio,
        .free = free_stdio,
        .equal = equal_stdio,
        .copy = copy_stdio,
};
