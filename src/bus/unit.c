// The Unit interface: state, dependencies, time stamps, and the calls on one unit.
#include "base/fs.h"
#include "base/parse.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/install.h"
#include "conf/load.h"
#include "conf/unit_name.h"
#include "core/condition/condition.h"
#include "core/service/processes.h"
#include "core/socket/connection.h"
#include "core/unit/collect.h"
#include "core/unit/index.h"

#include <signal.h>

#define CONDITION_TEXT_MAX 512

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property UNUSED, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

// A property that depends on the client's access.
#define GETTER_FOR(name)                                                                    \
        static int name(sd_bus *bus, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

// ---- names and states

static const char *unit_file_preset(const struct bus_view *v)
{
        CLEANUP(install_presets) struct install_presets *presets = NULL;

        if (!v->conf->fragment_path ||
            install_presets_read(v->manager->options.unit_path, index_trust(v->manager), NULL,
                                 &presets) < 0)
                return "";
        return install_presets_ask(presets, fs_path_basename(v->conf->fragment_path));
}

static const char *string_value(const struct bus_view *v, const char *property, char **buffer)
{
        const struct unit_conf *conf = v->conf;
        const char *state = NULL;

        if (streq(property, "Id"))
                return v->id;
        if (streq(property, "Description"))
                return bus_view_description(v, buffer);
        if (streq(property, "LoadState"))
                return load_state_name(conf->load_state);
        if (streq(property, "ActiveState"))
                return active_state_name(bus_view_active_state(v));
        if (streq(property, "SubState"))
                return bus_view_sub_state(v);
        if (streq(property, "FragmentPath"))
                return conf->fragment_path ? conf->fragment_path : "";
        if (streq(property, "FreezerState"))
                return "running";
        if (streq(property, "UnitFileState"))
                return conf_unit_file_state(v->manager->loader, v->id, &state) >= 0 ? state : "";
        if (streq(property, "UnitFilePreset"))
                return unit_file_preset(v);
        return ""; // Following
}

GETTER(get_string)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        CLEANUP(free) char *buffer = NULL;
        int r = bus_view_get(userdata, &v);

        return r < 0 ? r : sd_bus_message_append(reply, "s", string_value(&v, property, &buffer));
}

GETTER(get_names)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0 || (r = sd_bus_message_open_container(reply, 'a', "s")) < 0 ||
            (r = sd_bus_message_append(reply, "s", v.id)) < 0)
                return r;
        STRV_FOREACH (name, v.unit ? v.conf->names : NULL)
                if ((r = sd_bus_message_append(reply, "s", *name)) < 0)
                        return r;
        return sd_bus_message_close_container(reply);
}

GETTER(get_marks)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        return r < 0 ? r : bus_append_marks(reply, v.unit);
}

GETTER(get_dropins)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        return r < 0 ? r : bus_append_strv(reply, v.conf->dropin_paths);
}

GETTER(get_unacted)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        return r < 0 ? r : bus_append_strv(reply, v.conf->unacted);
}

GETTER(get_empty_list)
{
        (void)userdata;
        return sd_bus_message_append(reply, "as", 0);
}

// ---- dependencies

// The connections of a socket that are not units; for those that are, there is a dependency.
static int append_connections(sd_bus_message *reply, const struct sock *s)
{
        int r = 0;

        LIST_FOREACH (&s->connections, node) {
                const struct connection *c = CONTAINER_OF(node, struct connection, node);
                CLEANUP(free) char *name = NULL;

                if (r >= 0 && !c->run->service && (r = connection_name(c, &name)) >= 0)
                        r = sd_bus_message_append(reply, "s", name);
        }
        return r;
}

GETTER(get_dependencies)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0 || (r = sd_bus_message_open_container(reply, 'a', "s")) < 0)
                return r;
        for (int d = 0; v.unit && d < _DEP_MAX; d++) {
                if (!streq(dependency_name((enum dependency)d), property))
                        continue;
                UNIT_FOREACH_DEPENDENCY (v.unit, DEP_BIT(d), other)
                        if ((r = sd_bus_message_append(reply, "s", other->id)) < 0)
                                return r;
        }
        if (v.unit && v.unit->ops == &sock_ops && streq(property, "Triggers") &&
            (r = append_connections(reply, CONTAINER_OF(v.unit, struct sock, unit))) < 0)
                return r;
        // A connection is triggered by its socket.
        if (!v.unit && v.run && streq(property, "TriggeredBy") &&
            (r = sd_bus_message_append(reply, "s", connection_of(v.run)->sock->unit.id)) < 0)
                return r;
        return sd_bus_message_close_container(reply);
}

