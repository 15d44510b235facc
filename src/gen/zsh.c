// Completion for zsh, in the language of its _arguments.
#include "base/str.h"
#include "gen/gen.h"

#include <stdio.h>

// Escapes text for use inside '...[...]' or '...:...'.
static void put_text(const char *text)
{
        for (const char *c = text; *c; c++)
                switch (*c) {
                case '\'':
                        fputs("'\\''", stdout);
                        break;
                case '[':
                case ']':
                case ':':
                case '\\':
                        printf("\\%c", *c);
                        break;
                default:
                        putchar(*c == '\n' ? ' ' : *c);
                }
}

static void put_argument(const struct option_row *o)
{
        if (!o->argument)
                return;
        printf(":%s:", o->argument);
        if (option_has_words(o))
                printf("(%s)", o->words);
        else if (option_words_stand_for(o, "DIR"))
                fputs("_directories", stdout);
        else if (option_words_stand_for(o, "FILE"))
                fputs("_files", stdout);
        else if (option_words_stand_for(o, "SIGNAL"))
                fputs("_signals", stdout);
        else if (option_words_stand_for(o, "PROPERTY")) {
                putchar('(');
                program_put_properties();
                putchar(')');
        } else if (option_words_stand_for(o, "UNIT"))
                fputs("_usher_units", stdout);
}

static void put_option(const struct option_row *o)
{
        fputs("\t\t", stdout);
        if (o->name && o->character)
                printf("'(-%c --%s)'{-%c,--%s%s}'[", o->character, o->name, o->character, o->name,
                       o->argument ? "=" : "");
        else if (o->name)
                printf("'--%s%s[", o->name, o->argument ? "=" : "");
        else
                printf("'-%c[", o->character);
        put_text(o->doc);
        putchar(']');
        put_argument(o);
        puts("' \\");
}

static void put_options(const struct program *p, enum option_scope scope)
{
        for (size_t i = 0; i < p->n_options; i++)
                if (p->options[i].scope == scope)
                        put_option(&p->options[i]);
}

static void put_verbs_of(const struct program *p, enum verb_argument what, const char *answer)
{
        const char *separator = "\t\t";

        for (size_t i = 0; i < p->n_verbs; i++) {
                if (p->verbs[i].what != what)
                        continue;
                printf("%s%s", separator, p->verbs[i].name);
                separator = "|";
        }
        printf(") %s ;;\n", answer);
}

static void put_ctl(const struct program *p)
{
        puts("_usherctl() {\n"
             "\tlocal state line\n"
             "\tlocal -a verbs\n"
             "\tverbs=(");
        for (size_t i = 0; i < p->n_verbs; i++) {
                printf("\t\t'%s:", p->verbs[i].name);
                put_text(p->verbs[i].doc);
                puts("'");
        }
        puts("\t)\n\t_arguments -s -S \\");
        put_options(p, OPTION_PLAIN);
        puts("\t\t'1:verb:->verb' '*:argument:->argument'\n"
             "\tcase $state in\n"
             "\tverb) _describe -t verbs verb verbs ;;\n"
             "\targument)\n"
             "\t\tcase $line[1] in");
        put_verbs_of(p, VERB_UNITS, "_usher_units");
        put_verbs_of(p, VERB_UNIT_FILES, "_usher_units files");
        put_verbs_of(p, VERB_FILES, "_files");
        put_verbs_of(p, VERB_VARIABLES, "_parameters -g '*export*'");
        put_verbs_of(p, VERB_LEVELS, "compadd " PROGRAM_LOG_LEVELS);
        put_verbs_of(p, VERB_TARGETS, "compadd " PROGRAM_LOG_TARGETS);
        puts("\t\tesac\n\t\t;;\n\tesac\n}");
}

static void put_daemon(const struct program *p)
{
        puts("_usherd_first() {\n"
             "\t_alternative 'run:command:(run)' 'folders:folder:_directories'\n"
             "}\n"
             "_usherd() {\n"
             "\tlocal -i i=${words[(i)run]}\n"
             "\tif (( i < CURRENT )); then\n"
             "\t\tshift $(( i - 1 )) words\n"
             "\t\t(( CURRENT -= i - 1 ))\n"
             "\t\t_arguments -s -S \\");
        put_options(p, OPTION_PLAIN);
        put_options(p, OPTION_RUN);
        puts("\t\t'*::command:_normal'\n"
             "\telse\n"
             "\t\t_arguments -s -S \\");
        put_options(p, OPTION_PLAIN);
        puts("\t\t'1:folder or run:_usherd_first' '*:folder:_directories'\n"
             "\tfi\n"
             "}");
}

int gen_zsh(const struct program *p)
{
        printf("#compdef %s\n# Written by usher-gen.\n", p->name);
        puts("_usher_units() {\n"
             "\tlocal -a units supervisor\n"
             "\tsupervisor=(${(M)words:#--(user|system)})\n"
             "\tunits=(${${(f)\"$(_call_program units usherctl $supervisor list-units --all "
             "--no-legend --no-pager --plain 2>/dev/null)\"}%% *})\n"
             "\tif [[ $1 == files ]]; then\n"
             "\t\tunits+=(${${(f)\"$(_call_program units usherctl $supervisor list-unit-files "
             "--no-legend --no-pager 2>/dev/null)\"}%% *})\n"
             "\tfi\n"
             "\tcompadd -a units\n"
             "}");
        if (p->n_verbs)
                put_ctl(p);
        else
                put_daemon(p);
        printf("_%s \"$@\"\n", p->name);
        return 0;
}
