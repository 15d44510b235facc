// Run-time properties of the Socket interface; those of directives come from the directive table.
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/address.h"
#include "conf/directive.h"
#include "spawn/exit_status.h"

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property UNUSED, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

static const struct sock *sock_of_object(void *userdata)
{
        return CONTAINER_OF((struct unit *)userdata, struct sock, unit); // connections are services
}

// A port with a name (X-ListenName=) is shown as the addresses that are known for the name.
GETTER(get_listen)
{
        const struct sock *s = sock_of_object(userdata);
        int r = sd_bus_message_open_container(reply, 'a', "(ss)");

        for (size_t i = 0; r >= 0 && i < s->n_listeners; i++)
                r = sd_bus_message_append(reply, "(ss)", port_type_name(s->listeners[i].port),
                                          s->listeners[i].port->text);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

GETTER(get_counter)
{
        const struct sock *s = sock_of_object(userdata);
        uint64_t value = s->n_refused;

        if (streq(property, "NAccepted"))
                value = s->n_accepted;
        else if (streq(property, "NConnections"))
                value = s->n_connections;
        else if (streq(property, "ControlPID"))
                value = (uint64_t)sock_control_pid(s);
        else if (streq(property, "UID") || streq(property, "GID"))
                value = sock_uid_gid(s, property[0] == 'G');
        return sd_bus_message_append(reply, "u", (uint32_t)value);
}

// usher's own: refusals by reason, and the pause.
GETTER(get_detail)
{
        const struct sock *s = sock_of_object(userdata);
        const struct {
                const char *name;
                uint64_t value;
        } details[] = {
                {"XNRefusedMaxConnections", s->n_refused_by[REFUSAL_FULL]},
                {"XNRefusedMaxConnectionsPerSource", s->n_refused_by[REFUSAL_SOURCE]},
                {"XNRefusedStopping", s->n_refused_by[REFUSAL_STOPPING]},
                {"XNRefusedTriggerLimit", s->n_refused_by[REFUSAL_LIMIT]},
                {"XNRefusedServiceLimit", s->n_refused_by[REFUSAL_SERVICE]},
                {"XNAborted", s->n_aborted},
                {"XNReopened", s->n_reopened},
                {"XPausedUntilMonotonic", s->pause == PAUSE_NONE ? 0 : s->pause_until},
        };

        for (size_t i = 0; i < ARRAY_SIZE(details); i++)
                if (streq(details[i].name, property))
                        return sd_bus_message_append(reply, "t", details[i].value);
        return -ENOENT;
}

GETTER(get_failures)
{
        const struct sock *s = sock_of_object(userdata);
        const struct sock_failure *f;
        int r = sd_bus_message_open_container(reply, 'a', "(sstsi)");

        for (size_t i = 0; r >= 0 && (f = sock_history_get(s, i)); i++)
                r = sd_bus_message_append(reply, "(sstsi)", f->name, service_result_name(f->result),
                                          (uint64_t)f->time, f->code ? exit_code_name(f->code) : "",
                                          f->status);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int append_fd_names(sd_bus_message *reply, const struct unit *u)
{
        char *const *names = u->conf->socket ? u->conf->socket->file_descriptor_name : NULL;
        CLEANUP(free) char *text = names ? strv_join(names, ":") : strdup(u->id);

        return text ? sd_bus_message_append(reply, "s", text) : -ENOMEM;
}

GETTER(get_string)
{
        const struct unit *u = userdata;
        const struct sock *s = sock_of_object(userdata);
        const char *value = "success"; // CleanResult

        if (streq(property, "Result"))
                value = sock_result_name(s->result);
        else if (streq(property, "StatusText"))
                return bus_append_status(reply, sock_status_text(s));
        else if (streq(property, "FileDescriptorName"))
                return append_fd_names(reply, u);
        return sd_bus_message_append(reply, "s", value);
}

GETTER(get_commands)
{
        const struct unit *u = userdata;
        static const struct command_list none = {0};
        const struct command_list *list = NULL;

        if (u->conf->socket)
                list = directive_commands(u->conf, property);
        return bus_append_commands(reply, list ? list : &none, false, NULL);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define COMMANDS(name) SD_BUS_PROPERTY(name, "a(sasbttttuii)", get_commands, 0, 0)

const sd_bus_vtable bus_socket_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Listen", "a(ss)", get_listen, 0, 0),
        SD_BUS_PROPERTY("FileDescriptorName", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("ControlPID", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("UID", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("GID", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("Result", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("CleanResult", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("StatusText", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("NConnections", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("NAccepted", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("NRefused", "u", get_counter, 0, CHANGES),
        SD_BUS_PROPERTY("XNRefusedMaxConnections", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XNRefusedMaxConnectionsPerSource", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XNRefusedStopping", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XNRefusedTriggerLimit", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XNRefusedServiceLimit", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XFailedInstances", "a(sstsi)", get_failures, 0, 0),
        SD_BUS_PROPERTY("XNAborted", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XNReopened", "t", get_detail, 0, 0),
        SD_BUS_PROPERTY("XPausedUntilMonotonic", "t", get_detail, 0, 0),
        COMMANDS("ExecStartPre"),
        COMMANDS("ExecStartPost"),
        COMMANDS("ExecStopPre"),
        COMMANDS("ExecStopPost"),
        SD_BUS_VTABLE_END,
};

const sd_bus_vtable bus_target_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_VTABLE_END,
};
