#include "gen/programs.h"

#include "base/str.h"
#include "conf/directive.h"

#include <ctype.h>
#include <stdio.h>

static const struct verb_row ctl_verbs[] = {
#define VERB(id, name, arguments, what, least, most, output, doc) \
        {name, arguments, VERB_##what, least, most, doc},
#include "ctl/verbs.def"
#undef VERB
};

#define OPTION(id, name, character, argument, words, doc) \
        {name, character, argument, words, doc, OPTION_PLAIN},
#define SHORT_OPTION(id, character, argument, words, doc) \
        {NULL, character, argument, words, doc, OPTION_PLAIN},
#define RUN_OPTION(id, name, character, argument, words, doc) \
        {name, character, argument, words, doc, OPTION_RUN},
#define HIDDEN_OPTION(id, name, character, argument, words, doc) \
        {name, character, argument, words, doc, OPTION_HIDDEN},

static const struct option_row ctl_options[] = {
#include "ctl/options.def"
};

static const struct option_row daemon_options[] = {
#include "daemon/options.def"
};

static const struct program programs[] = {
        {"usherctl", ctl_verbs, ARRAY_SIZE(ctl_verbs), ctl_options, ARRAY_SIZE(ctl_options)},
        {"usherd", NULL, 0, daemon_options, ARRAY_SIZE(daemon_options)},
};

const struct program *program_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
                if (streq(programs[i].name, name))
                        return &programs[i];
        return NULL;
}

bool option_words_stand_for(const struct option_row *o, const char *what)
{
        return o->words && streq(o->words, what);
}

bool option_has_words(const struct option_row *o)
{
        // Placeholders are written in capitals.
        return o->words && !isupper((unsigned char)o->words[0]);
}

void program_put_properties(void)
{
        fputs("Id Names LoadState ActiveState SubState Result FragmentPath DropInPaths UnitFileState "
              "MainPID ControlPID StatusText NRestarts NAccepted NConnections NRefused Triggers "
              "TriggeredBy ActiveEnterTimestamp InvocationID ExecMainStatus",
              stdout);
        for (enum conf_group g = 0; g < _GROUP_MAX; g++) {
                size_t n;
                const struct directive *rows = directive_table(g, &n);

                for (size_t i = 0; i < n; i++)
                        if (rows[i].kind && rows[i].kind->signature && !rows[i].is_more &&
                            !(rows[i].flags & (DIRECTIVE_HIDDEN | DIRECTIVE_USHER)))
                                printf(" %s", rows[i].name);
        }
}
