#include "daemon/options.h"

#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>

enum {
        OPT_BASE = 255, // values above those of all characters
#define OPTION(id, name, character, argument, words, text) OPT_##id,
#define RUN_OPTION OPTION
#define HIDDEN_OPTION OPTION
#include "daemon/options.def"
#undef OPTION
};

#define HAS_ARGUMENT(argument) ((argument) ? required_argument : no_argument)
static const struct option long_options[] = {
#define OPTION(id, name, character, argument, words, text) \
        {name, HAS_ARGUMENT(argument), NULL, OPT_##id},
#include "daemon/options.def"
        {0},
#undef OPTION
#undef RUN_OPTION
#undef HIDDEN_OPTION
};

struct option_help {
        int id;
        const char *name;
        char character;
        const char *argument, *text;
        bool is_run;
};

static const struct option_help help_lines[] = {
#define OPTION(id, name, character, argument, words, text) \
        {OPT_##id, name, character, argument, text, false},
#define RUN_OPTION(id, name, character, argument, words, text) \
        {OPT_##id, name, character, argument, text, true},
#define HIDDEN_OPTION(id, name, character, argument, words, text)
#include "daemon/options.def"
#undef OPTION
#undef RUN_OPTION
#undef HIDDEN_OPTION
};

// Handles a result of getopt_long(); a letter identifies its option.
static int option_id(int c)
{
        for (size_t i = 0; i < ARRAY_SIZE(help_lines); i++)
                if (help_lines[i].character && help_lines[i].character == c)
                        return help_lines[i].id;
        return c;
}

#define HELP_COLUMN 27

static void print_option(const struct option_help *o)
{
        const char *line = o->text;
        int width = o->character ? printf("  -%c, ", o->character) : printf("      ");

        width += printf("--%s", o->name);
        if (o->argument)
                width += printf("=%s", o->argument);
        for (;;) {
                int n = (int)strcspn(line, "\n");

                printf("%*s%.*s\n", MAX(HELP_COLUMN - width, 1), "", n, line);
                line += n;
                width = 0;
                if (!*line++)
                        return;
        }
}

static void print_help(void)
{
        fputs("usherd [OPTION...] [DIR|UNIT...]\n"
              "usherd [OPTION...] run -l ADDRESS [-l ADDRESS...] [-a] [--inetd] [--name NAME] -- COMMAND [ARG...]\n"
              "\n"
              "Listens on sockets and starts services on demand, as their .socket and .service\n"
              "units say. Stays in the foreground.\n"
              "\n",
              stdout);
        for (size_t i = 0; i < ARRAY_SIZE(help_lines); i++)
                if (!help_lines[i].is_run)
                        print_option(&help_lines[i]);
        fputs("\nusherd run serves one command without any file:\n", stdout);
        for (size_t i = 0; i < ARRAY_SIZE(help_lines); i++)
                if (help_lines[i].is_run)
                        print_option(&help_lines[i]);
}

void options_done(struct options *o)
{
        strv_free(o->units);
        strv_free(o->names);
        strv_free(o->listen);
        strv_free(o->fdnames);
}

static int complain(const char *fmt, ...) PRINTF(1, 2);
static int complain(const char *fmt, ...)
{
        va_list ap;

        fputs("usherd: ", stderr);
        va_start(ap, fmt);
        vfprintf(stderr, fmt, ap);
        va_end(ap);
        fputs("\nTry 'usherd --help'.\n", stderr);
        return OPTIONS_USAGE;
}

// The index of a word in names, whose end is NULL. -1: it is not there.
static int find_word(const char *const *words, const char *word)
{
        for (int i = 0; words[i]; i++)
                if (streq(words[i], word))
                        return i;
        return -1;
}

static int take_log_option(struct options *o, int c, const char *value)
{
        static const char *const formats[] = {"text", "json", NULL};
        static const char *const times[] = {"auto", "no", "yes", NULL};

        if (c == OPT_LOG_LEVEL) {
                o->log_level = log_level_from_name(value);
                return o->log_level < 0
                               ? complain("--log-level=%s: expected one of emerg, "
                                          "alert, crit, err, warning, notice, info, debug, "
                                          "or 0 to 7",
                                          value)
                               : OPTIONS_RUN;
        }
        if (c == OPT_LOG_TIME) {
                o->log_time = find_word(times, value);
                return o->log_time < 0
                               ? complain("--log-time=%s: expected one of auto, yes, no", value)
                               : OPTIONS_RUN;
        }
        if (c == OPT_LOG_FORMAT) {
                o->log_format = find_word(formats, value);
                return o->log_format < 0 ? complain("--log-format=%s: expected one of text, "
                                                    "json",
                                                    value)
                                         : OPTIONS_RUN;
        }
        o->log_target = log_target_from_name(value);
        return o->log_target < 0
                       ? complain("--log-target=%s: expected one of auto, journal, syslog, "
                                  "stderr, console, null",
                                  value)
                       : OPTIONS_RUN;
}

static int take_run_option(struct options *o, int c, char *value)
{
        o->has_run_option = true;
        switch (c) {
        case OPT_LISTEN:
                return strv_push(&o->listen, value);
        case OPT_DATAGRAM:
                o->listen_key = "ListenDatagram";
                break;
        case OPT_SEQPACKET:
                o->listen_key = "ListenSequentialPacket";
                break;
        case OPT_ACCEPT:
                o->accept = true;
                break;
        case OPT_INETD:
                o->inetd = true;
                break;
        case OPT_NAME:
                o->name = value;
                break;
        case OPT_FDNAME:
        default:
                return strv_push(&o->fdnames, value);
        }
        return OPTIONS_RUN;
}

static int take_option(struct options *o, int c, char *value)
{
        switch (c) {
        case OPT_UNITS:
                return unit_path_add(&o->units, value);
        case OPT_TARGET:
                if (!unit_name_is_valid(value))
                        return complain("--target: not the name of a unit: %s", value);
                return strv_push(&o->names, value);
        case OPT_USER:
                o->is_user = true;
                break;
        case OPT_CONFIG:
                o->config = value;
                break;
        case OPT_RUNTIME_DIR:
                o->runtime_dir = value;
                break;
        case OPT_SYSTEMD_UNITS:
                o->systemd_units = true;
                break;
        case OPT_COMPAT:
                if (!streq(value, "systemd"))
                        return complain("--compat: only 'systemd' is known, not %s", value);
                o->compat_systemd = true;
                break;
        case OPT_SPAWN_METHOD:
                o->spawn_method = value;
                break;
        case OPT_HELP:
                print_help();
                return OPTIONS_DONE;
        case OPT_VERSION:
                puts("usherd " USHER_VERSION);
                return OPTIONS_DONE;
        case OPT_LOG_LEVEL:
        case OPT_LOG_FORMAT:
        case OPT_LOG_TARGET:
        case OPT_LOG_TIME:
                return take_log_option(o, c, value);
        case '?':
                fputs("Try 'usherd --help'.\n", stderr);
                return OPTIONS_USAGE;
        default:
                return take_run_option(o, c, value);
        }
        return OPTIONS_RUN;
}

static int check_addresses(const struct options *o)
{
        int type = o->listen_key && streq(o->listen_key, "ListenDatagram") ? SOCK_DGRAM
                   : o->listen_key                                         ? SOCK_SEQPACKET
                                                                           : SOCK_STREAM;

        STRV_FOREACH (text, o->listen) {
                struct port port = {0};
                int r = address_parse(*text, type, &port);

                port_done(&port);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        return complain("run: --listen=%s: %s", *text, address_error(r));
        }
        return OPTIONS_RUN;
}

static int check(const struct options *o)
{
        // systemd's default.target would boot the machine a second time.
        if (!o->is_run && o->systemd_units && !o->names && getpid() != 1)
                return complain("--systemd-units: name the units to be started, since this machine "
                                "is booted already, as in\n"
                                "    usherd --systemd-units --target=ssh.socket");
        if (!o->is_run)
                return o->has_run_option ? complain("--listen, --accept and their like are for "
                                                    "'usherd run' only.")
                                         : OPTIONS_RUN;
        if (!o->listen)
                return complain("run: give at least one address with --listen");
        if (!o->command || !*o->command)
                return complain("run: give a command behind --");
        if (o->units)
                return complain("run takes no folders");
        if (o->names || o->systemd_units)
                return complain("run serves one command: it takes neither --target nor "
                                "--systemd-units");
        if (o->accept && o->listen_key && streq(o->listen_key, "ListenDatagram"))
                return complain("run: datagrams have no connections to accept");
        if (strv_length(o->fdnames) > 1 && strv_length(o->fdnames) != strv_length(o->listen))
                return complain("run: give one --fdname, or one for each --listen");
        return check_addresses(o);
}

// A folder, or the name of a unit to start.
static int take_operand(struct options *o, const char *operand)
{
        return !strchr(operand, '/') && unit_name_is_valid(operand)
                       ? strv_push(&o->names, operand)
                       : unit_path_add(&o->units, operand);
}

// A word that is not an option: the verb, a folder, or the verb's command, which ends the options.
static int take_word(struct options *o, char **word)
{
        if (o->is_run) {
                o->command = word;
                return OPTIONS_RUN;
        }
        if (!o->has_operand && streq(*word, "run")) {
                o->is_run = true;
                return OPTIONS_RUN;
        }
        o->has_operand = true;
        return take_operand(o, *word);
}

int options_parse(int argc, char **argv, struct options *ret)
{
        struct options *o = ret;
        int c, r = OPTIONS_RUN;

        *o = (struct options){.log_level = -1, .log_format = -1, .log_target = -1, .log_time = -1};
        // getopt's messages should begin with this name, however usherd was called.
        argv[0] = (char *)"usherd";
        // The "-" makes getopt_long() return other words in order, as arguments of an option 1.
        while (r == OPTIONS_RUN && !o->command &&
               (c = getopt_long(argc, argv, "-hl:da", long_options, NULL)) >= 0)
                r = c == 1 ? take_word(o, argv + optind - 1) : take_option(o, option_id(c), optarg);
        // The words after "--".
        for (; r == OPTIONS_RUN && !o->command && optind < argc; optind++)
                r = o->is_run ? take_word(o, argv + optind) : take_operand(o, argv[optind]);
        return r == OPTIONS_RUN ? check(o) : r;
}
