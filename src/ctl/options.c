// The command line of usherctl.
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define HELP_COLUMN 26

enum option_id {
        OPTION_FIRST = 255,
#define OPTION(id, long_name, short_name, argument, words, doc) OPTION_##id,
#define SHORT_OPTION(id, short_name, argument, words, doc) OPTION_##id,
#include "ctl/options.def"
#undef OPTION
#undef SHORT_OPTION
};

struct row {
        const char *name; // NULL: the option has only a letter
        int letter;
        const char *value, *doc;
};

static const struct row rows[] = {
#define OPTION(id, long_name, short_name, argument, words, doc_) \
        {.name = long_name, .letter = short_name, .value = argument, .doc = doc_},
#define SHORT_OPTION(id, short_name, argument, words, doc_) \
        {.letter = short_name, .value = argument, .doc = doc_},
#include "ctl/options.def"
#undef OPTION
#undef SHORT_OPTION
};

static void print_entry(const char *left, const char *doc)
{
        int n = printf("  %s", left);

        printf(n < HELP_COLUMN ? "%*s%s\n" : "\n%*s%s\n",
               n < HELP_COLUMN ? HELP_COLUMN - n : HELP_COLUMN, "", doc);
}

void options_print_help(void)
{
        char left[80];

        printf("usherctl [OPTION...] VERB ...\n\nShows and controls usherd, as systemctl does systemd."
               "\n\nVerbs:\n");
        for (size_t i = 0; i < ctl_n_verbs; i++) {
                snprintf(left, sizeof(left), "%s %s", ctl_verbs[i].name, ctl_verbs[i].synopsis);
                print_entry(left, ctl_verbs[i].doc);
        }
        printf("\nOptions:\n");
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                char letter[] = {'-', (char)rows[i].letter, ' ', '\0'};

                const char *value = rows[i].value ? rows[i].value : "";

                if (rows[i].name)
                        snprintf(left, sizeof(left), "%s--%s%s%s", rows[i].letter ? letter : "   ",
                                 rows[i].name, *value ? "=" : "", value);
                else
                        snprintf(left, sizeof(left), "%s%s", letter, value);
                print_entry(left, rows[i].doc);
        }
        printf("\nExit status of actions: 0 done, 1 failed or wrong use, 4 not permitted, 5 no such "
               "unit, 6 unreadable unit.\nOf queries: 0 yes, 3 not active, 4 no such unit. More: usherctl(1)."
               "\n");
}

static int complain(const char *what, const char *value)
{
        fprintf(stderr, "usherctl: %s: %s\nTry 'usherctl --help'.\n", what, value);
        return CTL_USAGE;
}

static int add_list(char ***list, const char *value)
{
        CLEANUP(strv) char **words = NULL;

        return strv_split(value, ",", &words) < 0 || strv_extend(list, words) < 0 ? CTL_FAILED
                                                                                  : OPTIONS_RUN;
}

// Adds unit types; as with systemctl, a word may also be a load state.
static int add_types(struct ctl *c, const char *value)
{
        static const char *const load_states[] = {"loaded", "not-found", "bad-setting", "error",
                                                  "masked"};
        CLEANUP(strv) char **words = NULL;

        if (strv_split(value, ",", &words) < 0)
                return CTL_FAILED;
        STRV_FOREACH (word, words) {
                bool is_state = false;

                for (size_t i = 0; i < ARRAY_SIZE(load_states); i++)
                        is_state = is_state || streq(*word, load_states[i]);
                if (!is_state && (int)unit_type_from_name(*word) < 0)
                        return complain("Neither a type of unit (socket, service, target) nor a "
                                        "load state",
                                        *word);
                if (strv_push(is_state ? &c->states : &c->types, *word) < 0)
                        return CTL_FAILED;
        }
        return OPTIONS_RUN;
}

static int set_output(struct ctl *c, const char *value)
{
        if (streq(value, "json"))
                c->output = OUTPUT_JSON;
        else if (streq(value, "json-pretty"))
                c->output = OUTPUT_JSON_PRETTY;
        else if (!streq(value, "short"))
                return complain("Unknown output format (short, json, json-pretty)", value);
        return OPTIONS_RUN;
}

static int set_units(struct ctl *c, const char *value)
{
        CLEANUP(free) char *path = realpath(value, NULL);

        if (!path)
                return complain(strerror(errno), value);
        return strv_push(&c->units, path) < 0 ? CTL_FAILED : OPTIONS_RUN;
}