// ---- time stamps

#define STAMP(name, field)                                              \
        {name "Timestamp", offsetof(struct unit, field##_rt)},          \
        {                                                               \
                name "TimestampMonotonic", offsetof(struct unit, field) \
        }

GETTER(get_stamp)
{
        static const struct {
                const char *name;
                size_t offset;
        } stamps[] = {
                STAMP("StateChange", state_change),     STAMP("InactiveExit", inactive_exit),
                STAMP("ActiveEnter", active_enter),     STAMP("ActiveExit", active_exit),
                STAMP("InactiveEnter", inactive_enter), STAMP("Condition", condition_time),
                STAMP("Assert", assert_time),
        };
        CLEANUP(bus_view) struct bus_view v = {0};
        uint64_t value = 0;
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        for (size_t i = 0; v.unit && i < ARRAY_SIZE(stamps); i++)
                if (streq(stamps[i].name, property))
                        value = *(const usec_t *)((const char *)v.unit + stamps[i].offset);
        return sd_bus_message_append(reply, "t", value);
}

// ---- conditions

// "ConditionPathExists", |, !, "/x", and the result at the last start (CONDITION_MET, ...). The
// condition is not checked again.
static int append_condition(sd_bus_message *reply, const struct condition *c, const char *prefix,
                            int state)
{
        char text[CONDITION_TEXT_MAX];

        condition_format(c, prefix, text, sizeof(text));
        text[strcspn(text, "=")] = '\0';
        return sd_bus_message_append(reply, "(sbbsi)", text, c->trigger, c->negate,
                                     c->param ? c->param : "", state);
}

GETTER_FOR(get_conditions)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        bool is_assert = streq(property, "Asserts");
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        const struct unit_group *g = v.conf->unit;
        const struct condition_list *list = is_assert ? &g->asserts : &g->conditions;
        // Conditions on the environment would show its variables to readers.
        const int8_t *states = v.unit && bus_client_is_trusted(bus_client_of_bus(bus))
                                       ? unit_condition_states(v.unit, is_assert)
                                       : NULL;

        r = sd_bus_message_open_container(reply, 'a', "(sbbsi)");
        for (size_t i = 0; r >= 0 && i < list->n; i++)
                r = append_condition(reply, &list->items[i], is_assert ? "Assert" : "Condition",
                                     states ? states[i] : CONDITION_UNTESTED);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

// ---- flags

static bool flag_value(const struct bus_view *v, const char *property)
{
        const struct unit *u = v->unit;
        bool is_loaded = v->conf->load_state == LOAD_LOADED;

        if (streq(property, "CanStart"))
                return is_loaded && u && !v->conf->unit->refuse_manual_start;
        if (streq(property, "CanStop"))
                return !is_loaded || !v->conf->unit->refuse_manual_stop;
        if (streq(property, "CanReload"))
                return is_loaded && u && unit_can_reload(u);
        if (streq(property, "CanIsolate"))
                return is_loaded && u && v->conf->unit->allow_isolate;
        if (streq(property, "ConditionResult"))
                return u ? u->condition_result : true;
        if (streq(property, "AssertResult"))
                return u ? u->assert_result : true;
        if (streq(property, "NeedDaemonReload"))
                return u && unit_needs_daemon_reload(u);
        if (streq(property, "Transient"))
                return v->conf->transient;
        return false; // CanFreeze, Perpetual
}

GETTER(get_flag)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        return r < 0 ? r : sd_bus_message_append(reply, "b", flag_value(&v, property));
}

GETTER_FOR(get_job)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        (void)property;
        struct bus_job j = bus_job_of(bus_client_of_bus(bus)->server, &v);
        CLEANUP(free) char *job = j.id > 0 ? bus_job_path(j.id) : strdup("/");

        return job ? sd_bus_message_append(reply, "(uo)", j.id, job) : -ENOMEM;
}

GETTER(get_load_error)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        const char *name = "";
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        if (v.conf->load_state == LOAD_NOT_FOUND)
                name = "org.freedesktop.systemd1.NoSuchUnit";
        else if (v.conf->load_state == LOAD_BAD_SETTING)
                name = "org.freedesktop.systemd1.BadUnitSetting";
        else if (v.conf->load_state == LOAD_MASKED)
                name = "org.freedesktop.systemd1.UnitMasked";
        else if (v.conf->load_state == LOAD_ERROR)
                name = "org.freedesktop.systemd1.LoadFailed";
        // systemctl shows a reason even beside "loaded".
        if (!name[0] && v.unit && v.unit->kept)
                return sd_bus_message_append(
                        reply, "(ss)", "org.freedesktop.systemd1.BadUnitSetting", v.unit->kept);
        return sd_bus_message_append(reply, "(ss)", name,
                                     name[0] && v.conf->load_error ? v.conf->load_error : "");
}

