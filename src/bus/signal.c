// Sends the changes of core to the clients as signals. Those who control get all signals, as
// peer-to-peer clients of systemd do; readers get them when they subscribe.
#include "base/clock.h"
#include "base/str.h"
#include "bus/bus_priv.h"

// A client that calls Hello, as on a message bus, accepts no signal before the answer.
static bool is_told(const struct bus_client *c)
{
        return !c->is_dropped && c->has_called && (bus_client_is_trusted(c) || c->is_listening);
}

void bus_tell(struct bus_server *s, int (*send)(sd_bus *bus, const void *data), const void *data)
{
        BUS_FOREACH_CLIENT (s, c) {
                if (!is_told(c))
                        continue;
                if (bus_client_is_trusted(c)) {
                        bus_client_sent(c, send(c->bus, data));
                        continue;
                }
                usec_t begin = clock_now();

                if (!share_is_open(&s->share, begin))
                        continue;
                bus_client_sent(c, send(c->bus, data));
                share_spend(&s->share, clock_now() - begin);
        }
}

static struct bus_server *server_of(struct core_observer *o)
{
        return CONTAINER_OF(o, struct bus_server, observer);
}

struct unit_signal {
        const char *id, *path, *signal, *interface; // interface: of the type; NULL: none
        const char *const *names;                   // of its properties
};

static int send_unit(sd_bus *bus, const void *data)
{
        const struct unit_signal *u = data;

        return sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, u->signal, "so", u->id, u->path);
}

static void emit_unit(struct core_observer *o, struct unit *u, const char *signal)
{
        struct bus_server *s = server_of(o);

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_unit_path(u->id);

        // Memory is short; a client that misses a signal can ask again.
        if (path)
                bus_tell(s, send_unit,
                         &(struct unit_signal){.id = u->id, .path = path, .signal = signal});
}

static void on_unit_new(struct core_observer *o, struct unit *u)
{
        emit_unit(o, u, "UnitNew");
}

static void on_unit_removed(struct core_observer *o, struct unit *u)
{
        emit_unit(o, u, "UnitRemoved");
}

static const char *const unit_changes[] = {"ActiveState",
                                           "SubState",
                                           "StateChangeTimestamp",
                                           "StateChangeTimestampMonotonic",
                                           "InactiveExitTimestamp",
                                           "InactiveExitTimestampMonotonic",
                                           "ActiveEnterTimestamp",
                                           "ActiveEnterTimestampMonotonic",
                                           "ActiveExitTimestamp",
                                           "ActiveExitTimestampMonotonic",
                                           "InactiveEnterTimestamp",
                                           "InactiveEnterTimestampMonotonic",
                                           "Job",
                                           "ConditionResult",
                                           "AssertResult",
                                           "ConditionTimestamp",
                                           "ConditionTimestampMonotonic",
                                           "InvocationID",
                                           NULL};
static const char *const service_changes[] = {"MainPID",
                                              "ControlPID",
                                              "StatusText",
                                              "StatusErrno",
                                              "Result",
                                              "ReloadResult",
                                              "NRestarts",
                                              "ExecMainStartTimestamp",
                                              "ExecMainStartTimestampMonotonic",
                                              "ExecMainExitTimestamp",
                                              "ExecMainExitTimestampMonotonic",
                                              "ExecMainPID",
                                              "ExecMainCode",
                                              "ExecMainStatus",
                                              NULL};
static const char *const socket_changes[] = {"ControlPID", "Result",   "StatusText", "NConnections",
                                             "NAccepted",  "NRefused", NULL};

// The type's properties first, as systemd sends them: a client that waits for a state finds the
// rest up to date.
static int send_changes(sd_bus *bus, const void *data)
{
        const struct unit_signal *u = data;
        int r = u->interface ? sd_bus_emit_properties_changed_strv(bus, u->path, u->interface,
                                                                   (char **)u->names)
                             : 0;

        return r < 0 ? r
                     : sd_bus_emit_properties_changed_strv(bus, u->path, BUS_UNIT,
                                                           (char **)unit_changes);
}

static void on_unit_changed(struct core_observer *o, struct unit *u)
{
        struct bus_server *s = server_of(o);
        struct unit_signal signal = {.id = u->id};

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_unit_path(u->id);

        if (!path)
                return;
        signal.path = path;
        if (u->ops == &service_ops && u->conf->service) {
                signal.interface = "org.freedesktop.systemd1.Service";
                signal.names = service_changes;
        } else if (u->ops == &sock_ops && u->conf->socket) {
                signal.interface = "org.freedesktop.systemd1.Socket";
                signal.names = socket_changes;
        }
        bus_tell(s, send_changes, &signal);
}

struct job_signal {
        uint32_t id;
        const char *path, *unit, *result; // result NULL: it is new
};

static int send_job(sd_bus *bus, const void *data)
{
        const struct job_signal *j = data;

        return j->result ? sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, "JobRemoved", "uoss",
                                              j->id, j->path, j->unit, j->result)
                         : sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, "JobNew", "uos", j->id,
                                              j->path, j->unit);
}

void bus_tell_job(struct bus_server *s, uint32_t id, const char *unit, const char *result)
{
        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_job_path(id);

        if (path)
                bus_tell(s, send_job, &(struct job_signal){id, path, unit, result});
}

static void on_job_new(struct core_observer *o, struct job *j)
{
        bus_tell_job(server_of(o), j->id, j->unit->id, NULL);
}

static void on_job_removed(struct core_observer *o, struct job *j, const char *result)
{
        struct bus_server *s = server_of(o);

        if (list_is_empty(&s->clients))
                return;
        // State changes first: a client that waits for the job reads the unit's properties next.
        unit_flush_changes(j->unit);
        bus_tell_job(s, j->id, j->unit->id, result);
}

static void on_connection_end(struct core_observer *o, const struct run *run)
{
        bus_stop_on_end(server_of(o), run);
}

static int send_reloading(sd_bus *bus, const void *active)
{
        return sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, "Reloading", "b",
                                  *(const bool *)active);
}

static void on_reloading(struct core_observer *o, bool active)
{
        bus_tell(server_of(o), send_reloading, &active);
}

static int send_startup_finished(sd_bus *bus, const void *data UNUSED)
{
        uint64_t zero = 0;

        return sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, "StartupFinished", "tttttt", zero,
                                  zero, zero, zero, zero, zero);
}

static void on_startup_finished(struct core_observer *o)
{
        bus_tell(server_of(o), send_startup_finished, NULL);
}

void bus_observer_fill(struct bus_server *s)
{
        s->observer = (struct core_observer){
                .on_unit_new = on_unit_new,
                .on_unit_removed = on_unit_removed,
                .on_unit_changed = on_unit_changed,
                .on_job_new = on_job_new,
                .on_job_removed = on_job_removed,
                .on_connection_end = on_connection_end,
                .on_reloading = on_reloading,
                .on_startup_finished = on_startup_finished,
        };
}
