// Turns a registry of units into a supervisor: adds the unit types, and what services need at run
// time.
#include "base/log.h"
#include "base/mounts.h"
#include "core/service/notify.h"
#include "core/service/processes.h"
#include "core/service/service.h"
#include "core/service/service_log.h"
#include "core/socket/connection.h"
#include "core/socket/earlier.h"
#include "core/socket/sock.h"
#include "core/start/kill_queue.h"
#include "core/start/spawner.h"
#include "core/unit/manager.h"

#include <signal.h>

static void close_all(struct manager *m)
{
        earlier_free(TAKE(m->earlier));
        service_log_free(TAKE(m->service_log));
        notify_socket_free(TAKE(m->notify));
        spawner_free(TAKE(m->spawner));
        mounts_done(); // the mount table belongs to the process
        kill_queue_free(TAKE(m->kills));
}

static bool stop_connections(struct manager *m, bool kill)
{
        if (!connection_next(m, NULL))
                return false;
        if (!kill) {
                connection_stop_all(m);
                return true;
        }
        // SIGKILL does not end a process synchronously: the loop learns of each exit later.
        for (struct connection *c = connection_next(m, NULL); c; c = connection_next(m, c))
                service_run_kill(c->run, "all", SIGKILL);
        return true;
}

static struct run *next_connection(struct manager *m, struct run *after)
{
        const struct connection *c = connection_next(m, after ? connection_of(after) : NULL);

        return c ? c->run : NULL;
}

static const struct manager_ops ops = {
        .close = close_all,
        .on_started = sock_adopt_done,
        .stop_connections = stop_connections,
        .next_connection = next_connection,
};

static int open_spawner(struct manager *m)
{
        const struct spawner_options options = {
                .events = m->events,
                .trim = &m->trim,
                .method = m->options.spawn_method,
                .is_user = m->options.is_user,
                .environment = &m->environment->inherited,
                .limits = m->options.limits,
        };

        int r = spawner_new(&options, &m->spawner);

        if (r == 0)
                m->runner = (struct runner){
                        .spawner = m->spawner,
                        .reaper = m->reaper,
                        .errands = m->errands,
                        .waits_for_room = manager_differs(m, DIFFERENCE_EXHAUSTION),
                };
        return r;
}

int manager_open(struct manager *m)
{
        int r;

        m->types[UNIT_SERVICE] = &service_ops;
        m->types[UNIT_SOCKET] = &sock_ops;
        m->ops = &ops;
        processes_open(m);
        r = kill_queue_new(m->events, m->orphans, &m->kills);
        if (r == 0)
                r = open_spawner(m);
        if (r == 0 && manager_differs(m, DIFFERENCE_EARLIER_SUPERVISOR) && m->options.runtime_dir)
                r = earlier_new(m, sock_on_holder_gone, &m->earlier);
        if (r < 0)
                return r;
        r = notify_socket_new(m, service_on_notify, &m->notify);
        if (r < 0) {
                log_write(LOG_ERR, "The notify socket cannot be made: %s", strerror(-r));
                return r;
        }
        r = service_log_new(m, &m->service_log);
        if (r < 0)
                log_write(LOG_ERR, "The log of services cannot be made: %s", strerror(-r));
        return r;
}
