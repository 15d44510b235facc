#include "conf/settings.h"

#include "base/log_target.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/enums.h"

struct setting;
// 0; -EINVAL: invalid value; -ENOMEM.
typedef int (*parse_func)(const struct setting *setting, const char *value, struct settings *s);

struct setting {
        struct settings_row row;
        parse_func parse;
        size_t offset;
        const char *const *names;      // of parse_a_choice()
        const struct choices *choices; // of parse_choices()
};

static const char *const level_names[] = {"emerg",  "alert", "crit",  "err", "warning",
                                          "notice", "info",  "debug", NULL};
static const char *const format_names[] = {"text", "json", NULL};

static void *field_of(const struct setting *setting, struct settings *s)
{
        return (char *)s + setting->offset;
}

// ---- kinds of values ---------------------------------------------------------------------------

static int parse_a_bool(const struct setting *setting, const char *value, struct settings *s)
{
        return parse_bool(value, field_of(setting, s));
}

static int parse_tristate(const struct setting *setting, const char *value, struct settings *s)
{
        bool b = false;
        int *field = field_of(setting, s), r = streq(value, "auto") ? 0 : parse_bool(value, &b);

        if (r >= 0)
                *field = streq(value, "auto") ? -1 : b;
        return r;
}

static int parse_bytes(const struct setting *setting, const char *value, struct settings *s)
{
        return parse_size(value, field_of(setting, s));
}

static int parse_a_choice(const struct setting *setting, const char *value, struct settings *s)
{
        int *field = field_of(setting, s);

        for (int i = 0; setting->names[i]; i++)
                if (streq(value, setting->names[i])) {
                        *field = i;
                        return 0;
                }
        return -EINVAL;
}

// As a unit's directive of the same name has it.
static int parse_choices(const struct setting *setting, const char *value, struct settings *s)
{
        int choice = choices_find(setting->choices, value);

        if (choice >= 0)
                *(int *)field_of(setting, s) = choice;
        return choice < 0 ? choice : 0;
}

static int parse_level(const struct setting *setting, const char *value, struct settings *s)
{
        int *field = field_of(setting, s);

        if (value[0] < '0' || value[0] > '7' || value[1])
                return parse_a_choice(setting, value, s);
        *field = value[0] - '0';
        return 0;
}

static int parse_target(const struct setting *setting UNUSED, const char *value, struct settings *s)
{
        int target = log_target_from_name(value);

        if (target >= 0)
                s->log_target = target;
        return target < 0 ? target : 0;
}

static int parse_compat(const struct setting *setting UNUSED, const char *value, struct settings *s)
{
        if (!streq(value, "systemd") && !streq(value, "no"))
                return -EINVAL;
        s->compat_systemd = streq(value, "systemd");
        return 0;
}

static int parse_span(const struct setting *setting, const char *value, struct settings *s)
{
        return parse_usec(value, USEC_PER_SEC, field_of(setting, s));
}

static int parse_timeout(const struct setting *setting, const char *value, struct settings *s)
{
        usec_t *field = field_of(setting, s);
        int r = parse_usec(value, USEC_PER_SEC, field);

        if (r >= 0 && *field == 0)
                *field = USEC_INFINITY;
        return r;
}

static int parse_number(const struct setting *setting, const char *value, struct settings *s)
{
        return parse_u32(value, field_of(setting, s));
}

static int split(const char *value, char ***ret)
{
        return parse_words(value, PARSE_WORD_UNQUOTE | PARSE_WORD_UNESCAPE, ret);
}

static int parse_path_list(const struct setting *setting, const char *value, struct settings *s)
{
        CLEANUP(strv) char **words = NULL;
        int r = split(value, &words);

        STRV_FOREACH (word, words)
                if ((*word)[0] != '/')
                        return -EINVAL;
        return r < 0 ? r : strv_extend(field_of(setting, s), words);
}

static int parse_assignments(const struct setting *setting, const char *value, struct settings *s)
{
        CLEANUP(strv) char **words = NULL;
        int r = split(value, &words);

        STRV_FOREACH (word, words)
                if (!strv_env_assignment_is_valid(*word))
                        return -EINVAL;
        STRV_FOREACH (word, words) {
                r = strv_env_set(field_of(setting, s), *word);
                if (r < 0)
                        return r;
        }
        return r;
}

