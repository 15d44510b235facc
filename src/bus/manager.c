// The Manager interface: listing, starting, stopping, reloading.
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/unit_name.h"
#include "core/service/processes.h"
#include "core/socket/connection.h"
#include "core/unit/registry.h"

#include <fnmatch.h>
#include <signal.h>

static struct manager *manager_of(void *userdata)
{
        return ((struct bus_client *)userdata)->server->manager;
}

// ---- listing

struct filter {
        char **states, **patterns, **names;
};

static bool matches_state(const struct bus_view *v, char *const *states)
{
        if (!states || !states[0])
                return true;
        return strv_contains(states, load_state_name(v->conf->load_state)) ||
               strv_contains(states, active_state_name(bus_view_active_state(v))) ||
               strv_contains(states, bus_view_sub_state(v));
}

static bool matches_pattern(const struct bus_view *v, char *const *patterns)
{
        if (!patterns || !patterns[0])
                return true;
        STRV_FOREACH (p, patterns) {
                if (fnmatch(*p, v->id, FNM_NOESCAPE) == 0)
                        return true;
                for (char **name = v->conf->names; v->unit && name && *name; name++)
                        if (fnmatch(*p, *name, FNM_NOESCAPE) == 0)
                                return true;
        }
        return false;
}

static int append_unit(sd_bus_message *reply, const struct bus_server *s, const struct bus_view *v)
{
        struct bus_job job = bus_job_of(s, v);
        CLEANUP(free) char *description = NULL;
        CLEANUP(free) char *path = bus_unit_path(v->id);
        CLEANUP(free) char *job_path = job.id > 0 ? bus_job_path(job.id) : strdup("/");

        if (!path || !job_path)
                return -ENOMEM;
        return sd_bus_message_append(
                reply, "(ssssssouso)", v->id, bus_view_description(v, &description),
                load_state_name(v->conf->load_state), active_state_name(bus_view_active_state(v)),
                bus_view_sub_state(v), "", path, job.id, job.type, job_path);
}

static int append_if_match(sd_bus_message *reply, const struct bus_server *s, void *object,
                           const struct filter *f)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(object, &v);

        if (r < 0 || !matches_state(&v, f->states) || !matches_pattern(&v, f->patterns))
                return r;
        return append_unit(reply, s, &v);
}

