// Completion for bash, without the bash-completion package.
#include "base/str.h"
#include "gen/gen.h"

#include <stdio.h>

static bool is_shown(const struct option_row *o, bool with_run)
{
        return o->scope == OPTION_PLAIN || (with_run && o->scope == OPTION_RUN);
}

static void put_options(const struct program *p, bool with_run)
{
        for (size_t i = 0; i < p->n_options; i++) {
                const struct option_row *o = &p->options[i];

                if (!is_shown(o, with_run))
                        continue;
                if (o->character)
                        printf(" -%c", o->character);
                if (o->name)
                        printf(" --%s", o->name);
        }
}

// Prints the shell code that offers the possible arguments of an option.
static void put_answer(const struct option_row *o)
{
        if (option_has_words(o))
                printf("__usher_reply -W '%s'", o->words);
        else if (option_words_stand_for(o, "DIR"))
                fputs("__usher_reply -d", stdout);
        else if (option_words_stand_for(o, "FILE"))
                fputs("__usher_reply -f", stdout);
        else if (option_words_stand_for(o, "SIGNAL"))
                fputs("__usher_reply -A signal", stdout);
        else if (option_words_stand_for(o, "PROPERTY")) {
                fputs("__usher_reply -W '", stdout);
                program_put_properties();
                putchar('\'');
        } else if (option_words_stand_for(o, "UNIT"))
                fputs("__usher_reply -W \"$(__usher_units list-units --all)\"", stdout);
        else
                fputs(":", stdout);
}

static void put_arguments(const struct program *p)
{
        puts("\tcase $prev in");
        for (size_t i = 0; i < p->n_options; i++) {
                const struct option_row *o = &p->options[i];

                if (!o->argument || o->scope == OPTION_HIDDEN)
                        continue;
                fputs("\t", stdout);
                if (o->character)
                        printf("-%c", o->character);
                if (o->name)
                        printf("%s--%s", o->character ? " | " : "", o->name);
                fputs(") ", stdout);
                put_answer(o);
                puts(" && return ;;");
        }
        puts("\tesac");
}

static void put_verbs_of(const struct program *p, enum verb_argument what, const char *answer)
{
        const char *separator = "\t";

        for (size_t i = 0; i < p->n_verbs; i++) {
                if (p->verbs[i].what != what)
                        continue;
                printf("%s%s", separator, p->verbs[i].name);
                separator = " | ";
        }
        printf(") %s ;;\n", answer);
}

// The options --user and --system are passed on to usherctl, so that it asks the same supervisor.
static void put_functions(void)
{
        puts("__usher_reply() { mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\"); }\n"
             "__usher_units() {\n"
             "\tlocal word supervisor=()\n"
             "\tfor word in \"${COMP_WORDS[@]}\"; do\n"
             "\t\t[[ $word == --user || $word == --system ]] && supervisor+=(\"$word\")\n"
             "\tdone\n"
             "\tusherctl \"${supervisor[@]}\" \"$@\" --no-legend --no-pager --plain 2>/dev/null |\n"
             "\t\twhile read -r word _; do echo \"$word\"; done\n"
             "}");
}

static void put_verb_cases(const struct program *p)
{
        fputs("\tlocal word verb=''\n"
              "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
              "\t\tcase $word in\n\t\t",
              stdout);
        for (size_t i = 0; i < p->n_verbs; i++)
                printf("%s%s", i ? " | " : "", p->verbs[i].name);
        puts(") verb=$word && break ;;\n\t\tesac\n\tdone");
        puts("\tcase $verb in");
        fputs("\t'') __usher_reply -W '", stdout);
        for (size_t i = 0; i < p->n_verbs; i++)
                printf("%s%s", i ? " " : "", p->verbs[i].name);
        puts("' ;;");
        put_verbs_of(p, VERB_UNITS, "__usher_reply -W \"$(__usher_units list-units --all)\"");
        put_verbs_of(p, VERB_UNIT_FILES,
                     "__usher_reply -W \"$(__usher_units list-units --all) $(__usher_units "
                     "list-unit-files)\"");
        put_verbs_of(p, VERB_JOBS, "__usher_reply -W \"$(__usher_units list-jobs)\"");
        put_verbs_of(p, VERB_FILES, "__usher_reply -f");
        put_verbs_of(p, VERB_VARIABLES, "__usher_reply -e");
        put_verbs_of(p, VERB_LEVELS, "__usher_reply -W '" PROGRAM_LOG_LEVELS "'");
        put_verbs_of(p, VERB_TARGETS, "__usher_reply -W '" PROGRAM_LOG_TARGETS "'");
        puts("\tesac");
}

int gen_bash(const struct program *p)
{
        printf("# bash completion for %s; written by usher-gen.\n", p->name);
        put_functions();
        printf("_%s() {\n"
               "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
               "\tCOMPREPLY=()\n"
               "\t# --name=value is three words here.\n"
               "\tif [[ $cur == = ]]; then cur=''; "
               "elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD - 2]}; fi\n",
               p->name);
        put_arguments(p);
        if (!p->n_verbs) {
                puts("\tlocal word is_run=no\n"
                     "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                     "\t\tif [[ $word == run ]]; then is_run=yes; fi\n"
                     "\t\tif [[ $is_run$word == yes-- ]]; then __usher_reply -c -f && return; fi\n"
                     "\tdone\n"
                     "\tif [[ $is_run == yes ]]; then");
                fputs("\t\t__usher_reply -W '--", stdout);
                put_options(p, true);
                puts("' && return\n\tfi");
        }
        fputs("\tif [[ $cur == -* ]]; then __usher_reply -W '", stdout);
        put_options(p, false);
        puts("' && return; fi");
        if (p->n_verbs)
                put_verb_cases(p);
        else
                puts("\t__usher_reply -d\n\tif [[ run == \"$cur\"* ]]; then "
                     "COMPREPLY+=(run); fi");
        printf("}\ncomplete -F _%s %s\n", p->name, p->name);
        return 0;
}