static bool is_none(char *const *words)
{
        return words && streq(words[0], "none");
}

static int parse_who(const struct setting *setting, const char *value, struct settings *s)
{
        CLEANUP(strv) char **words = NULL;
        char ***field = field_of(setting, s);
        bool is_control = setting->offset == offsetof(struct settings, allow_control);
        int r = split(value, &words);

        if (r < 0)
                return r;
        STRV_FOREACH (word, words)
                if (streq(*word, "none") && (words[1] || is_control))
                        return -EINVAL;
        // The list becomes "none", or is no longer "none".
        if (is_none(words) || is_none(*field)) {
                strv_free(*field);
                *field = NULL;
        }
        return strv_extend(field, words);
}

// ---- the table ---------------------------------------------------------------------------------

#define ROW(name, field, parse, names, example, fallback, doc)                                  \
        {                                                                                       \
                {name, example, fallback, doc}, parse, offsetof(struct settings, field), names, \
                        NULL                                                                    \
        }
#define CHOICES_ROW(name, field, choices, example, fallback, doc)                                \
        {                                                                                        \
                {name, example, fallback, doc}, parse_choices, offsetof(struct settings, field), \
                        NULL, choices                                                            \
        }

static const struct setting table[] = {
        ROW("UnitPath", unit_path, parse_path_list, NULL, "/etc/usher /srv/units", "",
            "Folders with unit files, of which the first wins; replaces the default folders."),
        ROW("SystemdUnits", systemd_units, parse_a_bool, NULL, "yes", "no",
            "Also serve the units in systemd's own folders, behind usher's; usherd's command line "
            "names those to be started."),
        ROW("Compat", compat_systemd, parse_compat, NULL, "systemd", "no",
            "Behave as systemd does where usher differs on purpose."),
        ROW("LogLevel", log_level, parse_level, level_names, "debug", "info",
            "Least important level that is logged: emerg to debug, or 0 to 7."),
        ROW("LogTarget", log_target, parse_target, NULL, "syslog", "auto",
            "Target of log lines: journal, syslog, stderr (or console), null, or auto: the journal if "
            "stderr leads there, else stderr."),
        ROW("LogFormat", log_format, parse_a_choice, format_names, "json", "text",
            "Format of log lines on stderr: text or json."),
        ROW("LogTime", log_time, parse_tristate, NULL, "yes", "auto",
            "Put time and level before text lines on stderr; auto: unless stderr leads to the journal, "
            "or usherd is PID 1 of a container, whose runtime adds the time."),
        ROW("LogBufferSize", log_buffer_size, parse_bytes, NULL, "1M", "64K",
            "Size of the log lines that are kept in memory for usherctl status and usherctl logs."),
        ROW("DefaultTimeoutStartSec", default_timeout_start, parse_timeout, NULL, "30s", "90s",
            "TimeoutStartSec= of services, and TimeoutSec= of sockets, that set none."),
        ROW("DefaultTimeoutStopSec", default_timeout_stop, parse_timeout, NULL, "10s", "90s",
            "TimeoutStopSec= of services that set none."),
        ROW("DefaultTimeoutAbortSec", default_timeout_abort, parse_timeout, NULL, "20s", "",
            "TimeoutAbortSec= of services that set none; default: their stop timeout."),
        ROW("DefaultRestartSec", default_restart, parse_span, NULL, "1s", "100ms",
            "RestartSec= of services that set none."),
        ROW("DefaultStartLimitIntervalSec", default_start_limit_interval, parse_span, NULL, "30s",
            "10s", "StartLimitIntervalSec= of units that set none."),
        ROW("DefaultStartLimitBurst", default_start_limit_burst, parse_number, NULL, "10", "5",
            "StartLimitBurst= of units that set none."),
        CHOICES_ROW("ConnectionLog", connection_log, &choices_connection_log, "full", "failures",
                    "X-ConnectionLog= of sockets that set none: none, failures or full."),
        CHOICES_ROW("LogPeer", log_peer, &choices_log_peer, "masked", "full",
                    "X-LogPeer= of sockets that set none: full, masked or none."),
        ROW("DefaultEnvironment", default_environment, parse_assignments, NULL, "LANG=C.UTF-8", "",
            "Environment variables of every service."),
        ROW("ManagerEnvironment", manager_environment, parse_assignments, NULL, "HTTP_PROXY=", "",
            "Environment variables for usherd itself: PassEnvironment= picks from them, too."),
        ROW("PassManagerEnvironment", pass_environment, parse_tristate, NULL, "no", "auto",
            "Pass usher's own environment to services; auto: only as PID 1 of a container."),
        CHOICES_ROW("Unsupported", unsupported, &choices_unsupported, "refuse", "auto",
                    "Units with directives that usher does not act on and that would limit their "
                    "rights (see below): refuse, notice; auto: refused only where a network socket "
                    "would answer more peers than asked."),
        ROW("RefuseWritableUnits", refuse_writable, parse_tristate, NULL, "yes", "auto",
            "Refuse units that a user other than root owns or may write (see below); auto: the system "
            "supervisor does."),
        ROW("AllowRead", allow_read, parse_who, NULL, "@adm", "all",
            "Users and @groups that may read units and their states; all; none."),
        ROW("AllowLogs", allow_logs, parse_who, NULL, "@adm", "@systemd-journal",
            "Users and @groups that may also read the log lines of units; all; none."),
        ROW("AllowControl", allow_control, parse_who, NULL, "@wheel", "",
            "Users and @groups that may start, stop and change units."),
};

