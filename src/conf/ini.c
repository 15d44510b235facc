#include "conf/ini.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

#include <ctype.h>

#define BLANKS " \t\n\r"
#define BOM "\xef\xbb\xbf"

struct parser {
        const struct ini_sink *sink;
        const char *file;
        unsigned line;
        char *section;           // NULL: none that is valid
        bool is_section_ignored; // its lines cause no complaints
        struct buf joined;       // lines that ended in a backslash
        bool is_joining;
};

#define COMPLAIN(p, class, ...) \
        diag_report((p)->sink->diag, class, (p)->sink->unit, (p)->file, (p)->line, __VA_ARGS__)

static bool has_control(const char *s)
{
        for (; *s; s++)
                if (iscntrl((unsigned char)*s) || *s == '"' || *s == '\'' || *s == '\\')
                        return true;
        return false;
}

static int enter_section(struct parser *p, char *header)
{
        size_t length = strlen(header);

        if (header[length - 1] != ']') {
                COMPLAIN(p, DIAG_ERROR, "Invalid section header '%s'", header);
                return -EBADMSG;
        }
        header[length - 1] = '\0';
        header++;
        if (has_control(header)) {
                COMPLAIN(p, DIAG_ERROR, "Bad characters in section header '[%s]'", header);
                return -EBADMSG;
        }
        free(p->section);
        p->section = NULL;
        p->is_section_ignored = true;
        // A section needs a name.
        if (!*header || (p->sink->has_section && !p->sink->has_section(p->sink->data, header))) {
                if (!str_after_prefix(header, "X-"))
                        COMPLAIN(p, DIAG_WARNING, "Unknown section '%s'. Ignoring.", header);
                return 0;
        }
        p->section = strdup(header);
        return p->section ? 0 : -ENOMEM;
}

// Parses a whole logical line, which may be changed.
static int parse_line(struct parser *p, char *line)
{
        char *equals;

        line = str_strip(line);
        if (line[0] == '\0')
                return 0;
        if (!str_is_utf8(line)) {
                CLEANUP(free) char *safe = str_escape(line);

                COMPLAIN(p, DIAG_ERROR, "String is not UTF-8 clean, ignoring assignment: %s",
                         safe ? safe : "");
                return -EINVAL;
        }
        if (line[0] == '[')
                return enter_section(p, line);
        if (!p->section) {
                if (!p->is_section_ignored)
                        COMPLAIN(p, DIAG_WARNING, "Assignment outside of section. Ignoring.");
                return 0;
        }
        equals = strchr(line, '=');
        if (!equals || equals == line) {
                COMPLAIN(p, DIAG_WARNING, "%s",
                         equals ? "Missing key name before '=', ignoring line."
                                : "Missing '=', ignoring line.");
                return 0;
        }
        *equals = '\0';
        return p->sink->assign(p->sink->data, p->section, str_strip(line), str_strip(equals + 1),
                               p->file, p->line);
}

static bool ends_in_backslash(const char *line, size_t length)
{
        size_t n = 0;

        while (n < length && line[length - 1 - n] == '\\')
                n++;
        return n % 2 == 1;
}

// The joined line is complete.
static int finish_line(struct parser *p)
{
        int r = p->joined.error;

        p->is_joining = false;
        if (r == 0 && p->joined.data)
                r = parse_line(p, p->joined.data);
        buf_clear(&p->joined);
        return r;
}

// A line of the file, without its end.
static int take_line(struct parser *p, const char *line, size_t length)
{
        size_t blanks = 0;
        bool goes_on;

        p->line++;
        if (length + p->joined.size > INI_LINE_MAX) {
                COMPLAIN(p, DIAG_ERROR,
                         p->is_joining ? "Continuation line too long" : "Line too long");
                return -ENOBUFS;
        }
        while (blanks < length && strchr(BLANKS, line[blanks]))
                blanks++;
        // Comments between continued lines are skipped.
        if (blanks < length && (line[blanks] == '#' || line[blanks] == ';'))
                return 0;
        if (memchr(line, '\0', length)) {
                COMPLAIN(p, DIAG_WARNING, "NUL byte in line, ignoring line.");
                return 0;
        }
        goes_on = ends_in_backslash(line, length);
        buf_put(&p->joined, line, goes_on ? length - 1 : length);
        p->is_joining = goes_on;
        if (!goes_on)
                return finish_line(p);
        buf_putc(&p->joined, ' ');
        return 0;
}

int ini_parse(const char *text, size_t size, const char *file, const struct ini_sink *sink)
{
        struct parser p = {.sink = sink, .file = file};
        const char *end = text + size;
        int r = 0;

        if (size >= strlen(BOM) && memcmp(text, BOM, strlen(BOM)) == 0)
                text += strlen(BOM);
        while (text < end && r == 0) {
                const char *newline = memchr(text, '\n', (size_t)(end - text));
                size_t length = (size_t)((newline ? newline : end) - text);
                const char *line = text;

                text += length + (newline ? 1 : 0);
                if (length > 0 && line[length - 1] == '\r')
                        length--;
                r = take_line(&p, line, length);
        }
        if (r == 0 && p.is_joining) {
                p.line++;
                r = finish_line(&p);
        }
        free(p.section);
        buf_done(&p.joined);
        return r;
}

int ini_parse_fd(int fd, const char *path, const struct ini_sink *sink)
{
        CLEANUP(free) char *text = NULL;
        size_t size;
        int r = fs_read_fd(fd, INI_FILE_MAX, &text, &size);

        return r < 0 ? r : ini_parse(text, size, path, sink);
}
