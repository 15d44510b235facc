// BusName=: a Type=dbus service is started once its name has an owner, and has ended when it has
// none. Services of other types with an unknown main process learn its pid from the bus.
#include "base/log.h"
#include "core/service/service_priv.h"

static struct run *run_of(struct bus_name *n)
{
        return CONTAINER_OF(n, struct run_cold, bus_name)->run;
}

static void on_owner(struct bus_name *n)
{
        struct run *run = run_of(n);

        if (run_conf(run)->type != SERVICE_DBUS)
                return;
        if (run->state == SERVICE_START && n->has_owner && run->main.pid > 0) {
                service_enter_start_post(run);
        } else if (run->state == SERVICE_RUNNING && !n->has_owner) {
                run_log(run, LOG_NOTICE, 0, "Nobody owns the bus name %s any longer.", n->name);
                service_enter_running(run, SERVICE_SUCCESS);
        }
}

static void on_process(struct bus_name *n, pid_t pid)
{
        struct run *run = run_of(n);

        if (run->main.pid > 0 ||
            (run->state != SERVICE_START && run->state != SERVICE_START_POST &&
             run->state != SERVICE_RUNNING && !service_state_is_reloading(run->state)))
                return;
        int r = run_set_main_pid(run, pid, false);

        if (r == -EPERM || r == -EBUSY || r == -ESRCH)
                return; // it belongs to no service, or to another one
        if (r < 0)
                run_log(run, LOG_WARNING, -r,
                        "Process %d, the owner of its bus name, is not watched", (int)pid);
        run_changed(run);
}

static int watch(struct run *run)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold)
                return -ENOMEM;
        cold->bus_name.on_owner = on_owner;
        cold->bus_name.on_process = run_conf(run)->type == SERVICE_DBUS ? NULL : on_process;
        return bus_name_watch(run->manager, &cold->bus_name, run_conf(run)->bus_name);
}

int run_watch_bus_name(struct run *run)
{
        const struct service_group *g = run_conf(run);
        bool is_needed = g->type == SERVICE_DBUS;

        if (!g->bus_name) {
                if (run->cold)
                        bus_name_unwatch(&run->cold->bus_name);
                return 0;
        }
        // A name has one owner, but there are many connections.
        int r = run->service ? watch(run) : -EOPNOTSUPP;

        if (r == 0 || !is_needed)
                return 0;
        if (!run->service)
                run_log(run, LOG_ERR, 0,
                        "Type=dbus does not go with Accept=yes: one bus name cannot be owned by "
                        "every connection. Use Type=simple.");
        else if (r == -EEXIST)
                run_log(run, LOG_ERR, 0,
                        "Another service has the bus name %s already. Give each a BusName= of its "
                        "own.",
                        g->bus_name);
        else
                run_log(run, LOG_ERR, -r,
                        "Type=dbus needs a message bus, and there is none to connect to. Start "
                        "dbus.service, or use Type=notify");
        return r;
}

bool run_bus_name_is_good(const struct run *run)
{
        return run_conf(run)->type != SERVICE_DBUS || (run->cold && run->cold->bus_name.has_owner);
}
