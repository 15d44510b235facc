// explain: what a unit's files configure: addresses, commands and settings, in the order of a
// start. It loads units as usherd does, and needs no usherd.
#include "base/buf.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "conf/assign.h"
#include "conf/directive.h"
#include "conf/enums.h"
#include "conf/load.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

static void on_entry(struct diag *diag UNUSED, const struct diag_entry *entry)
{
        char text[2048];

        fprintf(stderr, "%s\n", shown(diag_format(entry, text, sizeof(text))));
}

// Marks stand for specifiers whose value is known only at the start; these are printed instead.
static void print_text(const char *text)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        for (; *text; text++)
                if (*text == SPECIFIER_MARK && text[1] && *++text != SPECIFIER_MARK)
                        buf_printf(&b, "%%%c", *text);
                else
                        buf_putc(&b, *text);
        fputs(shown(buf_text(&b)), stdout);
}

static void print_words(const char *label, char *const *words)
{
        if (!words || !*words)
                return;
        printf("  %s:", label);
        STRV_FOREACH (word, words) {
                putchar(' ');
                print_text(*word);
        }
        putchar('\n');
}

static void print_files(const struct unit_conf *conf)
{
        printf("  Read from: %s\n",
               conf->fragment_path ? shown(conf->fragment_path) : "(built in)");
        STRV_FOREACH (dropin, conf->dropin_paths)
                printf("  Drop-in: %s\n", shown(*dropin));
        print_words("Without effect in usher", conf->unacted);
}

static void print_span(const char *label, usec_t span)
{
        char text[USEC_SPAN_MAX];

        printf("  %s: %s\n", label, usec_format_span(span, 1, text, sizeof(text)));
}

// ---- commands

static void print_command(const char *name, const struct exec_command *command)
{
        static const struct {
                unsigned flag;
                const char *text;
        } flags[] = {
                {EXEC_IGNORE_FAILURE, "its failure is ignored"},
                {EXEC_FULLY_PRIVILEGED, "with the supervisor's privileges"},
                {EXEC_NO_SETUID, "as the supervisor's user"},
                {EXEC_AMBIENT_MAGIC, "as the supervisor's user"},
                {EXEC_NO_ENV_EXPAND, "variables are not expanded"},
        };

        printf("    %s: ", name);
        print_text(command->path);
        STRV_FOREACH (word, command->argv) {
                if (word == command->argv)
                        continue;
                printf(" '");
                print_text(*word);
                putchar('\'');
        }
        for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
                if (command->flags & flags[i].flag)
                        printf("  (%s)", flags[i].text);
        putchar('\n');
}

static void print_commands(const char *name, const struct command_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                print_command(name, &list->items[i]);
}

// ---- settings that differ from the default

static bool is_shown_elsewhere(const struct directive *d)
{
        return str_after_prefix(d->name, "Exec") || str_after_prefix(d->name, "Listen");
}

static void print_settings(const char *label, const struct unit_conf *conf,
                           const struct unit_conf *plain, enum conf_group first,
                           enum conf_group last)
{
        bool is_first = true;

        for (int g = first; g <= (int)last; g++) {
                size_t n;
                const struct directive *rows = directive_table((enum conf_group)g, &n);

                for (size_t i = 0; i < n; i++) {
                        const struct directive *d = &rows[i];
                        const void *value = directive_value(d, conf),
                                   *fallback = directive_value(d, plain);
                        CLEANUP(strv) char **lines = NULL;

                        if (d->is_more || !value || !fallback || is_shown_elsewhere(d) ||
                            kind_equal(d->kind, value, fallback) ||
                            d->kind->format(d, value, &lines) < 0)
                                continue;
                        if (is_first)
                                printf("  %s:\n", label);
                        is_first = false;
                        STRV_FOREACH (line, lines)
                                printf("    %s=%s\n", d->name, shown(*line));
                }
        }
}

// ---- services

static void print_descriptors(const struct unit_conf *conf, bool is_accepted)
{
        const struct exec_group *e = conf->exec;

        if (e->standard_input.mode == STDIO_SOCKET)
                printf("  Descriptors: 0%s is the %s, which also is 1 unless StandardOutput= says "
                       "otherwise\n",
                       e->standard_output.mode == STDIO_SOCKET ? " and 1" : "",
                       is_accepted ? "connection" : "socket");
        else if (is_accepted)
                printf("  Descriptors: 3 is the connection (LISTEN_FDS=1, "
                       "LISTEN_FDNAMES=connection)\n");
        else
                printf("  Descriptors: from 3 on, the sockets (LISTEN_FDS, LISTEN_FDNAMES)\n");
}

