#include "conf/check.h"

#include "base/str.h"

// Why the unit is refused, or NULL.

static bool can_accept(const struct port *port)
{
        return (port->kind == PORT_SOCKET || port->kind == PORT_NAME) &&
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
                return "Nothing to listen on: it needs at least one valid Listen...= line";
        for (size_t i = 0; i < s->ports.n; i++)
                accepts_all = accepts_all && can_accept(&s->ports.items[i]);
        if (s->accept && !accepts_all)
                return "Accept=yes goes with ListenStream= and ListenSequentialPacket= only";
        if (s->accept && s->max_connections == 0)
                return "MaxConnections=0 with Accept=yes would refuse every connection";
        if (s->accept && has_explicit_service)
                return "Service= does not go with Accept=yes: each connection gets an instance of the "
                       "template that has the socket's name";
        if (s->accept && s->defer_trigger != DEFER_NO)
                return "DeferTrigger= does not go with Accept=yes";
        if (conf->exec->pam_name && conf->kill->kill_mode != KILL_CONTROL_GROUP)
                return "PAMName= needs KillMode=control-group";
        if (s->symlinks && *s->symlinks && count_nodes(&s->ports) != 1)
                return "Symlinks= needs exactly one socket or FIFO with a path to point to";
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
                return "Nothing to run: it needs ExecStart=, ExecStop= or SuccessAction=";
        if (!is_oneshot && s->exec_start.n == 0)
                return "No ExecStart=: only Type=oneshot may be without";
        if (!s->remain_after_exit && s->exec_start.n == 0 && !has_action)
                return "No ExecStart=: this needs RemainAfterExit=yes or SuccessAction=";
        if (!is_oneshot && s->exec_start.n > 1)
                return "Several ExecStart=: only Type=oneshot may have them";
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
                return "Restart=always and Restart=on-success do not go with Type=oneshot";
        if (s->type == SERVICE_ONESHOT && !is_exit_set_empty(&s->restart_force_exit_status))
                return "RestartForceExitStatus= does not go with Type=oneshot";
        if (s->type == SERVICE_ONESHOT && s->exit_type == EXIT_TYPE_CGROUP)
                return "ExitType=cgroup does not go with Type=oneshot";
        if (s->type == SERVICE_DBUS && !s->bus_name)
                return "Type=dbus needs BusName=";
        if (conf->exec->pam_name && conf->kill->kill_mode != KILL_CONTROL_GROUP &&
            conf->kill->kill_mode != KILL_MIXED)
                return "PAMName= needs KillMode=control-group or KillMode=mixed";
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
                 "RuntimeMaxSec= has no effect with Type=oneshot"},
                {!has_max && s->runtime_randomized_extra_sec > 0,
                 "RuntimeRandomizedExtraSec= has no effect without RuntimeMaxSec="},
                {!has_delay && s->restart_steps > 0,
                 "RestartSteps= has no effect without RestartMaxDelaySec="},
                {has_delay && s->restart_steps == 0,
                 "RestartMaxDelaySec= has no effect without RestartSteps="},
        };

        for (size_t i = 0; i < ARRAY_SIZE(warnings); i++)
                if (warnings[i].is_so)
                        diag_report(diag, DIAG_WARNING, conf->id, conf->fragment_path, 0, "%s",
                                    warnings[i].text);
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
                diag_report(diag, DIAG_ERROR, conf->id, conf->fragment_path, 0, "%s", why);
                conf->load_state = LOAD_BAD_SETTING;
                return str_set(&conf->load_error, why);
        }
        if (conf->type == UNIT_SERVICE)
                warn_service(conf, diag);
        return 0;
}