static int reply_units(sd_bus_message *message, const struct bus_client *c, const struct filter *f)
{
        const struct bus_server *s = c->server;
        struct manager *m = s->manager;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r < 0 || (r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)")) < 0)
                return r;
        for (struct unit *u = registry_next_unit(m, NULL); u && r >= 0;
             u = registry_next_unit(m, u))
                r = append_if_match(reply, s, bus_object_of_unit(u), f);
        for (struct connection *x = connection_next(m, NULL); x && r >= 0;
             x = connection_next(m, x))
                if (!x->run->service)
                        r = append_if_match(reply, s, bus_object_of_run(x->run), f);
        if (r < 0 || (r = sd_bus_message_close_container(reply)) < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int on_list_units(sd_bus_message *message, void *userdata, sd_bus_error *error UNUSED)
{
        return reply_units(message, userdata, &(struct filter){0});
}

static int on_list_units_filtered(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **states = NULL;
        int r = bus_read_words(message, userdata, &states, error);

        return r < 0 ? r : reply_units(message, userdata, &(struct filter){.states = states});
}

static int on_list_units_by_patterns(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **states = NULL;
        CLEANUP(strv) char **patterns = NULL;
        int r = bus_read_words(message, userdata, &states, error);

        if (r < 0 || (r = bus_read_words(message, userdata, &patterns, error)) < 0)
                return r;
        return reply_units(message, userdata,
                           &(struct filter){.states = states, .patterns = patterns});
}

static int on_list_units_by_names(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        CLEANUP(strv) char **names = NULL;
        int r = bus_read_words(message, userdata, &names, error);

        if (r < 0 || (r = sd_bus_message_new_method_return(message, &reply)) < 0 ||
            (r = sd_bus_message_open_container(reply, 'a', "(ssssssouso)")) < 0)
                return r;
        STRV_FOREACH (name, names) {
                void *object = NULL;

                if (!unit_name_is_valid(*name))
                        continue;
                r = bus_find_object(userdata, *name, true, &object, error);
                if (r < 0 || (r = append_if_match(reply, ((struct bus_client *)userdata)->server,
                                                  object, &(struct filter){0})) < 0)
                        return r;
        }
        if ((r = sd_bus_message_close_container(reply)) < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

// ---- looking up

static int reply_path(sd_bus_message *message, const char *id)
{
        CLEANUP(free) char *path = bus_unit_path(id);

        return path ? sd_bus_reply_method_return(message, "o", path) : -ENOMEM;
}

static int reply_object(sd_bus_message *message, void *object)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(object, &v);

        return r < 0 ? r : reply_path(message, v.id);
}

static int find_and_reply(sd_bus_message *message, void *userdata, bool load, sd_bus_error *error)
{
        const char *name = NULL;
        void *object = NULL;
        int r = sd_bus_message_read(message, "s", &name);

        if (r < 0 || (r = bus_find_object(userdata, name, load, &object, error)) < 0)
                return r;
        return reply_object(message, object);
}

static int on_get_unit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return find_and_reply(message, userdata, false, error);
}

static int on_load_unit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return find_and_reply(message, userdata, true, error);
}

static int on_get_unit_by_pid(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct manager *m = manager_of(userdata);
        uint32_t pid = 0;
        int r = sd_bus_message_read(message, "u", &pid);

        if (r < 0)
                return r;
        CLEANUP(free) char *buffer = NULL;
        struct orphan_facts facts;

        if (process_find_owner(m, (pid_t)pid, &facts) > 0) {
                struct run *run = run_of_owner(&facts.owner);

                return run && !run->service
                               ? reply_object(message, bus_object_of_run(run))
                               : reply_path(message, owner_name(&facts.owner, &buffer));
        }
        return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoUnitForPID",
                                 "PID %u does not belong to any loaded unit.", pid);
}

// ---- jobs

static int queue(sd_bus_message *message, void *userdata, enum job_type type, sd_bus_error *error)
{
        const char *name = NULL, *mode = NULL;
        int r = sd_bus_message_read(message, "ss", &name, &mode);

        return r < 0 ? r : bus_queue_job_by_name(message, userdata, name, type, mode, error);
}

#define QUEUE_METHOD(function, type)                                                      \
        static int function(sd_bus_message *message, void *userdata, sd_bus_error *error) \
        {                                                                                 \
                return queue(message, userdata, type, error);                             \
        }
QUEUE_METHOD(on_start_unit, JOB_START)
QUEUE_METHOD(on_stop_unit, JOB_STOP)
QUEUE_METHOD(on_reload_unit, JOB_RELOAD)
QUEUE_METHOD(on_restart_unit, JOB_RESTART)
QUEUE_METHOD(on_try_restart_unit, JOB_TRY_RESTART)
QUEUE_METHOD(on_reload_or_restart_unit, JOB_RELOAD_OR_START)
QUEUE_METHOD(on_reload_or_try_restart_unit, JOB_TRY_RELOAD)

// ---- units

static int on_kill_unit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name = NULL, *who = NULL;
        int32_t signo = 0;
        void *object = NULL;
        int r = sd_bus_message_read(message, "ssi", &name, &who, &signo);

        if (r < 0 || (r = bus_check_trusted(userdata, error)) < 0 ||
            (r = bus_find_object(userdata, name, false, &object, error)) < 0 ||
            (r = bus_kill(object, who, signo, error)) < 0)
                return r;
        return sd_bus_reply_method_return(message, NULL);
}

