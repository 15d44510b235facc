// Manual pages: the hand-written source is copied, and a line of the form .\" @WHAT NAME@ is
// replaced with a list. WHAT is options, run-options or verbs (of program NAME), settings,
// differences, or directives (of section NAME, as the rows of the table spell it).
#include "base/str.h"
#include "conf/difference.h"
#include "conf/directive.h"
#include "conf/settings.h"
#include "gen/gen.h"

#include <stdio.h>

#define MARK ".\\\" @"

// Escapes the text for roff; a newline becomes a blank.
static void put_text(const char *text)
{
        if (*text == '.' || *text == '\'')
                fputs("\\&", stdout);
        for (const char *c = text; *c; c++)
                switch (*c) {
                case '\\':
                        fputs("\\e", stdout);
                        break;
                case '-':
                        fputs("\\-", stdout);
                        break;
                case '\'':
                        fputs("\\(aq", stdout);
                        break;
                case '~':
                        fputs("\\(ti", stdout);
                        break;
                case '^':
                        fputs("\\(ha", stdout);
                        break;
                case '\n':
                        putchar(' ');
                        break;
                default:
                        putchar(*c);
                }
}

// before TEXT after
static void put_in(const char *before, const char *text, const char *after)
{
        fputs(before, stdout);
        put_text(text);
        fputs(after, stdout);
}

static void put_sentence(const char *text)
{
        put_text(text);
        puts(text[strlen(text) - 1] == '.' ? "" : ".");
}

// ---- lists -------------------------------------------------------------------------------------

static void put_options(const struct program *p, enum option_scope scope)
{
        for (size_t i = 0; i < p->n_options; i++) {
                const struct option_row *o = &p->options[i];

                if (o->scope != scope)
                        continue;
                puts(".TP");
                if (o->character)
                        printf("\\fB\\-%c\\fR%s", o->character, o->name ? ", " : "");
                if (o->name)
                        put_in("\\fB\\-\\-", o->name, "\\fR");
                if (o->argument)
                        put_in(o->name ? "=\\fI" : " \\fI", o->argument, "\\fR");
                putchar('\n');
                put_sentence(o->doc);
                // If the text mentions the words already, they are not repeated.
                if (option_has_words(o) && strchr(o->words, ' ') &&
                    !strstr(o->doc, strrchr(o->words, ' ') + 1)) {
                        fputs("One of: ", stdout);
                        put_sentence(o->words);
                }
        }
}

static void put_verbs(const struct program *p)
{
        for (size_t i = 0; i < p->n_verbs; i++) {
                puts(".TP");
                put_in("\\fB", p->verbs[i].name, "\\fR");
                put_in(" \\fI", p->verbs[i].arguments, "\\fR\n");
                put_sentence(p->verbs[i].doc);
        }
}

static void put_settings(void)
{
        size_t position = 0;
        const struct settings_row *row;

        while ((row = settings_next(&position))) {
                puts(".TP");
                put_in("\\fB", row->name, "=\\fR\n");
                put_sentence(row->doc);
                if (row->fallback && *row->fallback)
                        put_in("Default: ", row->fallback, ".\n");
                put_in("Example: ", row->example, "\n");
        }
}

static void put_differences(void)
{
        for (int i = 0; i < _DIFFERENCE_MAX; i++) {
                const struct difference_row *row = difference_row((enum difference)i);

                puts(".TP");
                put_in("\\fB", row->key, "\\fR\n");
                put_in("systemd: ", row->theirs, ".\n.br\n");
                put_in("usher: ", row->ours, ".\n.br\n");
                put_in("Chosen by: ", row->chosen_by, "\n");
        }
}

