// Completion for fish: one command for each word.
#include "base/str.h"
#include "gen/gen.h"

#include <stdio.h>

static void put_text(const char *text)
{
        putchar('\'');
        for (const char *c = text; *c; c++)
                if (*c == '\'' || *c == '\\')
                        printf("\\%c", *c);
                else
                        putchar(*c == '\n' ? ' ' : *c);
        putchar('\'');
}

static void put_option(const struct program *p, const struct option_row *o)
{
        printf("complete -c %s", p->name);
        if (o->scope == OPTION_RUN)
                fputs(" -n '__fish_seen_subcommand_from run'", stdout);
        if (o->name)
                printf(" -l %s", o->name);
        if (o->character)
                printf(" -s %c", o->character);
        if (option_has_words(o))
                printf(" -x -a '%s'", o->words);
        else if (option_words_stand_for(o, "DIR"))
                fputs(" -x -a '(__fish_complete_directories)'", stdout);
        else if (option_words_stand_for(o, "FILE"))
                fputs(" -r -F", stdout);
        else if (option_words_stand_for(o, "UNIT"))
                fputs(" -x -a '(__usher_units list-units --all)'", stdout);
        else if (option_words_stand_for(o, "PROPERTY")) {
                fputs(" -x -a '", stdout);
                program_put_properties();
                putchar('\'');
        } else if (option_words_stand_for(o, "SIGNAL"))
                fputs(" -x -a 'SIGHUP SIGINT SIGQUIT SIGKILL SIGUSR1 SIGUSR2 SIGTERM SIGCONT SIGSTOP'",
                      stdout);
        else if (o->argument)
                fputs(" -x", stdout);
        fputs(" -d ", stdout);
        put_text(o->doc);
        putchar('\n');
}

static void put_verbs_of(const struct program *p, enum verb_argument what, const char *answer)
{
        printf("complete -c %s -n '__fish_seen_subcommand_from", p->name);
        for (size_t i = 0; i < p->n_verbs; i++)
                if (p->verbs[i].what == what)
                        printf(" %s", p->verbs[i].name);
        printf("' %s\n", answer);
}

static void put_verbs(const struct program *p)
{
        for (size_t i = 0; i < p->n_verbs; i++) {
                printf("complete -c %s -n __fish_use_subcommand -a %s -d ", p->name,
                       p->verbs[i].name);
                put_text(p->verbs[i].doc);
                putchar('\n');
        }
        put_verbs_of(p, VERB_UNITS, "-a '(__usher_units list-units --all)'");
        put_verbs_of(p, VERB_UNIT_FILES,
                     "-a '(__usher_units list-units --all; __usher_units list-unit-files)'");
        put_verbs_of(p, VERB_FILES, "-F");
        put_verbs_of(p, VERB_VARIABLES, "-a '(set -nx)'");
        put_verbs_of(p, VERB_LEVELS, "-a '" PROGRAM_LOG_LEVELS "'");
        put_verbs_of(p, VERB_TARGETS, "-a '" PROGRAM_LOG_TARGETS "'");
}

int gen_fish(const struct program *p)
{
        printf("# fish completion for %s; written by usher-gen.\n", p->name);
        puts("function __usher_units\n"
             "    set -l supervisor (string match -- '--user' (commandline -opc))\n"
             "    usherctl $supervisor $argv --no-legend --no-pager --plain 2>/dev/null | "
             "string replace -r ' .*' ''\n"
             "end");
        if (p->n_verbs) {
                printf("complete -c %s -f\n", p->name);
                put_verbs(p);
        } else {
                printf("complete -c %s -f -n 'not __fish_seen_subcommand_from run' "
                       "-a '(__fish_complete_directories)'\n",
                       p->name);
                printf("complete -c %s -n __fish_is_first_token -a run "
                       "-d 'Serve one command without a unit file'\n",
                       p->name);
        }
        for (size_t i = 0; i < p->n_options; i++)
                if (p->options[i].scope != OPTION_HIDDEN)
                        put_option(p, &p->options[i]);
        return 0;
}
