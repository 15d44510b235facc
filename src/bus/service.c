// Run-time properties of the Service interface; those of directives come from the directive table.
#include "base/str.h"
#include "bus/bus_priv.h"
#include "conf/directive.h"
#include "core/service/processes.h"

#include <sys/wait.h>

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property UNUSED, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

// The exec status of the main process; connections that have no unit keep only the pid.
static struct exec_status main_status(const struct bus_view *v)
{
        if (v->run->service)
                return v->run->service->main_status;
        return (struct exec_status){.pid = v->run->main.pid};
}

GETTER(get_pid)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        uint32_t value;
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        if (streq(property, "MainPID"))
                value = (uint32_t)v.run->main.pid;
        else if (streq(property, "ControlPID"))
                value = (uint32_t)v.run->control.pid;
        else if (streq(property, "ExecMainPID"))
                value = (uint32_t)main_status(&v).pid;
        else if (streq(property, "NFileDescriptorStore"))
                value = (uint32_t)run_fdstore_count(v.run);
        else if (streq(property, "NRestarts"))
                value = v.run->service ? v.run->service->n_restarts : 0;
        else
                value = run_uid_gid(v.run, streq(property, "GID"));
        return sd_bus_message_append(reply, "u", value);
}

static const char *get_status(const struct bus_view *v)
{
        const char *text = v->unit ? unit_checks_text(v->unit) : NULL;

        return text ? text : run_status_text(v->run);
}

GETTER(get_string)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        const char *value = "success"; // of a connection: CleanResult
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        if (streq(property, "Result"))
                value = v.unit ? v.unit->ops->result(v.unit) : service_result_name(v.run->result);
        else if (streq(property, "StatusText"))
                return bus_append_status(reply, get_status(&v));
        else if (streq(property, "ReloadResult"))
                value = run_reload_result(v.run);
        else if (v.run->service)
                value = service_result_name(v.run->service->clean_result);
        return sd_bus_message_append(reply, "s", value);
}

GETTER(get_code)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        struct exec_status status = main_status(&v);
        int value = 0; // StatusErrno

        if (streq(property, "ExecMainCode"))
                value = status.code;
        else if (streq(property, "ExecMainStatus"))
                value = status.status;
        else if (streq(property, "StatusErrno"))
                value = run_status_errno(v.run);
        return sd_bus_message_append(reply, "i", value);
}

GETTER(get_stamp)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        struct exec_status status = main_status(&v);
        bool is_start = str_after_prefix(property, "ExecMainStart") != NULL;
        bool is_monotonic = str_at_suffix(property, "Monotonic") != NULL;
        uint64_t value = is_start ? (is_monotonic ? status.start : status.start_rt)
                                  : (is_monotonic ? status.exit : status.exit_rt);

        return sd_bus_message_append(reply, "t", value);
}

GETTER(get_commands)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        struct exec_status status = main_status(&v);
        const char *name;
        const struct command_list *list;

        for (size_t position = 0; (list = directive_next_commands(v.conf, &position, &name));) {
                const char *rest = str_after_prefix(property, name);

                if (rest && (rest[0] == '\0' || streq(rest, "Ex")))
                        return bus_append_commands(reply, list, rest[0] != '\0',
                                                   streq(name, "ExecStart") ? &status : NULL);
        }
        return -ENOENT;
}

GETTER(get_cgroup)
{
        (void)userdata; // usher tracks processes by descent and creates no cgroups
        return sd_bus_message_append(reply, "s", "");
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define COMMANDS(name)                                               \
        SD_BUS_PROPERTY(name, "a(sasbttttuii)", get_commands, 0, 0), \
                SD_BUS_PROPERTY(name "Ex", "a(sasasttttuii)", get_commands, 0, 0)

const sd_bus_vtable bus_service_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("MainPID", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("ControlPID", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("StatusText", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("StatusErrno", "i", get_code, 0, CHANGES),
        SD_BUS_PROPERTY("Result", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("ReloadResult", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("CleanResult", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("UID", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("GID", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("NRestarts", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("NFileDescriptorStore", "u", get_pid, 0, 0),
        SD_BUS_PROPERTY("ControlGroup", "s", get_cgroup, 0, 0),
        SD_BUS_PROPERTY("ExecMainStartTimestamp", "t", get_stamp, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainStartTimestampMonotonic", "t", get_stamp, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainExitTimestamp", "t", get_stamp, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainExitTimestampMonotonic", "t", get_stamp, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainPID", "u", get_pid, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainCode", "i", get_code, 0, CHANGES),
        SD_BUS_PROPERTY("ExecMainStatus", "i", get_code, 0, CHANGES),
        COMMANDS("ExecCondition"),
        COMMANDS("ExecStartPre"),
        COMMANDS("ExecStart"),
        COMMANDS("ExecStartPost"),
        COMMANDS("ExecReload"),
        COMMANDS("ExecStop"),
        COMMANDS("ExecStopPost"),
        SD_BUS_VTABLE_END,
};
