#include "conf/defaults.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/difference.h"
#include "conf/settings.h"

#include <stdio.h>

static int set_logging(struct conf_builder *b, const struct settings *s,
                       const struct settings *usual)
{
        const struct {
                const char *name;
                const struct choices *choices;
                int value, usual;
        } logs[] = {
                {"X-ConnectionLog", &choices_connection_log, s->connection_log,
                 usual->connection_log},
                {"X-LogPeer", &choices_log_peer, s->log_peer, usual->log_peer},
        };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(logs) && r >= 0; i++)
                if (logs[i].value != logs[i].usual)
                        r = conf_builder_set_default(b, "Socket", logs[i].name,
                                                     choices_name(logs[i].choices, logs[i].value),
                                                     NULL, 0);
        return r;
}

int defaults_set_settings(struct conf_builder *b, enum unit_type type, const struct settings *s)
{
        struct settings usual;
        int r = 0;

        settings_init(&usual);
        const struct {
                enum unit_type type; // _UNIT_TYPE_INVALID: all
                const char *section, *name;
                usec_t value, usual;
        } times[] = {
                {UNIT_SERVICE, "Service", "TimeoutStartSec", s->default_timeout_start,
                 usual.default_timeout_start},
                {UNIT_SERVICE, "Service", "TimeoutStopSec", s->default_timeout_stop,
                 usual.default_timeout_stop},
                {UNIT_SERVICE, "Service", "TimeoutAbortSec", s->default_timeout_abort,
                 usual.default_timeout_abort},
                {UNIT_SERVICE, "Service", "RestartSec", s->default_restart, usual.default_restart},
                {UNIT_SOCKET, "Socket", "TimeoutSec", s->default_timeout_start,
                 usual.default_timeout_start},
                {_UNIT_TYPE_INVALID, "Unit", "StartLimitIntervalSec",
                 s->default_start_limit_interval, usual.default_start_limit_interval},
        };

        for (size_t i = 0; i < ARRAY_SIZE(times) && r >= 0; i++) {
                char text[32] = "infinity";

                if (times[i].value == times[i].usual ||
                    (times[i].type >= 0 && times[i].type != type))
                        continue;
                if (times[i].value != USEC_INFINITY)
                        snprintf(text, sizeof(text), "%lluus", (unsigned long long)times[i].value);
                r = conf_builder_set_default(b, times[i].section, times[i].name, text, NULL, 0);
        }
        if (r >= 0 && s->default_start_limit_burst != usual.default_start_limit_burst) {
                char text[16];

                snprintf(text, sizeof(text), "%u", s->default_start_limit_burst);
                r = conf_builder_set_default(b, "Unit", "StartLimitBurst", text, NULL, 0);
        }
        return r < 0 || type != UNIT_SOCKET ? r : set_logging(b, s, &usual);
}

int defaults_set_compat(struct conf_builder *b, enum unit_type type)
{
        int r = 0;

        for (int d = 0; d < _DIFFERENCE_MAX && r >= 0; d++) {
                const struct difference_row *row = difference_row((enum difference)d);

                if (row->directive && directive_find(type, row->section, row->directive))
                        r = conf_builder_set_default(b, row->section, row->directive,
                                                     row->compat_value, NULL, 0);
        }
        return r;
}

void defaults_fill_service(const struct conf_builder *b, struct service_group *g)
{
        if (!conf_builder_is_set(b, "Service", "Type"))
                g->type = g->bus_name       ? SERVICE_DBUS
                          : g->exec_start.n ? SERVICE_SIMPLE
                                            : SERVICE_ONESHOT;
        if (g->type == SERVICE_ONESHOT && !conf_builder_is_set(b, "Service", "TimeoutStartSec"))
                g->timeout_start_sec = USEC_INFINITY;
        if (!conf_builder_is_set(b, "Service", "TimeoutAbortSec"))
                g->timeout_abort_sec = g->timeout_stop_sec;
        if (g->notify_access == NOTIFY_NONE &&
            (g->type == SERVICE_NOTIFY || g->type == SERVICE_NOTIFY_RELOAD || g->watchdog_sec > 0 ||
             g->file_descriptor_store_max > 0))
                g->notify_access = NOTIFY_MAIN;
}

// With a line that is missing, a descriptor would get the name of another one.
static void check_fd_names(const struct unit_conf *conf, struct socket_group *g, struct diag *diag)
{
        size_t n = strv_length(g->file_descriptor_name);

        if (n <= 1 || (n == g->ports.n && !conf->skips_listener))
                return;
        if (conf->skips_listener)
                diag_report(diag, DIAG_WARNING, conf->id, conf->fragment_path, 0,
                            "FileDescriptorName= has a name for each Listen line, and one of these "
                            "lines is ignored: ignoring the names.");
        else
                diag_report(diag, DIAG_WARNING, conf->id, conf->fragment_path, 0,
                            "FileDescriptorName= has %zu names for %zu Listen lines, ignoring: "
                            "write one name, or one for each line.",
                            n, g->ports.n);
        strv_free(TAKE(g->file_descriptor_name));
}

void defaults_fill_socket(struct conf_builder *b, struct socket_group *g, struct diag *diag)
{
        check_fd_names(conf_builder_conf(b), g, diag);
        // Each connection starts a process, so that more starts are normal (systemd.socket(5)).
        if (g->accept && !conf_builder_is_set(b, "Socket", "TriggerLimitBurst"))
                g->trigger_limit_burst = 200;
        if (g->accept && !conf_builder_is_set(b, "Socket", "PollLimitBurst"))
                g->poll_limit_burst = 150;
}

const char *defaults_companion(const struct directive *d)
{
        return d->group == GROUP_SERVICE && streq(d->name, "TimeoutSec") ? "TimeoutStopSec" : NULL;
}
