#include "spawn/envfile.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_glob.h"
#include "base/str.h"
#include "base/strv.h"

#include <fcntl.h>

enum state {
        LINE_START,
        IN_COMMENT,
        COMMENT_ESCAPE, // a comment continues after a backslash
        IN_NAME,
        VALUE_START,
        IN_VALUE,
        VALUE_ESCAPE,
        IN_SINGLE,
        IN_DOUBLE,
        DOUBLE_ESCAPE,
};

struct parser {
        enum state state;
        struct buf name, value;
        size_t trim; // length of value without trailing blanks outside quotes
        char ***env;
};

static bool is_end(char c)
{
        return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || is_end(c);
}

// The assignment is complete: sets it, unless the name or value is not acceptable.
static int finish(struct parser *p)
{
        CLEANUP(free) char *assignment = NULL;
        CLEANUP(free) char *name = strdup(buf_text(&p->name));
        char *stripped;
        int r = 0;

        if (!name || p->name.error || p->value.error)
                return -ENOMEM;
        stripped = str_strip(name);
        assignment = str_printf("%s=%.*s", stripped, (int)p->trim, buf_text(&p->value));
        if (!assignment)
                return -ENOMEM;
        if (strv_env_assignment_is_valid(assignment))
                r = strv_env_set(p->env, assignment);
        buf_clear(&p->name);
        buf_clear(&p->value);
        p->trim = 0;
        p->state = LINE_START;
        return r;
}

static void put(struct parser *p, char c, bool is_kept)
{
        buf_putc(&p->value, c);
        if (is_kept)
                p->trim = p->value.size;
}

static int step_name(struct parser *p, char c)
{
        if (is_end(c)) { // not an assignment: the line is skipped
                buf_clear(&p->name);
                p->state = LINE_START;
        } else if (c == '=')
                p->state = VALUE_START;
        else
                buf_putc(&p->name, c);
        return 0;
}

static int step_value(struct parser *p, char c)
{
        if (is_end(c))
                return finish(p);
        if (c == '\\')
                p->state = VALUE_ESCAPE;
        else if (p->state == VALUE_START && c == '\'')
                p->state = IN_SINGLE;
        else if (p->state == VALUE_START && c == '"')
                p->state = IN_DOUBLE;
        else if (p->state == IN_VALUE || !is_blank(c)) {
                p->state = IN_VALUE;
                put(p, c, !is_blank(c));
        }
        return 0;
}

// Inside quotes everything is kept. After the closing quote the value continues as at its start:
// "a" 'b' gives ab, as in systemd.
static int step_quoted(struct parser *p, char c)
{
        if (p->state == IN_SINGLE && c == '\'')
                p->state = VALUE_START;
        else if (p->state == IN_DOUBLE && c == '"')
                p->state = VALUE_START;
        else if (p->state == IN_DOUBLE && c == '\\')
                p->state = DOUBLE_ESCAPE;
        else
                put(p, c, true);
        return 0;
}

static int step(struct parser *p, char c)
{
        switch (p->state) {
        case LINE_START:
                if (c == '#' || c == ';')
                        p->state = IN_COMMENT;
                else if (!is_blank(c)) {
                        p->state = IN_NAME;
                        return step_name(p, c);
                }
                return 0;
        case IN_COMMENT:
                if (c == '\\')
                        p->state = COMMENT_ESCAPE;
                else if (is_end(c))
                        p->state = LINE_START;
                return 0;
        case COMMENT_ESCAPE:
                p->state = IN_COMMENT;
                return 0;
        case IN_NAME:
                return step_name(p, c);
        case VALUE_START:
        case IN_VALUE:
                return step_value(p, c);
        case VALUE_ESCAPE:
                p->state = IN_VALUE;
                if (!is_end(c)) // an escaped line end is a continuation
                        put(p, c, true);
                return 0;
        case DOUBLE_ESCAPE:
                p->state = IN_DOUBLE;
                if (strchr("\"\\`$", c))
                        put(p, c, true);
                else if (c != '\n') {
                        put(p, '\\', true);
                        put(p, c, true);
                }
                return 0;
        case IN_SINGLE:
        case IN_DOUBLE:
                return step_quoted(p, c);
        default:
                return 0;
        }
}

int envfile_parse(const char *text, size_t size, char ***env)
{
        CLEANUP(buf) struct buf name = BUF_NULL;
        CLEANUP(buf) struct buf value = BUF_NULL;
        struct parser p = {.env = env};
        int r = 0;

        if (memchr(text, '\0', size))
                return -EBADMSG;
        for (size_t i = 0; i < size && r == 0; i++)
                r = step(&p, text[i]);
        if (r == 0 && p.state >= VALUE_START)
                r = finish(&p);
        name = p.name; // so that both are freed
        value = p.value;
        return r;
}

static int read_one(const char *path, char **ret, struct fail *why)
{
        CLEANUP(fd) int fd = fs_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, why);
        size_t size = 0;
        int r = fd < 0 ? fd : fs_read_fd(fd, ENVFILE_SIZE_MAX, ret, &size);

        if (r == 0 && memchr(*ret, '\0', size))
                r = -EBADMSG;
        return fail_set_default(why, r, "read environment file", path);
}

static int read_found(const glob_t *found, const char *pattern, bool missing_ok, char ***texts,
                      struct fail *why)
{
        int r = 0;

        if (found->gl_pathc > ENVFILE_FILES_MAX)
                return fail_set(why, E2BIG, "read environment file", "%s", pattern);
        for (size_t i = 0; i < found->gl_pathc && r == 0; i++) {
                struct fail failure = {0};
                CLEANUP(free) char *text = NULL;

                r = read_one(found->gl_pathv[i], &text, &failure);
                if (r == 0)
                        r = strv_push_take(texts, TAKE(text));
                else if (r != -ENOMEM && missing_ok)
                        r = 0;
                else if (why)
                        *why = failure;
        }
        return r;
}

int envfile_read(const char *pattern, bool missing_ok, char ***texts, struct fail *why)
{
        glob_t found;
        int r = fs_glob(pattern, GLOB_BRACE, &found);

        // As in systemd, a wildcard that matches nothing counts as a missing file.
        if (r == GLOB_NOSPACE)
                r = fail_set(why, ENOMEM, "read environment file", "%s", pattern);
        else if (r != 0 || found.gl_pathc == 0)
                r = missing_ok ? 0 : fail_set(why, ENOENT, "read environment file", "%s", pattern);
        else
                r = read_found(&found, pattern, missing_ok, texts, why);
        globfree(&found);
        return r;
}