static int on_reset_failed_unit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name = NULL;
        void *object = NULL;
        int r = sd_bus_message_read(message, "s", &name);

        if (r < 0 || (r = bus_check_trusted(userdata, error)) < 0 ||
            (r = bus_find_object(userdata, name, false, &object, error)) < 0)
                return r;
        bus_reset_failed(object);
        return sd_bus_reply_method_return(message, NULL);
}

static int on_reset_failed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct manager *m = manager_of(userdata);
        int r = bus_check_trusted(userdata, error);

        if (r < 0)
                return r;
        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                bus_reset_failed(bus_object_of_unit(u));
        return sd_bus_reply_method_return(message, NULL);
}

static int on_get_unit_processes(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name = NULL;
        void *object = NULL;
        int r = sd_bus_message_read(message, "s", &name);

        if (r < 0 || (r = bus_find_object(userdata, name, false, &object, error)) < 0)
                return r;
        return bus_reply_processes(message, object);
}

// ---- the manager itself

static int on_subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;

        if (c->is_subscribed)
                return sd_bus_error_set(error, "org.freedesktop.systemd1.AlreadySubscribed",
                                        "Client is already subscribed.");
        int r = bus_client_listen(c, error);

        if (r < 0)
                return r;
        c->is_subscribed = true;
        return sd_bus_reply_method_return(message, NULL);
}

static int on_unsubscribe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;

        if (!c->is_subscribed)
                return sd_bus_error_set(error, "org.freedesktop.systemd1.NotSubscribed",
                                        "Client is not subscribed.");
        c->is_subscribed = false;
        return sd_bus_reply_method_return(message, NULL);
}

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(userdata, error);

        if (r < 0)
                return r;
        r = manager_reload(manager_of(userdata));
        if (r < 0)
                return sd_bus_error_set_errnof(error, r, "Reload failed, nothing was changed: %s",
                                               strerror(-r));
        return sd_bus_reply_method_return(message, NULL);
}

static int on_reexecute(sd_bus_message *message UNUSED, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(userdata, error);

        return r < 0 ? r
                     : sd_bus_error_set(error, SD_BUS_ERROR_NOT_SUPPORTED,
                                        "Re-execution is not supported by this version of usher.");
}

static int on_exit_manager(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(userdata, error);

        if (r < 0)
                return r;
        manager_stop(manager_of(userdata), 0);
        return sd_bus_reply_method_return(message, NULL);
}

// ---- properties

static unsigned count_failed(struct manager *m)
{
        unsigned n = 0;

        for (struct unit *u = registry_next_unit(m, NULL); u; u = registry_next_unit(m, u))
                n += unit_active_state(u) == ACTIVE_FAILED;
        return n;
}

static const char *system_state(struct manager *m)
{
        if (m->is_stopping)
                return "stopping";
        if (!m->is_started)
                return "starting";
        return count_failed(m) > 0 ? "degraded" : "running";
}

static int get_string(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                      const char *property, sd_bus_message *reply, void *userdata,
                      sd_bus_error *error UNUSED)
{
        struct manager *m = manager_of(userdata);
        const char *value = "";

        if (streq(property, "Version"))
                value = "usher " USHER_VERSION;
        else if (streq(property, "SystemState"))
                value = system_state(m);
        else if (streq(property, "Tainted"))
                value = "";
        return sd_bus_message_append(reply, "s", value);
}

static int get_number(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                      const char *property, sd_bus_message *reply, void *userdata,
                      sd_bus_error *error UNUSED)
{
        struct manager *m = manager_of(userdata);
        uint32_t value = 0;

        if (streq(property, "NNames"))
                value = (uint32_t)map_size(m->units);
        else if (streq(property, "NFailedUnits"))
                value = count_failed(m);
        else
                value = bus_count_jobs(((struct bus_client *)userdata)->server);
        return sd_bus_message_append(reply, "u", value);
}