static void print_identity(const struct unit_conf *conf)
{
        const struct exec_group *e = conf->exec;

        printf("  Runs as: user ");
        print_text(e->user ? e->user : "of the supervisor");
        if (e->group) {
                printf(", group ");
                print_text(e->group);
        }
        putchar('\n');
}

// Names only, since values are known at the start. The unit's own variables are printed below.
static void print_environment(const struct unit_conf *conf, bool is_accepted)
{
        const struct exec_group *e = conf->exec;
        const struct service_group *s = conf->service;
        bool is_stream = e->standard_input.mode == STDIO_SOCKET;
        bool notifies = s->type == SERVICE_NOTIFY || s->type == SERVICE_NOTIFY_RELOAD ||
                        s->notify_access != NOTIFY_NONE || s->watchdog_sec > 0;
        const struct {
                bool is_set;
                const char *names;
        } variables[] = {
                {true, "PATH, LANG"},
                {e->user != NULL, ", USER, LOGNAME, HOME, SHELL"},
                {true, ", INVOCATION_ID, SYSTEMD_EXEC_PID"},
                {!is_stream, ", LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES"},
                {is_accepted, ", REMOTE_ADDR, REMOTE_PORT"},
                {notifies, ", NOTIFY_SOCKET"},
                {s->watchdog_sec > 0, ", WATCHDOG_USEC, WATCHDOG_PID"},
                {s->file_descriptor_store_max > 0, ", FDSTORE"},
                {s->pid_file != NULL, ", PIDFILE"},
                {e->runtime_directory.n > 0, ", RUNTIME_DIRECTORY"},
                {e->state_directory.n > 0, ", STATE_DIRECTORY"},
                {e->cache_directory.n > 0, ", CACHE_DIRECTORY"},
                {e->logs_directory.n > 0, ", LOGS_DIRECTORY"},
                {e->configuration_directory.n > 0, ", CONFIGURATION_DIRECTORY"},
        };

        printf("  Environment: ");
        for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
                if (variables[i].is_set)
                        printf("%s", variables[i].names);
        putchar('\n');
}

static void print_service(const struct unit_conf *conf, const struct unit_conf *plain,
                          bool is_accepted)
{
        const struct service_group *s = conf->service;
        const struct command_list *list;
        const char *directive;
        char name[SIGNAL_NAME_MAX];
        size_t position = 0;

        printf("  Counts as started: Type=%s\n", choices_name(&choices_service_type, s->type));
        printf("  Runs, in this order:\n");
        while ((list = directive_next_commands(conf, &position, &directive)))
                print_commands(directive, list);
        print_identity(conf);
        print_descriptors(conf, is_accepted);
        print_environment(conf, is_accepted);
        printf("  Restart=%s\n", choices_name(&choices_restart, s->restart));
        printf("  Stops by: SIG%s", signal_format(conf->kill->kill_signal, name, sizeof(name)));
        printf(" (KillMode=%s)\n", choices_name(&choices_kill_mode, conf->kill->kill_mode));
        print_span("Start may take", s->timeout_start_sec);
        print_span("Stop may take", s->timeout_stop_sec);
        print_settings("Settings of the service", conf, plain, GROUP_SERVICE, GROUP_SERVICE);
        print_settings("Settings of its processes", conf, plain, GROUP_EXEC, GROUP_CGROUP);
}

// ---- sockets

static void print_ports(const struct unit_conf *conf)
{
        const struct socket_group *s = conf->socket;

        printf("  Binds, in this order:\n");
        for (size_t i = 0; i < s->ports.n; i++) {
                const struct port *port = &s->ports.items[i];

                printf("    ");
                print_text(port->path ? port->path : port->text); // a path may contain marks
                printf(" (%s)", port_type_name(port));
                if (!s->accept) {
                        printf(": descriptor %zu, named ", 3 + i);
                        print_text(unit_conf_fd_name(conf, i));
                }
                putchar('\n');
        }
}

