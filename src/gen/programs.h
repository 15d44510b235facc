// The verbs and options of the programs, as tables for the manual and the completions. The programs
// themselves use the same rows (daemon/options.def, ctl/*.def).
#pragma once

#include "base/def.h"

// The arguments of log-level and log-target.
#define PROGRAM_LOG_LEVELS "emerg alert crit err warning notice info debug"
#define PROGRAM_LOG_TARGETS "auto journal syslog stderr console null"

enum verb_argument {
        VERB_NONE,
        VERB_UNITS,      // units that are loaded
        VERB_UNIT_FILES, // also unit files that are not loaded
        VERB_FILES,
        VERB_JOBS,
        VERB_VARIABLES,
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
        OPTION_RUN,    // only after `usherd run`
        OPTION_HIDDEN, // for tests
};

struct option_row {
        const char *name; // NULL: there is only the letter
        char character;   // 0: none
        const char *argument;
        const char *words; // possible arguments; or DIR, FILE, UNIT, SIGNAL, PROPERTY; or NULL
        const char *doc;   // newlines matter only for --help
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
// Are the words the placeholder what (DIR, FILE, ...)?
bool option_words_stand_for(const struct option_row *o, const char *what);
// Are the words literal, not a placeholder?
bool option_has_words(const struct option_row *o);
// Prints the names of the properties that `usherctl show -p` accepts: run-time ones and directives.
void program_put_properties(void);
