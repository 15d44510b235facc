#include "conf/cfgfile_scan.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "base/strv.h"

#define DEPTH_MAX 8 // two are needed: a block, and a list in it

struct scanner {
        char *p; // into the copy of the text, in which comments are blanked
        unsigned line;
        unsigned opened[DEPTH_MAX]; // lines of the braces that are open
        size_t depth;
        bool is_list_empty; // after "= {"
        char before;        // last character of the last token, 0: none
        struct map *seen;
        struct cfgfile_scan *scan;
};

static int fault(struct scanner *s, unsigned line, const char *text)
{
        s->scan->fault = text;
        s->scan->fault_line = line;
        return 1;
}

static void blank(struct scanner *s)
{
        if (*s->p == '\n')
                s->line++;
        else
                *s->p = ' ';
        s->p++;
}

// 0: after the comment; 1: fault.
static int skip_comment(struct scanner *s)
{
        unsigned begin = s->line;

        if (s->p[0] == '/' && s->p[1] == '*') {
                while (*s->p && !(s->p[0] == '*' && s->p[1] == '/'))
                        blank(s);
                if (!*s->p)
                        return fault(s, begin, "The comment that begins here has no end.");
                blank(s);
                blank(s);
                return 0;
        }
        while (*s->p && *s->p != '\n')
                blank(s);
        return 0;
}

static int skip_string(struct scanner *s)
{
        unsigned begin = s->line;
        char quote = *s->p++;

        for (; *s->p && *s->p != quote; s->p++) {
                if (*s->p == '\n')
                        return fault(s, begin,
                                     "A line ends inside the quotes: close them, or put a "
                                     "backslash at the end.");
                if (quote == '"' && s->p[0] == '$' && s->p[1] == '{')
                        return fault(s, s->line,
                                     "${...} in double quotes would be replaced by usher's own "
                                     "environment: write the value in single quotes.");
                if (*s->p == '\\' && s->p[1]) {
                        s->p++;
                        if (*s->p == '\n')
                                s->line++;
                }
        }
        if (!*s->p)
                return fault(s, begin, "The string that begins here is not closed.");
        s->p++;
        return 0;
}

static bool is_assigned(const char *p)
{
        p += strspn(p, " \t\r\n");
        return *p == '=' || (p[0] == '+' && p[1] == '=');
}

// Skips a word without quotes; remembers names that are assigned to.
static int skip_word(struct scanner *s)
{
        CLEANUP(free) char *word = NULL;
        size_t length = strcspn(s->p, " \t\r\n\"'#{}()+=,*");
        int r;

        if (s->p[0] == '$' && s->p[1] == '{')
                return fault(s, s->line, "${...} is allowed only in single quotes.");
        word = str_ndup(s->p, length);
        if (!word)
                return -ENOMEM;
        s->p += length;
        if (strchr("\"'", *s->p) && *s->p)
                return fault(s, s->line, "Put the quotes around the whole value.");
        if (!is_assigned(s->p) || s->before == '=' || map_get(s->seen, word))
                return 0;
        r = map_set(s->seen, word, s);
        if (r >= 0)
                r = strv_push(&s->scan->names, word);
        return r < 0 ? r : 0;
}

static int take_brace(struct scanner *s)
{
        if (*s->p == '{') {
                if (s->depth == DEPTH_MAX)
                        return fault(s, s->line, "Braces are nested too deeply.");
                s->is_list_empty = s->before == '=';
                s->opened[s->depth++] = s->line;
        } else {
                if (s->depth == 0)
                        return fault(s, s->line, "This brace closes nothing.");
                s->depth--;
                if (s->before == '{' && s->is_list_empty)
                        return fault(s, s->line,
                                     "An empty list has no effect: to reset, write Name = \"\".");
        }
        s->p++;
        return 0;
}

static int take_token(struct scanner *s)
{
        switch (*s->p) {
        case '\n':
                s->line++;
                s->p++;
                return 0;
        case ' ':
        case '\t':
        case '\r':
                s->p++;
                return 0;
        case '"':
        case '\'':
                return skip_string(s);
        case '{':
        case '}':
                return take_brace(s);
        case '=':
        case ',':
                s->p++;
                return 0;
        case '+':
                if (s->p[1] != '=')
                        break;
                s->p++;
                return 0;
        case '(':
        case ')':
        case '*':
                break;
        default:
                return skip_word(s);
        }
        return fault(s, s->line, "A value with one of + * ( ) needs quotes.");
}

static int scan_all(struct scanner *s)
{
        while (*s->p) {
                bool is_blank = strchr(" \t\r\n", *s->p) != NULL;
                int r;

                if (*s->p == '#' || (s->p[0] == '/' && (s->p[1] == '/' || s->p[1] == '*'))) {
                        r = skip_comment(s);
                        is_blank = true;
                } else {
                        r = take_token(s);
                }
                if (r != 0)
                        return r;
                if (!is_blank)
                        s->before = s->p[-1];
        }
        if (s->depth > 0)
                return fault(s, s->opened[s->depth - 1],
                             "The brace that opens here is not closed.");
        return 0;
}

int cfgfile_scan(const char *text, size_t size, struct cfgfile_scan *ret)
{
        struct scanner s = {.line = 1, .scan = ret};
        const char *bad;
        int r;

        *ret = (struct cfgfile_scan){0};
        bad = memchr(text, '\0', size);
        if (!bad && !str_is_utf8(text))
                for (bad = text; str_utf8_length(bad) > 0;)
                        bad += str_utf8_length(bad);
        if (bad) {
                for (const char *p = text; p < bad; p++)
                        s.line += *p == '\n';
                (void)fault(&s, s.line,
                            *bad ? "This line is not UTF-8." : "A NUL byte in the file.");
                return 0;
        }
        ret->text = str_ndup(text, size);
        s.p = ret->text;
        s.seen = map_new();
        r = s.p && s.seen ? scan_all(&s) : -ENOMEM;
        map_free(s.seen);
        return r < 0 ? r : 0;
}

void cfgfile_scan_done(struct cfgfile_scan *scan)
{
        free(scan->text);
        strv_free(scan->names);
        *scan = (struct cfgfile_scan){0};
}