static void print_admission(const struct socket_group *s, const char *service)
{
        char span[USEC_SPAN_MAX];

        if (s->accept) {
                printf("  Starts: one ");
                print_text(service);
                printf(" for each connection");
                if (s->max_connections == UINT32_MAX)
                        printf(", any number at a time");
                else
                        printf(", at most %u at a time", s->max_connections);
                if (s->max_connections_per_source > 0 &&
                    s->max_connections_per_source != UINT32_MAX)
                        printf(", %u of one source", s->max_connections_per_source);
                putchar('\n');
        } else {
                printf("  Starts: ");
                print_text(service);
                printf(", once for all traffic\n");
        }
        if (s->trigger_limit_burst > 0 && s->trigger_limit_interval_sec > 0)
                printf("  Limit: %u starts in %s, then it %s\n", s->trigger_limit_burst,
                       usec_format_span(s->trigger_limit_interval_sec, 1, span, sizeof(span)),
                       s->x_trigger_limit_action == TRIGGER_LIMIT_PAUSE
                               ? "pauses and comes back by itself"
                               : "fails until it is started again");
}

// Prints why the socket would not start although its own file is valid.
static void print_obstacle(struct ctl *c, struct conf_loader *loader,
                           const struct unit_conf *socket, const char *service)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        int r = conf_load(loader, service, NULL, &conf);
        CLEANUP(free) char *why = r < 0 ? NULL : unit_conf_why_unguarded(socket, conf);

        if (why)
                printf("  %sDoes not start: %s%s\n", color_on(c, COLOR_RED), shown(why),
                       color_off(c));
}

static int explain(struct ctl *c, struct conf_loader *loader, const char *name, struct diag *diag,
                   bool is_accepted)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        CLEANUP(unit_conf) struct unit_conf *plain = NULL;
        CLEANUP(free) char *named = NULL;
        CLEANUP(free) char *service = NULL;
        int r = conf_load(loader, name, diag, &conf);

        if (r < 0)
                return client_complain(NULL, r, "%s", name);
        printf("%s%s%s%s%s\n", color_on(c, COLOR_BOLD), conf->id, color_off(c),
               conf->unit->description ? " - " : "",
               conf->unit->description ? shown(conf->unit->description) : "");
        if (conf->load_state != LOAD_LOADED) {
                printf("  Cannot be used: %s\n", conf->load_error ? shown(conf->load_error)
                                                 : conf->load_state == LOAD_NOT_FOUND
                                                         ? "there is no such unit file"
                                                 : conf->load_state == LOAD_MASKED ? "it is masked"
                                                                                   : "see above");
                return conf->load_state == LOAD_NOT_FOUND ? CTL_NO_SUCH_UNIT : CTL_FAILED;
        }
        r = unit_conf_new_empty(conf->id, conf->type, LOAD_LOADED, &plain);
        if (r < 0)
                return client_complain(NULL, r, "%s", name);
        print_files(conf);
        print_words("Requires", conf->unit->requires);
        print_words("Wants", conf->unit->wants);
        print_words("After", conf->unit->after);
        print_words("Before", conf->unit->before);
        if (conf->service)
                print_service(conf, plain, is_accepted);
        if (!conf->socket)
                return 0;
        print_ports(conf);
        r = unit_conf_service_name(conf, &named);
        if (r == 0)
                r = unit_name_of_deferred(named, &service);
        if (r < 0)
                return client_complain(NULL, r, "%s", name);
        print_admission(conf->socket, named);
        print_obstacle(c, loader, conf, service);
        print_settings("Settings of the socket", conf, plain, GROUP_SOCKET, GROUP_SOCKET);
        putchar('\n');
        return explain(c, loader, service, diag, conf->socket->accept);
}

int verb_explain(struct ctl *c, char **args)
{
        CLEANUP(strv) char **path = NULL;
        CLEANUP(conf_loader) struct conf_loader *loader = NULL;
        struct diag diag = {.emit = on_entry};
        CLEANUP(settings) struct settings settings;
        int r = offline_unit_path_in_use(c, &path), code = 0;

        offline_settings(c, &settings);
        if (r != 0)
                return r;
        const struct conf_loader_options options = {
                .unit_path = path,
                .is_user = offline_is_user(c),
                .compat_systemd = c->compat || settings.compat_systemd,
                .settings = &settings,
                .trust = offline_trust(c),
                .diag = &diag,
        };

        r = conf_loader_new(&options, &loader);
        if (r < 0)
                return client_complain(NULL, r, "Failed to read the unit path");
        for (char **arg = args; *arg; arg++) {
                CLEANUP(free) char *name = NULL;

                r = unit_name_mangle(*arg, UNIT_SERVICE, &name);
                if (arg != args)
                        putchar('\n');
                r = r < 0 ? client_complain(NULL, r, "%s", *arg)
                          : explain(c, loader, name, &diag, unit_name_is_template(name));
                code = code ? code : r;
        }
        return code;
}
