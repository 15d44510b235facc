// The directive table for people to read, and the dictionary for fuzzing.
#include "conf/directive.h"
#include "conf/unit_name.h"
#include "gen/gen.h"

#include <stdio.h>

static const char *const group_names[_GROUP_MAX] = {
        [GROUP_UNIT] = "Unit",       [GROUP_INSTALL] = "Install", [GROUP_SOCKET] = "Socket",
        [GROUP_SERVICE] = "Service", [GROUP_EXEC] = "exec",       [GROUP_KILL] = "kill",
        [GROUP_CGROUP] = "cgroup",
};

static const char *how_name(const struct directive *d)
{
        switch (d->how) {
        case DIRECTIVE_ACTED:
                return d->flags & DIRECTIVE_INERT ? "inert" : "acted";
        case DIRECTIVE_IGNORE:
                return "ignored";
        case DIRECTIVE_REFUSE:
                return "refused";
        case DIRECTIVE_SILENT:
                return "silent";
        case DIRECTIVE_EXPOSES:
        case DIRECTIVE_EXPOSES_SOCKET:
                return "exposes";
        default:
                return "?";
        }
}

int gen_table(void)
{
        printf("%-8s %-32s %-8s %-18s %-12s %-24s %s\n", "GROUP", "NAME", "HOW", "KIND", "DEFAULT",
               "OWNER", "WHAT");
        for (enum conf_group g = 0; g < _GROUP_MAX; g++) {
                size_t n;
                const struct directive *rows = directive_table(g, &n);

                for (size_t i = 0; i < n; i++) {
                        const struct directive *d = &rows[i];

                        printf("%-8s %-32s %-8s %-18s %-12s %-24s %s\n", group_names[g], d->name,
                               how_name(d), d->kind ? d->kind->name : "-",
                               d->default_ ? d->default_ : "-", d->owner ? d->owner : "-", d->doc);
                }
        }
        return 0;
}

// One entry of libFuzzer's dictionary language.
static void put_word(const char *text)
{
        putchar('"');
        for (const unsigned char *c = (const unsigned char *)text; *c; c++)
                if (*c == '"' || *c == '\\')
                        printf("\\%c", *c);
                else if (*c < ' ' || *c > '~')
                        printf("\\x%02X", *c);
                else
                        putchar(*c);
        puts("\"");
}

int gen_dictionary(void)
{
        static const char *const sections[] = {"[Unit]",    "[Install]", "[Socket]",
                                               "[Service]", "socket \"", "service \"",
                                               "target \"", "\\\n",      "%i"};

        for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
                put_word(sections[i]);
        for (enum conf_group g = 0; g < _GROUP_MAX; g++) {
                size_t n;
                const struct directive *rows = directive_table(g, &n);

                for (size_t i = 0; i < n; i++) {
                        char line[256];

                        snprintf(line, sizeof(line), "%s=%s\n", rows[i].name,
                                 rows[i].example ? rows[i].example : "");
                        put_word(line);
                        if (rows[i].bad)
                                put_word(rows[i].bad);
                }
        }
        return 0;
}
