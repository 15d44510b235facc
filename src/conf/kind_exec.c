// Exec*=: command lines (systemd.service(5), "Command Lines"). A bad line makes the unit
// unusable, unless it is marked with "-".
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/kind_impl.h"

#include <stdio.h>

#define BLANKS " \t\n\r"
#define NAME_LENGTH_MAX 255 // of a file
#define PRIVILEGE_FLAGS (EXEC_FULLY_PRIVILEGED | EXEC_NO_SETUID | EXEC_AMBIENT_MAGIC)

// The line is bad, but its "-" permits that: the rest of it is ignored.
#define LEFT_OUT 2

struct exec_parser {
        const struct parse_context *context;
        const char *line; // as written
        const char *p;    // the rest of it
        struct exec_command command;
        bool has_argv0; // "@"
};

static void command_done(struct exec_command *command)
{
        free(command->path);
        strv_free(command->argv);
        *command = (struct exec_command){0};
}

static void free_commands(void *field)
{
        struct command_list *list = field;

        for (size_t i = 0; i < list->n; i++)
                command_done(&list->items[i]);
        free(list->items);
        *list = (struct command_list){0};
}

// Moves the command into the list (and leaves it empty). 0 or -ENOMEM.
static int add_command(struct command_list *list, struct exec_command *command)
{
        struct exec_command *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        list->items = more;
        more[list->n++] = *command;
        *command = (struct exec_command){0};
        return 0;
}

#define COMPLAINT_MAX 1024

// ---- one line ----------------------------------------------------------------------------------

// Complains. Returns 1 if the unit is refused, or LEFT_OUT for a "-" line.
static int refuse(const struct exec_parser *x, const char *what, const char *text)
{
        bool is_ignored = x->command.flags & EXEC_IGNORE_FAILURE;
        char whole[COMPLAINT_MAX]; // the command is cut

        snprintf(whole, sizeof(whole), "%s%s: %s", what, is_ignored ? ", ignoring" : "", text);
        kind_report(x->context, is_ignored ? DIAG_WARNING : DIAG_ERROR, whole);
        return is_ignored ? LEFT_OUT : 1;
}

// 1: a word; 0: the end; -EINVAL: complained about.
static int next_word(struct exec_parser *x, char **ret)
{
        enum parse_word_flags flags = PARSE_WORD_UNQUOTE | PARSE_WORD_UNESCAPE;
        int r = parse_word(&x->p, BLANKS, flags, ret);

        if (r != -EINVAL)
                return r;
        r = parse_word(&x->p, BLANKS, flags | PARSE_WORD_KEEP_UNKNOWN, ret);
        if (r == -EINVAL)
                kind_warn(x->context, "Unbalanced quoting, ignoring: \"%s\"", x->line);
        else if (r > 0)
                kind_warn(x->context, "Ignoring unknown escape sequences: \"%s\"", x->line);
        return r;
}

// Reads the flags before the path; returns the rest.
static const char *take_prefixes(struct exec_parser *x, const char *word)
{
        enum exec_command_flags *flags = &x->command.flags;

        for (;; word++) {
                if (*word == '-' && !(*flags & EXEC_IGNORE_FAILURE))
                        *flags |= EXEC_IGNORE_FAILURE;
                else if (*word == '@' && !x->has_argv0)
                        x->has_argv0 = true;
                else if (*word == ':' && !(*flags & EXEC_NO_ENV_EXPAND))
                        *flags |= EXEC_NO_ENV_EXPAND;
                else if (*word == '+' && !(*flags & PRIVILEGE_FLAGS))
                        *flags |= EXEC_FULLY_PRIVILEGED;
                else if (*word == '!' && !(*flags & PRIVILEGE_FLAGS))
                        *flags |= EXEC_NO_SETUID;
                else if (*word == '!' && !(*flags & (EXEC_FULLY_PRIVILEGED | EXEC_AMBIENT_MAGIC)))
                        *flags = (*flags & ~EXEC_NO_SETUID) | EXEC_AMBIENT_MAGIC;
                else
                        return word;
        }
}

// Expands specifiers. *ret stays NULL if the result is that of refuse(), or -ENOMEM.
static int expand(struct exec_parser *x, const char *word, char **ret)
{
        struct parse_context quiet = *x->context;
        int r;

        quiet.diag = NULL; // the complaint is made here, as it may refuse the unit
        r = kind_expand(&quiet, word, SPECIFIERS_ALL, KIND_MARKS_KEEP, ret);
        return r < 0 || *ret ? r : refuse(x, "Failed to resolve unit specifiers", word);
}

static bool is_safe_name(const char *path)
{
        for (const char *p = path; *p; p++)
                if (((unsigned char)*p < ' ' && *p != SPECIFIER_MARK) || strchr("\"'\\\x7f", *p))
                        return false;
        return true;
}

static bool is_file_name(const char *path)
{
        return !strchr(path, '/') && !streq(path, ".") && !streq(path, "..") &&
               strlen(path) <= NAME_LENGTH_MAX;
}

static int read_path(struct exec_parser *x, const char *word)
{
        CLEANUP(free) char *path = NULL;
        bool is_absolute;
        int r = expand(x, take_prefixes(x, word), &path);

        if (!path)
                return r;
        is_absolute = fs_path_is_absolute(path) || (path[0] == SPECIFIER_MARK && path[1] == 'f');
        if (!*path)
                return refuse(x, "Empty path in command line", x->line);
        if (!is_safe_name(path))
                return refuse(x, "Executable name contains special characters", path);
        if (path[strlen(path) - 1] == '/')
                return refuse(x, "Executable path specifies a directory", path);
        if (!is_absolute && !is_file_name(path))
                return refuse(x, "Neither a valid executable name nor an absolute path", path);
        if (!x->has_argv0) {
                r = strv_push(&x->command.argv, path);
                if (r < 0)
                        return r;
        }
        x->command.path = is_absolute ? fs_path_simplify(path) : TAKE(path);
        return x->command.path ? 0 : -ENOMEM;
}

