// The Manager interface: level and target of the log, and whether watchdogs are enforced. A value
// set here holds until the next reload, if usher.conf or the command line then has another one.
#include "base/log.h"
#include "base/str.h"
#include "bus/bus_priv.h"

static int get_level(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                     const char *property UNUSED, sd_bus_message *reply, void *userdata UNUSED,
                     sd_bus_error *error UNUSED)
{
        return sd_bus_message_append(reply, "s", log_level_name(log_get_level()));
}

static int set_level(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                     const char *property UNUSED, sd_bus_message *value, void *userdata,
                     sd_bus_error *error)
{
        const char *name = NULL;
        int r = sd_bus_message_read(value, "s", &name);

        if (r < 0 || (r = bus_check_trusted(userdata, error)) < 0)
                return r;
        int level = log_level_from_name(name);

        if (level < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s is no level: emerg, alert, crit, err, warning, "
                                         "notice, info or debug",
                                         name);
        log_set_level(level);
        return 0;
}

static int get_target(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                      const char *property UNUSED, sd_bus_message *reply, void *userdata UNUSED,
                      sd_bus_error *error UNUSED)
{
        return sd_bus_message_append(reply, "s", log_target_name(log_get_target()));
}

static int set_target(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                      const char *property UNUSED, sd_bus_message *value, void *userdata,
                      sd_bus_error *error)
{
        const char *name = NULL;
        int r = sd_bus_message_read(value, "s", &name);

        if (r < 0 || (r = bus_check_trusted(userdata, error)) < 0)
                return r;
        int target = log_target_from_name(name);

        if (target < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s is no target: auto, journal, syslog, stderr, "
                                         "console or null",
                                         name);
        r = log_set_target((enum log_target)target, log_get_format());
        return r < 0 ? sd_bus_error_setf(error, SD_BUS_ERROR_FAILED,
                                         "There is no journal to log to (%s): choose auto, "
                                         "syslog or stderr",
                                         strerror(-r))
                     : 0;
}

static int get_identifier(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                          const char *property UNUSED, sd_bus_message *reply, void *userdata UNUSED,
                          sd_bus_error *error UNUSED)
{
        return sd_bus_message_append(reply, "s", "usherd");
}

static int get_watchdogs(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                         const char *property UNUSED, sd_bus_message *reply, void *userdata,
                         sd_bus_error *error UNUSED)
{
        const struct bus_client *c = userdata;

        return sd_bus_message_append(reply, "b", !c->server->manager->ignores_watchdogs);
}

static int set_watchdogs(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                         const char *property UNUSED, sd_bus_message *value, void *userdata,
                         sd_bus_error *error)
{
        struct bus_client *c = userdata;
        int is_on;
        int r = sd_bus_message_read(value, "b", &is_on);

        if (r < 0 || (r = bus_check_trusted(c, error)) < 0)
                return r;
        c->server->manager->ignores_watchdogs = !is_on;
        return 0;
}

#define WRITABLE(name, getter, setter) \
        SD_BUS_WRITABLE_PROPERTY(name, "s", getter, setter, 0, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_log_vtable[] = {
        SD_BUS_VTABLE_START(0),
        WRITABLE("LogLevel", get_level, set_level),
        WRITABLE("LogTarget", get_target, set_target),
        SD_BUS_WRITABLE_PROPERTY("ServiceWatchdogs", "b", get_watchdogs, set_watchdogs, 0,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

// org.freedesktop.LogControl1(5): where systemctl looks for them.
const sd_bus_vtable bus_log_control_vtable[] = {
        SD_BUS_VTABLE_START(0),
        WRITABLE("LogLevel", get_level, set_level),
        WRITABLE("LogTarget", get_target, set_target),
        SD_BUS_PROPERTY("SyslogIdentifier", "s", get_identifier, 0, 0),
        SD_BUS_VTABLE_END,
};