// Handles options whose value is stored as given.
static bool set_text(struct ctl *c, int id, const char *value)
{
        const struct {
                int id;
                const char **text;
        } texts[] = {
                {OPTION_RUNTIME_DIR, &c->runtime_dir},
                {OPTION_ROOT, &c->root},
                {OPTION_JOB_MODE, &c->job_mode},
                {OPTION_KILL_WHOM, &c->kill_whom},
                {OPTION_CONFIG, &c->config},
                {OPTION_UNIT, &c->unit},
                {OPTION_SINCE, &c->since},
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (texts[i].id == id) {
                        *texts[i].text = value;
                        return true;
                }
        return false;
}

static int set_value(struct ctl *c, int id, const char *value)
{
        uint32_t number;

        if (set_text(c, id, value))
                return OPTIONS_RUN;
        switch (id) {
        case OPTION_PRESET_MODE:
                if (install_preset_mode_from_name(value) == _INSTALL_PRESET_MODE_INVALID)
                        return complain("Not full, enable-only or disable-only", value);
                c->preset_mode = value;
                break;
        case OPTION_UNITS:
                return set_units(c, value);
        case OPTION_TYPE:
                return add_types(c, value);
        case OPTION_WHAT:
                return add_list(&c->resources, value);
        case OPTION_STATE:
                return add_list(&c->states, value);
        case OPTION_PROPERTY_VALUE:
                c->value = true;
                return add_list(&c->properties, value);
        case OPTION_PROPERTY:
                return add_list(&c->properties, value);
        case OPTION_OUTPUT:
                return set_output(c, value);
        case OPTION_COMPAT:
                if (!streq(value, "systemd"))
                        return complain("--compat= knows \"systemd\" only", value);
                c->compat = true;
                break;
        case OPTION_SIGNAL:
                if (parse_signal(value, &c->signo) < 0)
                        return complain("Not a signal", value);
                break;
        case OPTION_LINES:
                if (parse_u32(value, &number) < 0)
                        return complain("Not a number of lines", value);
                c->lines = number;
                c->has_lines = true;
                break;
        default:
                break;
        }
        return OPTIONS_RUN;
}

static int set_flag(struct ctl *c, int id)
{
        const struct {
                int id;
                bool *flag;
        } flags[] = {
                {OPTION_ALL, &c->all},
                {OPTION_FULL, &c->full},
                {OPTION_WIDE, &c->wide},
                {OPTION_REVERSE, &c->reverse},
                {OPTION_SHOW_TYPES, &c->show_types},
                {OPTION_VALUE, &c->value},
                {OPTION_QUIET, &c->quiet},
                {OPTION_PLAIN, &c->plain},
                {OPTION_NO_LEGEND, &c->no_legend},
                {OPTION_NO_BLOCK, &c->no_block},
                {OPTION_WAIT, &c->wait},
                {OPTION_MARKED, &c->marked},
                {OPTION_NOW, &c->now},
                {OPTION_RUNTIME, &c->runtime},
                {OPTION_FORCE, &c->force},
                {OPTION_FOLLOW, &c->follow},
                {OPTION_AFTER, &c->after},
                {OPTION_BEFORE, &c->before},
                {OPTION_NO_RELOAD, &c->no_reload},
                {OPTION_SYSTEMD_UNITS, &c->systemd_units},
        };

        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (flags[i].id == id)
                        *flags[i].flag = true;
        if (id == OPTION_SYSTEM)
                c->scope = SCOPE_SYSTEM;
        else if (id == OPTION_USER)
                c->scope = SCOPE_USER;
        else if (id == OPTION_FAILED) {
                c->failed = true;
                if (strv_push(&c->states, "failed") < 0)
                        return CTL_FAILED;
        }
        return OPTIONS_RUN;
}

static int take(struct ctl *c, int id)
{
        if (id == OPTION_HELP) {
                options_print_help();
                return CTL_OK;
        }
        if (id == OPTION_VERSION) {
                printf("usherctl %s\n", USHER_VERSION);
                return CTL_OK;
        }
        return optarg ? set_value(c, id, optarg) : set_flag(c, id);
}

static bool wants_colors(void)
{
        const char *no = getenv("NO_COLOR"), *yes = getenv("SYSTEMD_COLORS");
        bool value;

        if (no && *no)
                return false;
        if (yes && parse_bool(yes, &value) == 0)
                return value;
        const char *term = getenv("TERM");

        return isatty(STDOUT_FILENO) && term && !streq(term, "dumb");
}

int options_parse(int argc, char **argv, struct ctl *c, char ***ret_args)
{
        struct option longs[ARRAY_SIZE(rows) + 1] = {0};
        char shorts[2 * ARRAY_SIZE(rows) + 2] = "";
        size_t n = 0, n_longs = 0;
        int letter, r = OPTIONS_RUN;

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                if (rows[i].name)
                        longs[n_longs++] = (struct option){rows[i].name, rows[i].value ? 1 : 0,
                                                           NULL, OPTION_FIRST + 1 + (int)i};
                if (!rows[i].letter)
                        continue;
                shorts[n++] = (char)rows[i].letter;
                if (rows[i].value)
                        shorts[n++] = ':';
        }
        c->lines = 10;
        c->signo = SIGTERM;
        c->job_mode = "replace";
        while (r == OPTIONS_RUN && (letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
                int id = letter;

                for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                        if (rows[i].letter == letter)
                                id = OPTION_FIRST + 1 + (int)i;
                r = letter == '?' ? CTL_USAGE : take(c, id);
        }
        c->has_colors = wants_colors();
        *ret_args = argv + optind;
        return r;
}

void options_done(struct ctl *c)
{
        strv_free(c->units);
        strv_free(c->types);
        strv_free(c->states);
        strv_free(c->properties);
        strv_free(c->resources);
}
