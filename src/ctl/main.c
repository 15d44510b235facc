// usherctl: shows and controls a supervisor through its private socket.
#include "ctl/ctl.h"

#include "base/str.h"

#include <locale.h>
#include <stdio.h>

#define VERB(id, name_, arguments_, what, least_, most_, output, doc_) \
        {.name = name_,                                                \
         .run = verb_##id,                                             \
         .least = least_,                                              \
         .most = most_,                                                \
         .has_json = VERB_##output,                                    \
         .synopsis = arguments_,                                       \
         .doc = doc_},
enum { VERB_TEXT = false, VERB_JSON = true };
const struct verb ctl_verbs[] = {
#include "ctl/verbs.def"
};
#undef VERB
const size_t ctl_n_verbs = ARRAY_SIZE(ctl_verbs);

static const struct verb *find_verb(const char *name)
{
        for (size_t i = 0; i < ctl_n_verbs; i++)
                if (streq(ctl_verbs[i].name, name))
                        return &ctl_verbs[i];
        return NULL;
}

static int unknown_verb(const char *name)
{
        const char *names[ARRAY_SIZE(ctl_verbs)];

        for (size_t i = 0; i < ctl_n_verbs; i++)
                names[i] = ctl_verbs[i].name;
        const char *nearest = str_nearest(name, names, ctl_n_verbs);

        fprintf(stderr, "usherctl: Unknown command verb '%s'%s%s%s\nTry 'usherctl --help'.\n", name,
                nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : ".");
        return CTL_USAGE;
}

static int check_count(const struct verb *verb, int n)
{
        if (n >= verb->least && (verb->most < 0 || n <= verb->most))
                return 0;
        fprintf(stderr, "usherctl: %s: too %s arguments.\nUsage: usherctl %s %s\n", verb->name,
                n < verb->least ? "few" : "many", verb->name, verb->synopsis);
        return CTL_USAGE;
}

static int check_output(const struct ctl *c, const struct verb *verb)
{
        if (c->output == OUTPUT_SHORT || verb->has_json)
                return 0;
        fprintf(stderr, "usherctl: %s has no JSON: leave --output out.%s\n", verb->name,
                streq(verb->name, "status") ? " \"usherctl show\" has it." : "");
        return CTL_USAGE;
}

int main(int argc, char **argv)
{
        struct ctl c = {0};
        char **args;

        (void)setlocale(LC_ALL, "");
        int r = options_parse(argc, argv, &c, &args);

        if (r == OPTIONS_RUN) {
                const char *name = args[0] ? args[0] : "list-units";
                const struct verb *verb = find_verb(name);
                int n = 0;

                while (args[0] && args[n + 1])
                        n++;
                if (!verb)
                        r = unknown_verb(name);
                else if ((r = check_output(&c, verb)) == 0 && (r = check_count(verb, n)) == 0)
                        r = verb->run(&c, args[0] ? args + 1 : args);
        }
        sd_bus_flush_close_unref(c.bus);
        options_done(&c);
        shown_done();
        // A command whose output could not be written has failed.
        if (fflush(stdout) != 0 && r == CTL_OK)
                r = CTL_FAILED;
        return r;
}
