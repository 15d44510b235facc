// For how long a service needs the connection that it serves (difference connection-copy).
#include "base/nowait.h"
#include "core/service/client.h"
#include "core/service/service_priv.h"
#include "spawn/plan.h"

// Commands other than the main ones get it only as standard input or output.
static bool is_wanted_later(const struct run *run, enum service_state state)
{
        const struct service_group *g = run_conf(run);

        return run->plan && spawn_plan_wants_socket(run->plan) &&
               ((state <= SERVICE_START_POST && g->exec_start_post.n > 0) ||
                (state <= SERVICE_RELOAD_NOTIFY && g->exec_reload.n > 0) ||
                (state <= SERVICE_STOP && g->exec_stop.n > 0) ||
                (state <= SERVICE_STOP_POST && g->exec_stop_post.n > 0));
}

bool run_keeps_connection(const struct run *run)
{
        const struct service_group *g = run_conf(run);

        return run->client->keeps_fd ||
               !manager_differs(run->manager, DIFFERENCE_CONNECTION_COPY) ||
               g->type == SERVICE_FORKING || run->main_index + 1U < g->exec_start.n ||
               is_wanted_later(run, SERVICE_START);
}

static bool is_restarting(enum service_state state)
{
        return state >= SERVICE_DEAD_BEFORE_AUTO_RESTART && state <= SERVICE_AUTO_RESTART_QUEUED &&
               state != SERVICE_DEAD_RESOURCES_PINNED;
}

// Can a running or later command use it?
static bool is_in_use(const struct run *run)
{
        enum service_state state = run->state;

        if (service_state_is_over(state))
                return false;
        if (state <= SERVICE_RELOAD_NOTIFY && state != SERVICE_EXITED)
                return true;
        return run->main.pid > 0 || is_wanted_later(run, state);
}

void run_let_go_of_connection(struct run *run)
{
        enum service_state state = run->state;
        struct client *c = run->client;

        if (!manager_differs(run->manager, DIFFERENCE_CONNECTION_COPY)) {
                // An end without a restart is reported separately, once its unit has no job.
                if (is_restarting(state))
                        c->ops->release(c);
        } else if (!is_in_use(run)) {
                c->ops->release(c);
        } else if (!c->keeps_fd && state > SERVICE_START && !is_wanted_later(run, state)) {
                c->fd = nowait_close(c->fd);
        }
}