GETTER_FOR(get_invocation_id)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0)
                return r;
        (void)property;
        sd_id128_t id = v.unit  ? v.unit->invocation_id
                        : v.run ? v.run->invocation_id
                                : SD_ID128_NULL;

        // A process that knows the invocation id could pass for a part of the service.
        return sd_id128_is_null(id) || !bus_client_is_trusted(bus_client_of_bus(bus))
                       ? sd_bus_message_append(reply, "ay", 0)
                       : sd_bus_message_append_array(reply, 'y', id.bytes, sizeof(id.bytes));
}

// ---- calls

int bus_kill(void *object, const char *who, int signo, sd_bus_error *error)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(object, &v);

        if (r < 0)
                return r;
        if (signo <= 0 || signo >= _NSIG)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "Signal number out of range.");
        if (!who || !who[0])
                who = "all";
        if (v.unit && !v.unit->ops->kill)
                return sd_bus_error_set(error, SD_BUS_ERROR_NOT_SUPPORTED,
                                        "Unit type does not support process killing.");
        r = v.unit ? v.unit->ops->kill(v.unit, who, signo) : service_run_kill(v.run, who, signo);
        if (r == -EINVAL)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "Invalid 'who' argument '%s'.", who);
        if (r == -ESRCH)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchProcess",
                                         "No process of unit %s to kill.", v.id);
        return r < 0 ? sd_bus_error_set_errno(error, r) : 0;
}

void bus_reset_failed(void *object)
{
        CLEANUP(bus_view) struct bus_view v = {0};

        if (bus_view_get(object, &v) < 0 || !v.unit)
                return;
        if (v.unit->ops->reset_failed)
                v.unit->ops->reset_failed(v.unit);
        rate_reset(&v.unit->start_limit);
        v.unit->start_limit_hit = false;
        unit_changed(v.unit);
        collect_unit_later(v.unit);
}

// Appends only the name: the command line is in the memory of the process, and reading that can
// block for ever. A client with access to it reads it itself.
static int append_process(pid_t pid, void *data)
{
        CLEANUP(free) char *name = NULL;

        if (proc_get_comm(pid, &name) < 0)
                return 0; // it has ended since
        CLEANUP(free) char *text = str_escape(name);

        if (!text)
                return -ENOMEM;
        int r = sd_bus_message_append(data, "(sus)", "", (uint32_t)pid, text);

        return r < 0 ? r : 0; // another value than 0 would end the walk
}

int bus_reply_processes(sd_bus_message *message, void *object)
{
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(object, &v);

        if (r < 0 || (r = sd_bus_message_new_method_return(message, &reply)) < 0 ||
            (r = sd_bus_message_open_container(reply, 'a', "(sus)")) < 0)
                return r;
        if (v.run)
                (void)run_look_for_strays(v.run);
        if (v.run && (r = run_foreach_process(v.run, append_process, reply)) < 0)
                return r;
        if ((r = sd_bus_message_close_container(reply)) < 0)
                return r;
        return sd_bus_send(NULL, reply, NULL);
}

static int queue(sd_bus_message *message, void *userdata, enum job_type type, sd_bus_error *error)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        const char *mode = NULL;
        int r = bus_view_get(userdata, &v);

        if (r < 0 || (r = sd_bus_message_read(message, "s", &mode)) < 0)
                return r;
        return bus_queue_job_by_name(message, bus_client_of(message), v.id, type, mode, error);
}

#define QUEUE_METHOD(function, type)                                                      \
        static int function(sd_bus_message *message, void *userdata, sd_bus_error *error) \
        {                                                                                 \
                return queue(message, userdata, type, error);                             \
        }
QUEUE_METHOD(on_start, JOB_START)
QUEUE_METHOD(on_stop, JOB_STOP)
QUEUE_METHOD(on_reload, JOB_RELOAD)
QUEUE_METHOD(on_restart, JOB_RESTART)
QUEUE_METHOD(on_try_restart, JOB_TRY_RESTART)
QUEUE_METHOD(on_reload_or_restart, JOB_RELOAD_OR_START)
QUEUE_METHOD(on_reload_or_try_restart, JOB_TRY_RELOAD)

static int on_kill(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *who = NULL;
        int32_t signo = 0;
        int r = sd_bus_message_read(message, "si", &who, &signo);

        if (r < 0 || (r = bus_check_trusted(bus_client_of(message), error)) < 0 ||
            (r = bus_kill(userdata, who, signo, error)) < 0)
                return r;
        return sd_bus_reply_method_return(message, NULL);
}

