#include "daemon/options.h"

#include "base/log.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

static const char help[] =
        "usherd [OPTION...] [DIR...]\n"
        "usherd run -l ADDRESS [-l ADDRESS...] [-a] [--inetd] [--name NAME] -- COMMAND [ARG...]\n"
        "\n"
        "Listens on sockets and starts services on demand, as their .socket and .service\n"
        "units say. Stays in the foreground.\n"
        "\n"
        "      --units DIR          Take units from DIR; may be repeated, the first wins.\n"
        "                           DIR without an option means the same.\n"
        "      --target UNIT        Start UNIT; default: default.target where there is one,\n"
        "                           else all sockets and the services that something wants\n"
        "      --user               Be a user's supervisor (always so, if not root)\n"
        "      --config FILE        Read FILE instead of usher.conf\n"
        "      --runtime-dir DIR    Folder for sockets and state; default: /run/usher, or\n"
        "                           $XDG_RUNTIME_DIR/usher\n"
        "      --systemd-units      Take units from systemd's folders, too\n"
        "      --compat=systemd     Behave as systemd where usher differs on purpose\n"
        "      --log-level LEVEL    emerg ... debug, or 0 ... 7\n"
        "      --log-format FORMAT  text or json\n"
        "      --log-target TARGET  auto, stderr or journal\n"
        "  -h, --help\n"
        "      --version\n"
        "\n"
        "usherd run serves one command without any file:\n"
        "  -l, --listen ADDRESS     Port, ADDRESS:PORT, /path or @name; may be repeated\n"
        "  -d, --datagram           Datagrams instead of streams\n"
        "      --seqpacket          Sequential packets\n"
        "  -a, --accept             Start COMMAND for each connection\n"
        "      --inetd              The connection is standard input and output\n"
        "      --name NAME          Name of the units; default: that of the command\n"
        "      --fdname NAME        Name of the descriptor; repeat it for each address\n";

enum {
        OPT_UNITS = 256,
        OPT_TARGET,
        OPT_USER,
        OPT_CONFIG,
        OPT_RUNTIME_DIR,
        OPT_SYSTEMD_UNITS,
        OPT_COMPAT,
        OPT_LOG_LEVEL,
        OPT_LOG_FORMAT,
        OPT_LOG_TARGET,
        OPT_SPAWN_METHOD,
        OPT_VERSION,
        OPT_SEQPACKET,
        OPT_INETD,
        OPT_NAME,
        OPT_FDNAME,
};

static const struct option long_options[] = {
        {"units", required_argument, NULL, OPT_UNITS},
        {"target", required_argument, NULL, OPT_TARGET},
        {"user", no_argument, NULL, OPT_USER},
        {"config", required_argument, NULL, OPT_CONFIG},
        {"runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR},
        {"systemd-units", no_argument, NULL, OPT_SYSTEMD_UNITS},
        {"compat", required_argument, NULL, OPT_COMPAT},
        {"log-level", required_argument, NULL, OPT_LOG_LEVEL},
        {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
        {"log-target", required_argument, NULL, OPT_LOG_TARGET},
        {"spawn-method", required_argument, NULL, OPT_SPAWN_METHOD}, // for tests
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, OPT_VERSION},
        {"listen", required_argument, NULL, 'l'},
        {"datagram", no_argument, NULL, 'd'},
        {"seqpacket", no_argument, NULL, OPT_SEQPACKET},
        {"accept", no_argument, NULL, 'a'},
        {"inetd", no_argument, NULL, OPT_INETD},
        {"name", required_argument, NULL, OPT_NAME},
        {"fdname", required_argument, NULL, OPT_FDNAME},
        {0},
};

void options_done(struct options *o)
{
        strv_free(o->units);
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

// Index of a word; names end with NULL. -1: none of them.
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
        static const char *const targets[] = {"auto", "stderr", "journal", NULL};

        if (c == OPT_LOG_LEVEL) {
                o->log_level = log_level_from_name(value);
                return o->log_level < 0 ? complain("--log-level: no such level: %s", value)
                                        : OPTIONS_RUN;
        }
        if (c == OPT_LOG_FORMAT) {
                o->log_format = find_word(formats, value);
                return o->log_format < 0 ? complain("--log-format: text or json, not %s", value)
                                         : OPTIONS_RUN;
        }
        o->log_target = find_word(targets, value);
        return o->log_target < 0 ? complain("--log-target: auto, stderr or journal, not %s", value)
                                 : OPTIONS_RUN;
}

static int take_run_option(struct options *o, int c, char *value)
{
        if (!o->is_run)
                return complain("This option is for 'usherd run' only.");
        switch (c) {
        case 'l':
                return strv_push(&o->listen, value);
        case 'd':
                o->listen_key = "ListenDatagram";
                break;
        case OPT_SEQPACKET:
                o->listen_key = "ListenSequentialPacket";
                break;
        case 'a':
                o->accept = true;
                break;
        case OPT_INETD:
                o->inetd = true;
                break;
        case OPT_NAME:
                o->name = value;
                break;
        default: // OPT_FDNAME
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
                o->target = value;
                break;
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
        case 'h':
                fputs(help, stdout);
                return OPTIONS_DONE;
        case OPT_VERSION:
                puts("usherd " USHER_VERSION);
                return OPTIONS_DONE;
        case OPT_LOG_LEVEL:
        case OPT_LOG_FORMAT:
        case OPT_LOG_TARGET:
                return take_log_option(o, c, value);
        case '?':
                fputs("Try 'usherd --help'.\n", stderr);
                return OPTIONS_USAGE;
        default:
                return take_run_option(o, c, value);
        }
        return OPTIONS_RUN;
}

static int check(const struct options *o)
{
        if (o->target && !unit_name_is_valid(o->target))
                return complain("--target: not the name of a unit: %s", o->target);
        if (!o->is_run)
                return OPTIONS_RUN;
        if (!o->listen)
                return complain("run: give at least one address with --listen");
        if (!*o->command)
                return complain("run: give a command behind --");
        if (o->units)
                return complain("run takes no folders");
        if (o->accept && o->listen_key && streq(o->listen_key, "ListenDatagram"))
                return complain("run: datagrams have no connections to accept");
        if (strv_length(o->fdnames) > 1 && strv_length(o->fdnames) != strv_length(o->listen))
                return complain("run: give one --fdname, or one for each --listen");
        return OPTIONS_RUN;
}

int options_parse(int argc, char **argv, struct options *ret)
{
        struct options *o = ret;
        int c, r = OPTIONS_RUN;

        *o = (struct options){.log_level = -1, .log_format = -1, .log_target = -1};
        o->is_run = argc > 1 && streq(argv[1], "run");
        if (o->is_run) {
                argc--;
                argv++;
        }
        // A program name of its own is not wanted in getopt's complaints.
        argv[0] = (char *)"usherd";
        while (r == OPTIONS_RUN &&
               (c = getopt_long(argc, argv, o->is_run ? "+hl:da" : "h", long_options, NULL)) >= 0)
                r = take_option(o, c, optarg);
        if (o->is_run)
                o->command = argv + optind;
        else
                for (; r == OPTIONS_RUN && optind < argc; optind++)
                        r = unit_path_add(&o->units, argv[optind]);
        return r == OPTIONS_RUN ? check(o) : r;
}
