// What changes in core, told to every client. Peer-to-peer clients get all signals, as with
// systemd.
#include "base/str.h"
#include "bus/bus_priv.h"

// A client that says hello, as to a message bus, takes nothing before the answer.
#define FOREACH_LISTENER(s, c)   \
        BUS_FOREACH_CLIENT(s, c) \
        if (c->has_called)

static struct bus_server *server_of(struct core_observer *o)
{
        return CONTAINER_OF(o, struct bus_server, observer);
}

static void emit_unit(struct core_observer *o, struct unit *u, const char *signal)
{
        struct bus_server *s = server_of(o);

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_unit_path(u->id);

        if (!path)
                return; // a client that misses a signal asks again; memory is what is short
        FOREACH_LISTENER(s, c)
        bus_client_sent(
                c, sd_bus_emit_signal(c->bus, BUS_ROOT, BUS_MANAGER, signal, "so", u->id, path));
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

static void on_unit_changed(struct core_observer *o, struct unit *u)
{
        struct bus_server *s = server_of(o);
        const char *interface = NULL;
        const char *const *names = NULL;

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_unit_path(u->id);

        if (!path)
                return;
        if (u->ops == &service_ops && u->conf->service) {
                interface = "org.freedesktop.systemd1.Service";
                names = service_changes;
        } else if (u->ops == &sock_ops && u->conf->socket) {
                interface = "org.freedesktop.systemd1.Socket";
                names = socket_changes;
        }
        FOREACH_LISTENER(s, c)
        {
                int r = 0;

                // The type's properties first, as systemd sends them: a client that waits for a
                // state finds the rest up to date.
                if (interface)
                        r = sd_bus_emit_properties_changed_strv(c->bus, path, interface,
                                                                (char **)names);
                if (r >= 0)
                        r = sd_bus_emit_properties_changed_strv(c->bus, path, BUS_UNIT,
                                                                (char **)unit_changes);
                bus_client_sent(c, r);
        }
}

static void on_job_new(struct core_observer *o, struct job *j)
{
        struct bus_server *s = server_of(o);

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_job_path(j->id);

        if (!path)
                return;
        FOREACH_LISTENER(s, c)
        bus_client_sent(c, sd_bus_emit_signal(c->bus, BUS_ROOT, BUS_MANAGER, "JobNew", "uos", j->id,
                                              path, j->unit->id));
}

static void on_job_removed(struct core_observer *o, struct job *j, const char *result)
{
        struct bus_server *s = server_of(o);

        if (list_is_empty(&s->clients))
                return;
        CLEANUP(free) char *path = bus_job_path(j->id);

        if (!path)
                return;
        // State changes first: who waits for the job reads the unit's properties next.
        unit_flush_changes(j->unit);
        FOREACH_LISTENER(s, c)
        bus_client_sent(c, sd_bus_emit_signal(c->bus, BUS_ROOT, BUS_MANAGER, "JobRemoved", "uoss",
                                              j->id, path, j->unit->id, result));
}

static void on_reloading(struct core_observer *o, bool active)
{
        struct bus_server *s = server_of(o);

        FOREACH_LISTENER(s, c)
        bus_client_sent(
                c, sd_bus_emit_signal(c->bus, BUS_ROOT, BUS_MANAGER, "Reloading", "b", active));
}

static void on_startup_finished(struct core_observer *o)
{
        struct bus_server *s = server_of(o);
        uint64_t zero = 0;

        FOREACH_LISTENER(s, c)
        bus_client_sent(c, sd_bus_emit_signal(c->bus, BUS_ROOT, BUS_MANAGER, "StartupFinished",
                                              "tttttt", zero, zero, zero, zero, zero, zero));
}

void bus_observer_fill(struct bus_server *s)
{
        s->observer = (struct core_observer){
                .on_unit_new = on_unit_new,
                .on_unit_removed = on_unit_removed,
                .on_unit_changed = on_unit_changed,
                .on_job_new = on_job_new,
                .on_job_removed = on_job_removed,
                .on_reloading = on_reloading,
                .on_startup_finished = on_startup_finished,
        };
}