static bool is_word(const char *p, const char *word)
{
        const char *rest = str_after_prefix(p, word);

        return rest && (!*rest || strchr(BLANKS, *rest));
}

// Reads the arguments up to the end or a ";". *ret_more: another command follows.
static int read_arguments(struct exec_parser *x, bool *ret_more)
{
        for (;;) {
                CLEANUP(free) char *word = NULL, *text = NULL;
                int r;

                x->p += strspn(x->p, BLANKS);
                if (is_word(x->p, ";")) {
                        x->p++;
                        *ret_more = true;
                        return 0;
                }
                if (is_word(x->p, "\\;")) {
                        x->p += 2;
                        text = strdup(";");
                        if (!text)
                                return -ENOMEM;
                } else {
                        r = next_word(x, &word);
                        if (r == 0 || r == -ENOMEM)
                                return r;
                        if (r < 0)
                                return x->command.flags & EXEC_IGNORE_FAILURE ? LEFT_OUT : 1;
                        r = expand(x, word, &text);
                        if (!text)
                                return r;
                }
                r = strv_push_take(&x->command.argv, TAKE(text));
                if (r < 0)
                        return r;
        }
}

// Reads one command into the list.
static int read_command(struct exec_parser *x, struct command_list *list, bool *ret_more)
{
        CLEANUP(free) char *word = NULL;
        int r;

        *ret_more = false;
        x->has_argv0 = false;
        r = next_word(x, &word);
        if (r <= 0)
                return r == -EINVAL ? LEFT_OUT : r; // systemd accepts this
        if (streq(word, ";")) {
                *ret_more = true;
                return 0;
        }
        r = read_path(x, word);
        if (!x->command.path)
                return r;
        r = read_arguments(x, ret_more);
        if (r != 0)
                return r;
        if (!x->command.argv || !*x->command.argv[0])
                return refuse(x, "Empty executable name or zeroeth argument", x->line);
        if (x->has_argv0)
                x->command.flags |= EXEC_ARGV0;
        return add_command(list, &x->command);
}

static int parse_commands(const struct parse_context *c, const char *value, void *field)
{
        struct exec_parser x = {.context = c, .line = value, .p = value};
        bool has_more = true;
        int r = 0;

        if (!*value) {
                free_commands(field);
                return 0;
        }
        while (r == 0 && has_more) {
                r = read_command(&x, field, &has_more);
                command_done(&x.command);
        }
        return r == LEFT_OUT ? 0 : r;
}

// ---- writing -----------------------------------------------------------------------------------

// Writes a word so that it does not begin with a prefix character, and is no separator.
static void put_argument(struct buf *b, const struct directive *d, const char *word)
{
        if (streq(word, ";"))
                buf_puts(b, "\\;");
        else
                kind_put_word(b, d, KIND_QUOTE_C, word);
}

static void put_command(struct buf *b, const struct directive *d,
                        const struct exec_command *command)
{
        static const struct {
                enum exec_command_flags flag;
                const char *prefix;
        } prefixes[] = {
                {EXEC_IGNORE_FAILURE, "-"},   {EXEC_NO_ENV_EXPAND, ":"},
                {EXEC_FULLY_PRIVILEGED, "+"}, {EXEC_NO_SETUID, "!"},
                {EXEC_AMBIENT_MAGIC, "!!"},
        };
        CLEANUP(buf) struct buf first = BUF_NULL;
        bool has_argv0 = command->flags & EXEC_ARGV0;

        for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
                if (command->flags & prefixes[i].flag)
                        buf_puts(&first, prefixes[i].prefix);
        if (has_argv0)
                buf_putc(&first, '@');
        buf_puts(&first, has_argv0 ? command->path : command->argv[0]);
        kind_put_word(b, d, KIND_QUOTE_C, buf_text(&first));
        if (first.error < 0)
                b->error = first.error;
        for (char **arg = command->argv + !has_argv0; *arg; arg++) {
                buf_putc(b, ' ');
                put_argument(b, d, *arg);
        }
}

static int format_commands(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct command_list *list = field;
        int r = 0;

        for (size_t i = 0; i < list->n && r == 0; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                put_command(&b, d, &list->items[i]);
                r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_commands(const void *a, const void *b)
{
        const struct command_list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (x->items[i].flags != y->items[i].flags ||
                    !streq(x->items[i].path, y->items[i].path) ||
                    !strv_equal(x->items[i].argv, y->items[i].argv))
                        return false;
        return true;
}

static int copy_commands(const void *from, void *to)
{
        const struct command_list *list = from;
        struct command_list copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                struct exec_command command = {.flags = list->items[i].flags};

                if (str_set(&command.path, list->items[i].path) < 0 ||
                    strv_copy(list->items[i].argv, &command.argv) < 0 ||
                    add_command(&copy, &command) < 0) {
                        command_done(&command);
                        free_commands(&copy);
                        return -ENOMEM;
                }
        }
        *(struct command_list *)to = copy;
        return 0;
}

const struct kind kind_commands = {
        .name = "commands",
        .size = sizeof(kind_commands_t),
        .signature = NULL,
        .parse = parse_commands,
        .format = format_commands,
        .free = free_commands,
        .equal = equal_commands,
        .copy = copy_commands,
};