static int get_time(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                    const char *property, sd_bus_message *reply, void *userdata,
                    sd_bus_error *error UNUSED)
{
        struct manager *m = manager_of(userdata);
        uint64_t value = 0;

        if (streq(property, "UserspaceTimestamp"))
                value = m->startup_rt;
        else if (streq(property, "UserspaceTimestampMonotonic"))
                value = m->startup;
        else if (streq(property, "DefaultTimeoutStartUSec"))
                value = m->settings->default_timeout_start;
        else if (streq(property, "DefaultTimeoutStopUSec"))
                value = m->settings->default_timeout_stop;
        return sd_bus_message_append(reply, "t", value);
}

static int get_list(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                    const char *property UNUSED, sd_bus_message *reply, void *userdata,
                    sd_bus_error *error UNUSED)
{
        return bus_append_strv(reply, manager_of(userdata)->options.unit_path);
}

#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Version", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Tainted", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("SystemState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("NNames", "u", get_number, 0, 0),
        SD_BUS_PROPERTY("NFailedUnits", "u", get_number, 0, 0),
        SD_BUS_PROPERTY("NJobs", "u", get_number, 0, 0),
        SD_BUS_PROPERTY("UserspaceTimestamp", "t", get_time, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("UserspaceTimestampMonotonic", "t", get_time, 0,
                        SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("DefaultTimeoutStartUSec", "t", get_time, 0, 0),
        SD_BUS_PROPERTY("DefaultTimeoutStopUSec", "t", get_time, 0, 0),
        SD_BUS_PROPERTY("UnitPath", "as", get_list, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        METHOD("GetUnit", "s", "o", on_get_unit),
        METHOD("GetUnitByPID", "u", "o", on_get_unit_by_pid),
        METHOD("LoadUnit", "s", "o", on_load_unit),
        METHOD("StartUnit", "ss", "o", on_start_unit),
        METHOD("StopUnit", "ss", "o", on_stop_unit),
        METHOD("ReloadUnit", "ss", "o", on_reload_unit),
        METHOD("RestartUnit", "ss", "o", on_restart_unit),
        METHOD("TryRestartUnit", "ss", "o", on_try_restart_unit),
        METHOD("ReloadOrRestartUnit", "ss", "o", on_reload_or_restart_unit),
        METHOD("ReloadOrTryRestartUnit", "ss", "o", on_reload_or_try_restart_unit),
        METHOD("KillUnit", "ssi", "", on_kill_unit),
        METHOD("ResetFailedUnit", "s", "", on_reset_failed_unit),
        METHOD("ResetFailed", "", "", on_reset_failed),
        METHOD("GetUnitProcesses", "s", "a(sus)", on_get_unit_processes),
        METHOD("ListUnits", "", "a(ssssssouso)", on_list_units),
        METHOD("ListUnitsFiltered", "as", "a(ssssssouso)", on_list_units_filtered),
        METHOD("ListUnitsByPatterns", "asas", "a(ssssssouso)", on_list_units_by_patterns),
        METHOD("ListUnitsByNames", "as", "a(ssssssouso)", on_list_units_by_names),
        METHOD("Subscribe", "", "", on_subscribe),
        METHOD("Unsubscribe", "", "", on_unsubscribe),
        METHOD("Reload", "", "", on_reload),
        METHOD("Reexecute", "", "", on_reexecute),
        METHOD("Exit", "", "", on_exit_manager),
        SD_BUS_SIGNAL("UnitNew", "so", 0),
        SD_BUS_SIGNAL("UnitRemoved", "so", 0),
        SD_BUS_SIGNAL("JobNew", "uos", 0),
        SD_BUS_SIGNAL("JobRemoved", "uoss", 0),
        SD_BUS_SIGNAL("StartupFinished", "tttttt", 0),
        SD_BUS_SIGNAL("UnitFilesChanged", "", 0),
        SD_BUS_SIGNAL("Reloading", "b", 0),
        SD_BUS_VTABLE_END,
};
