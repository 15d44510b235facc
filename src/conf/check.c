#include "conf/check.h"

#include "base/str.h"

// Why the unit is refused, or NULL. Texts are systemd's: people search for them.

static bool can_accept(const struct port *port)
{
        return port->kind == PORT_SOCKET &&
               (port->type == SOCK_STREAM || port->type == SOCK_SEQPACKET);
}

static size_t count_nodes(const struct port_list *ports)
{
        size_t n = 0;

        for (size_t i = 0; i < ports->n; i++)
                n += ports->items[i].path &&
                     (ports->items[i].kind == PORT_SOCKET || ports->items[i].kind == PORT_FIFO);
        return n;
}

static const char *check_socket(const struct unit_conf *conf, bool has_explicit_service)
{
        const struct socket_group *s = conf->socket;
        bool accepts_all = true;

        if (s->ports.n == 0)
                return "Unit has no Listen setting (ListenStream=, ListenDatagram=, ListenFIFO=, "
                       "...). Refusing.";
        for (size_t i = 0; i < s->ports.n; i++)
                accepts_all = accepts_all && can_accept(&s->ports.items[i]);
        if (s->accept && !accepts_all)
                return "Unit configured for accepting sockets, but sockets are non-accepting. "
                       "Refusing.";
        if (s->accept && s->max_connections == 0)
                return "MaxConnection= setting too small. Refusing.";
        if (s->accept && has_explicit_service)
                return "Explicit service configuration for accepting socket units not supported. "
                       "Refusing.";
        if (s->accept && s->defer_trigger != DEFER_NO)
                return "DeferTrigger= is not supported for accepting socket units. Refusing.";
        if (conf->exec->pam_name && conf->kill->kill_mode != KILL_CONTROL_GROUP)
                return "Unit has PAM enabled. Kill mode must be set to 'control-group'. Refusing.";
        if (s->symlinks && *s->symlinks && count_nodes(&s->ports) != 1)
                return "Unit has symlinks set but none or more than one node in the file system. "
                       "Refusing.";
        return NULL;
}

static bool is_exit_set_empty(const struct exit_set *set)
{
        static const struct exit_set empty;

        return memcmp(set, &empty, sizeof(empty)) == 0;
}

static const char *check_commands(const struct unit_conf *conf)
{
        const struct service_group *s = conf->service;
        bool has_action = conf->unit->success_action != EMERGENCY_NONE;
        bool is_oneshot = s->type == SERVICE_ONESHOT;

        if (s->exec_start.n == 0 && s->exec_stop.n == 0 && !has_action)
                return "Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.";
        if (!is_oneshot && s->exec_start.n == 0)
                return "Service has no ExecStart= setting, which is only allowed for Type=oneshot "
                       "services. Refusing.";
        if (!s->remain_after_exit && s->exec_start.n == 0 && !has_action)
                return "Service has no ExecStart= and no SuccessAction= settings and does not have "
                       "RemainAfterExit=yes set. Refusing.";
        if (!is_oneshot && s->exec_start.n > 1)
                return "Service has more than one ExecStart= setting, which is only allowed for "
                       "Type=oneshot services. Refusing.";
        return NULL;
}

static const char *check_service(const struct unit_conf *conf)
{
        const struct service_group *s = conf->service;
        const char *why = check_commands(conf);

        if (why)
                return why;
        if (s->type == SERVICE_ONESHOT &&
            (s->restart == RESTART_ALWAYS || s->restart == RESTART_ON_SUCCESS))
                return "Service has Restart= set to either always or on-success, which isn't "
                       "allowed for Type=oneshot services. Refusing.";
        if (s->type == SERVICE_ONESHOT && !is_exit_set_empty(&s->restart_force_exit_status))
                return "Service has RestartForceExitStatus= set, which isn't allowed for "
                       "Type=oneshot services. Refusing.";
        if (s->type == SERVICE_ONESHOT && s->exit_type == EXIT_TYPE_CGROUP)
                return "Service has ExitType=cgroup set, which isn't allowed for Type=oneshot "
                       "services. Refusing.";
        if (s->type == SERVICE_DBUS && !s->bus_name)
                return "Service is of type D-Bus but no D-Bus service name has been specified. "
                       "Refusing.";
        if (conf->exec->pam_name && conf->kill->kill_mode != KILL_CONTROL_GROUP &&
            conf->kill->kill_mode != KILL_MIXED)
                return "Service has PAM enabled. Kill mode must be set to 'control-group' or "
                       "'mixed'. Refusing.";
        return NULL;
}

static void warn_service(const struct unit_conf *conf, struct diag *diag)
{
        const struct service_group *s = conf->service;
        bool has_max = s->runtime_max_sec != USEC_INFINITY;
        bool has_delay = s->restart_max_delay_sec != USEC_INFINITY;
        const struct {
                bool is_so;
                const char *text;
        } warnings[] = {
                {has_max && s->type == SERVICE_ONESHOT,
                 "RuntimeMaxSec= has no effect in combination with Type=oneshot. Ignoring."},
                {!has_max && s->runtime_randomized_extra_sec > 0,
                 "Service has RuntimeRandomizedExtraSec= setting, but no RuntimeMaxSec=. "
                 "Ignoring."},
                {!has_delay && s->restart_steps > 0,
                 "Service has RestartSteps= but no RestartMaxDelaySec= setting. Ignoring."},
                {has_delay && s->restart_steps == 0,
                 "Service has RestartMaxDelaySec= but no RestartSteps= setting. Ignoring."},
        };

        for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
                if (warnings[i].is_so)
                        diag_report(diag, DIAG_WARNING, conf->id, NULL, 0, "%s", warnings[i].text);
}

int check_unit(struct unit_conf *conf, bool has_explicit_service, struct diag *diag)
{
        const char *why = NULL;

        if (conf->load_state != LOAD_LOADED)
                return 0;
        if (conf->type == UNIT_SOCKET)
                why = check_socket(conf, has_explicit_service);
        else if (conf->type == UNIT_SERVICE)
                why = check_service(conf);
        if (why) {
                diag_report(diag, DIAG_ERROR, conf->id, NULL, 0, "%s", why);
                conf->load_state = LOAD_BAD_SETTING;
                return str_set(&conf->load_error, why);
        }
        if (conf->type == UNIT_SERVICE)
                warn_service(conf, diag);
        return 0;
}