void settings_init(struct settings *s)
{
        *s = (struct settings){
                .log_level = -1,
                .log_target = -1,
                .log_format = -1,
                .log_time = -1,
                .log_buffer_size = 64 << 10,
                .default_timeout_start = 90 * USEC_PER_SEC,
                .default_timeout_stop = 90 * USEC_PER_SEC,
                .default_restart = 100 * USEC_PER_MSEC,
                .default_start_limit_interval = 10 * USEC_PER_SEC,
                .default_start_limit_burst = 5,
                .connection_log = CONNECTION_LOG_FAILURES,
                .log_peer = LOG_PEER_FULL,
                .pass_environment = -1,
                .refuse_writable = -1,
        };
}

void settings_done(struct settings *s)
{
        strv_free(s->unit_path);
        strv_free(s->default_environment);
        strv_free(s->manager_environment);
        strv_free(s->allow_read);
        strv_free(s->allow_logs);
        strv_free(s->allow_control);
        settings_init(s);
}

static bool is_list(const struct setting *setting)
{
        return setting->parse == parse_path_list || setting->parse == parse_assignments ||
               setting->parse == parse_who;
}

// The empty assignment restores the default.
static void reset(const struct setting *setting, struct settings *s)
{
        struct settings fresh;

        settings_init(&fresh);
        if (is_list(setting)) {
                char ***list = field_of(setting, s);

                strv_free(*list);
                *list = NULL;
        } else if (setting->parse == parse_a_bool || setting->parse == parse_compat) {
                *(bool *)field_of(setting, s) = *(bool *)field_of(setting, &fresh);
        } else if (setting->parse == parse_span || setting->parse == parse_timeout) {
                *(usec_t *)field_of(setting, s) = *(usec_t *)field_of(setting, &fresh);
        } else { // int, unsigned
                memcpy(field_of(setting, s), field_of(setting, &fresh), sizeof(int));
        }
}

int settings_set(struct settings *s, const char *name, const char *value, const char *file,
                 unsigned line, struct diag *diag)
{
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int r;

                if (!streq(name, table[i].row.name))
                        continue;
                if (value[0] == '\0') {
                        reset(&table[i], s);
                        return SETTINGS_OK;
                }
                r = table[i].parse(&table[i], value, s);
                if (r == 0 || r == -ENOMEM)
                        return r;
                diag_report(diag, DIAG_ERROR, NULL, file, line,
                            "Invalid value for %s=: '%s' (an example: %s)", name, value,
                            table[i].row.example);
                return SETTINGS_BAD;
        }
        return SETTINGS_UNKNOWN;
}

const struct settings_row *settings_next(size_t *position)
{
        return *position < ARRAY_SIZE(table) ? &table[(*position)++].row : NULL;
}

const char *settings_nearest(const char *name)
{
        const char *names[ARRAY_SIZE(table)];

        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                names[i] = table[i].row.name;
        return str_nearest(name, names, ARRAY_SIZE(table));
}
