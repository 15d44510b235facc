// The verbs and options of the programs, as tables for the manual and for the completions. The rows
// are those that the programs themselves are made of (daemon/options.def, ctl/*.def).
#pragma once

#include "base/def.h"

// What log-level and log-target take.
#define PROGRAM_LOG_LEVELS "emerg alert crit err warning notice info debug"
#define PROGRAM_LOG_TARGETS "auto stderr journal"

enum verb_argument {
        VERB_NONE,
        VERB_UNITS,      // units that are loaded
        VERB_UNIT_FILES, // also those that are only found on the unit path
        VERB_FILES,
        VERB_JOBS,
        VERB_LEVELS,
        VERB_TARGETS,
};

struct verb_row {
        const char *name, *arguments;
        enum verb_argument what;
        int least, most; // number of arguments; most -1: no limit
        const char *doc;
};

enum option_scope {
        OPTION_PLAIN,
        OPTION_RUN,    // behind `usherd run` only
        OPTION_HIDDEN, // for tests
};

struct option_row {
        const char *name; // NULL: it has only a letter
        char character;   // 0: none
        const char *argument;
        const char
                *words;  // what the argument may be; or DIR, FILE, UNIT, SIGNAL, PROPERTY; or NULL
        const char *doc; // a newline is only for --help
        enum option_scope scope;
};

struct program {
        const char *name;
        const struct verb_row *verbs;
        size_t n_verbs;
        const struct option_row *options;
        size_t n_options;
};

// NULL: no such program.
const struct program *program_find(const char *name);
// Is that one of the words that stand for something (DIR, FILE, ...)?
bool option_words_stand_for(const struct option_row *o, const char *what);
// Are the words to be offered as they are?
bool option_has_words(const struct option_row *o);
// Print the names of properties that `usherctl show -p` takes: run-time ones and directives.
void program_put_properties(void);