static void put_directive(const struct directive *d)
{
        puts(".TP");
        put_in("\\fB", d->name, "=\\fR\n");
        put_sentence(d->doc);
        if (d->how == DIRECTIVE_ACTED && !(d->flags & DIRECTIVE_OBSOLETE)) {
                const char *words = value_default_words(d);

                value_put_words(d);
                if (words && *words)
                        put_in("Default: ", words, ".\n");
        }
        if (d->example && *d->example) {
                put_in("Example: ", d->name, "=");
                put_in("", d->example, "\n");
        }
        if (d->flags & DIRECTIVE_USHER)
                puts("(Only in usher; systemd ignores it.)");
        if (d->flags & DIRECTIVE_OBSOLETE)
                puts("Obsolete.");
        if (d->how == DIRECTIVE_EXPOSES)
                puts("\\fINo effect: refused where it would limit the peers of a network socket, else "
                     "ignored with a notice; refused with Unsupported=refuse.\\fR");
        else if (d->how == DIRECTIVE_EXPOSES_SOCKET)
                puts("\\fINo effect: refused in a socket unit with network addresses, else ignored "
                     "with a notice; refused with Unsupported=refuse.\\fR");
        else if (d->how == DIRECTIVE_IGNORE || d->flags & DIRECTIVE_INERT)
                puts(directive_lowers_security(d)
                             ? "\\fINo effect: ignored with a notice; refused with "
                               "Unsupported=refuse.\\fR"
                             : "\\fINo effect: ignored with a notice.\\fR");
        else if (d->how == DIRECTIVE_REFUSE)
                puts("\\fIRefused: a unit that sets it does not start.\\fR");
        else if (d->how == DIRECTIVE_SILENT)
                puts("\\fIIgnored without a notice.\\fR");
}

static int put_directives(const char *section)
{
        static const char *const names[_GROUP_MAX] = {
                [GROUP_UNIT] = "Unit",       [GROUP_INSTALL] = "Install", [GROUP_SOCKET] = "Socket",
                [GROUP_SERVICE] = "Service", [GROUP_EXEC] = "Exec",       [GROUP_KILL] = "Kill",
                [GROUP_CGROUP] = "Cgroup",
        };

        for (enum conf_group g = 0; g < _GROUP_MAX; g++) {
                size_t n;
                const struct directive *rows = directive_table(g, &n);

                if (!streq(names[g], section))
                        continue;
                for (size_t i = 0; i < n; i++)
                        put_directive(&rows[i]);
                return 0;
        }
        return -EINVAL;
}

// ---- the page ----------------------------------------------------------------------------------

// text: the part of a mark between its two @.
static int put_list(char *text)
{
        char *name = strchr(text, ' ');
        const struct program *p = NULL;

        if (name) {
                *name++ = '\0';
                p = program_find(name);
        }
        if (p && streq(text, "options"))
                put_options(p, OPTION_PLAIN);
        else if (p && streq(text, "run-options"))
                put_options(p, OPTION_RUN);
        else if (p && streq(text, "verbs"))
                put_verbs(p);
        else if (streq(text, "settings"))
                put_settings();
        else if (streq(text, "differences"))
                put_differences();
        else
                return streq(text, "directives") && name ? put_directives(name) : -EINVAL;
        return 0;
}

static void put_line(const char *line)
{
        static const struct {
                const char *mark, *text;
        } marks[] = {
                {"@VERSION@", USHER_VERSION},
                {"@SYSCONFDIR@", USHER_SYSCONFDIR},
        };

        while (*line) {
                const char *rest = NULL;

                for (size_t i = 0; !rest && i < ARRAY_SIZE(marks); i++) {
                        rest = str_after_prefix(line, marks[i].mark);
                        if (rest)
                                fputs(marks[i].text, stdout);
                }
                if (!rest)
                        putchar(*line);
                line = rest ? rest : line + 1;
        }
}

int gen_page(const char *path)
{
        FILE *file = fopen(path, "re");
        char line[1024];
        int r = 0, number = 0;

        if (!file) {
                r = -errno;
                fprintf(stderr, "usher-gen: %s: %s\n", path, strerror(errno));
                return r;
        }
        while (r == 0 && fgets(line, sizeof(line), file)) {
                number++;
                if (!str_after_prefix(line, MARK)) {
                        put_line(line);
                        continue;
                }
                char *text = line + strlen(MARK);

                text[strcspn(text, "@\n")] = '\0';
                r = put_list(text);
                if (r < 0)
                        fprintf(stderr, "usher-gen: %s:%d: no such list: %s\n", path, number, text);
        }
        fclose(file);
        return r;
}