static int on_reset_failed(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(bus_client_of(message), error);

        if (r < 0)
                return r;
        bus_reset_failed(userdata);
        return sd_bus_reply_method_return(message, NULL);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)
#define STAMPS(name)                                                   \
        SD_BUS_PROPERTY(name "Timestamp", "t", get_stamp, 0, CHANGES), \
                SD_BUS_PROPERTY(name "TimestampMonotonic", "t", get_stamp, 0, CHANGES)
#define EDGES(name) SD_BUS_PROPERTY(name, "as", get_dependencies, 0, 0)

const sd_bus_vtable bus_unit_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Names", "as", get_names, 0, 0),
        SD_BUS_PROPERTY("Following", "s", get_string, 0, 0),
        EDGES("Requires"),
        EDGES("Requisite"),
        EDGES("Wants"),
        EDGES("BindsTo"),
        EDGES("PartOf"),
        EDGES("Upholds"),
        EDGES("RequiredBy"),
        EDGES("RequisiteOf"),
        EDGES("WantedBy"),
        EDGES("BoundBy"),
        EDGES("UpheldBy"),
        EDGES("ConsistsOf"),
        EDGES("Conflicts"),
        EDGES("ConflictedBy"),
        EDGES("Before"),
        EDGES("After"),
        EDGES("OnSuccess"),
        EDGES("OnSuccessOf"),
        EDGES("OnFailure"),
        EDGES("OnFailureOf"),
        EDGES("Triggers"),
        EDGES("TriggeredBy"),
        EDGES("PropagatesReloadTo"),
        EDGES("ReloadPropagatedFrom"),
        EDGES("PropagatesStopTo"),
        EDGES("StopPropagatedFrom"),
        EDGES("JoinsNamespaceOf"),
        SD_BUS_PROPERTY("Description", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("LoadState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("ActiveState", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("FreezerState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("SubState", "s", get_string, 0, CHANGES),
        SD_BUS_PROPERTY("FragmentPath", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("DropInPaths", "as", get_dropins, 0, 0),
        SD_BUS_PROPERTY("XUnacted", "as", get_unacted, 0, 0),
        SD_BUS_PROPERTY("Markers", "as", get_marks, 0, 0),
        SD_BUS_PROPERTY("UnitFileState", "s", get_string, 0, 0),
        SD_BUS_PROPERTY("UnitFilePreset", "s", get_string, 0, 0),
        STAMPS("StateChange"),
        STAMPS("InactiveExit"),
        STAMPS("ActiveEnter"),
        STAMPS("ActiveExit"),
        STAMPS("InactiveEnter"),
        STAMPS("Condition"),
        STAMPS("Assert"),
        SD_BUS_PROPERTY("CanStart", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("CanStop", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("CanReload", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("CanIsolate", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("CanClean", "as", bus_get_can_clean, 0, 0),
        SD_BUS_PROPERTY("CanFreeze", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, CHANGES),
        SD_BUS_PROPERTY("NeedDaemonReload", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("ConditionResult", "b", get_flag, 0, CHANGES),
        SD_BUS_PROPERTY("AssertResult", "b", get_flag, 0, CHANGES),
        SD_BUS_PROPERTY("Conditions", "a(sbbsi)", get_conditions, 0, 0),
        SD_BUS_PROPERTY("Asserts", "a(sbbsi)", get_conditions, 0, 0),
        SD_BUS_PROPERTY("LoadError", "(ss)", get_load_error, 0, 0),
        SD_BUS_PROPERTY("Transient", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("Perpetual", "b", get_flag, 0, 0),
        SD_BUS_PROPERTY("InvocationID", "ay", get_invocation_id, 0, CHANGES),
        SD_BUS_PROPERTY("Refs", "as", get_empty_list, 0, 0),
        METHOD("Start", "s", "o", on_start),
        METHOD("Stop", "s", "o", on_stop),
        METHOD("Reload", "s", "o", on_reload),
        METHOD("Restart", "s", "o", on_restart),
        METHOD("TryRestart", "s", "o", on_try_restart),
        METHOD("ReloadOrRestart", "s", "o", on_reload_or_restart),
        METHOD("ReloadOrTryRestart", "s", "o", on_reload_or_try_restart),
        METHOD("Kill", "si", "", on_kill),
        METHOD("ResetFailed", "", "", on_reset_failed),
        METHOD("Clean", "as", "", bus_on_clean),
        SD_BUS_VTABLE_END,
};
