// Running one command of a service: its environment, its descriptors, its process.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "core/service/client.h"
#include "core/service/folders.h"
#include "core/service/notify.h"
#include "core/service/processes.h"
#include "core/service/service_log.h"
#include "core/service/service_priv.h"
#include "core/unit/dependency.h"
#include "core/unit/registry.h"
#include "spawn/exit_status.h"
#include "spawn/plan.h"

#include <stdio.h>
#include <sys/wait.h>

// ---- environment

// prefix: "", or "MONITOR_" if the result is another service's. Appends the texts to the list.
static int push_result(char ***list, const struct run *run, const char *prefix)
{
        char buf[SIGNAL_NAME_MAX];
        int r = strv_push_take(
                list, str_printf("%sSERVICE_RESULT=%s", prefix, service_result_name(run->result)));

        if (r < 0 || run->main_code == 0)
                return r;
        r = strv_push_take(list,
                           str_printf("%sEXIT_CODE=%s", prefix, exit_code_name(run->main_code)));
        if (r < 0)
                return r;
        snprintf(buf, sizeof(buf), "%u", run->main_status);
        return strv_push_take(
                list, str_printf("%sEXIT_STATUS=%s", prefix,
                                 run->main_code == CLD_EXITED
                                         ? buf
                                         : exit_status_text(run->main_code, run->main_status, buf,
                                                            sizeof(buf))));
}

static int add_result(struct command *c, const struct run *run)
{
        CLEANUP(strv) char **texts = NULL;
        int r = push_result(&texts, run, "");

        STRV_FOREACH (text, texts)
                command_add_variable(c, "%s", *text);
        return r;
}

// The service whose OnFailure= or OnSuccess= names this one, for a manual start; NULL: there is
// none, or more than one.
static const struct run *find_monitored(const struct run *run)
{
        struct unit *found = NULL;

        if (!run->service)
                return NULL;
        UNIT_FOREACH_DEPENDENCY (&run->service->unit,
                                 DEP_BIT(DEP_ON_FAILURE_OF) | DEP_BIT(DEP_ON_SUCCESS_OF), u) {
                if (found)
                        return NULL;
                found = u;
        }
        return found && found->ops == &service_ops ? &CONTAINER_OF(found, struct service, unit)->run
                                                   : NULL;
}

// That service may have been freed by the time a command runs.
static int push_monitored(char ***list, const struct run *other)
{
        char id[SD_ID128_STRING_MAX];
        int r = push_result(list, other, "MONITOR_");

        if (r >= 0 && !sd_id128_is_null(other->invocation_id))
                r = strv_push_take(list, str_printf("MONITOR_INVOCATION_ID=%s",
                                                    sd_id128_to_string(other->invocation_id, id)));
        return r < 0 ? r
                     : strv_push_take(list, str_printf("MONITOR_UNIT=%s", other->service->unit.id));
}

void service_handle(struct unit *u, struct unit *ended)
{
        struct run *run = &service_of(u)->run;
        bool is_over = service_state_is_over(run->state);
        struct run_cold *cold = ended->ops == &service_ops && is_over ? run_cold_get(run) : NULL;

        if (!cold)
                return;
        // Without memory the variables are omitted.
        strv_free(TAKE(cold->monitored_next));
        if (push_monitored(&cold->monitored_next, &service_of(ended)->run) < 0)
                strv_free(TAKE(cold->monitored_next));
}

int service_note_monitored(struct run *run)
{
        const struct run *other;

        if (run->cold && run->cold->monitored_next) {
                run->cold->monitored = TAKE(run->cold->monitored_next);
                return 0;
        }
        other = find_monitored(run);
        if (!other)
                return 0;
        struct run_cold *cold = run_cold_get(run);

        return cold ? push_monitored(&cold->monitored, other) : -ENOMEM;
}

static int add_environment(struct command *c, const struct run *run, bool is_main)
{
        const struct service_group *g = run_conf(run);
        enum notify_access access = run_notify_access(run);

        if (access != NOTIFY_NONE && (is_main || access != NOTIFY_MAIN)) {
                command_add_variable(c, "%s", notify_socket_environment(run->manager->notify));
                if (g->file_descriptor_store_max > 0)
                        command_add_variable(c, "FDSTORE=%u", g->file_descriptor_store_max);
        }
        if (is_main && run_watchdog_usec(run) > 0)
                command_add_variable(c, "WATCHDOG_USEC=%llu",
                                     (unsigned long long)run_watchdog_usec(run));
        if (run->main.pid > 0)
                command_add_variable(c, "MAINPID=%d", (int)run->main.pid);
        if (run->manager->options.is_user)
                command_add_variable(c, "MANAGERPID=%d", (int)getpid());
        if (run->client) {
                int r = run->client->ops->environment(run->client, &c->variables);

                if (r < 0)
                        return r;
                STRV_FOREACH (item, c->variables)
                        command_add_text(c, *item);
        }
        return 0;
}

// ---- descriptors

// Stored descriptors and OpenFile= descriptors follow those of its sockets.
static int add_others(struct command *c, const struct run *run)
{
        size_t n_stored = run->cold ? run->cold->fdstore.n : 0;
        size_t n_files = run_conf(run)->open_file.n;
        struct spawn_params *p = &c->params;

        if (n_stored + n_files == 0)
                return 0;
        int *fds = reallocarray(c->fds, p->n_fds + n_stored + n_files, sizeof(*fds));

        if (!fds)
                return -ENOMEM;
        if (!c->fds && p->n_fds > 0)
                memcpy(fds, p->fds, p->n_fds * sizeof(*fds)); // a connection
        p->fds = c->fds = fds;
        if (n_stored > 0)
                LIST_FOREACH (&run->cold->fdstore.entries, node) {
                        const struct fdstore_entry *entry =
                                CONTAINER_OF(node, struct fdstore_entry, node);

                        c->fds[p->n_fds++] = entry->watch.fd;
                        if (strv_push(&c->fd_names, entry->name) < 0)
                                return -ENOMEM;
                }
        size_t before = p->n_fds;
        int r = n_files == 0 ? 0
                             : service_take_files(run, run->cold->opened, c->fds, &p->n_fds,
                                                  &c->fd_names);

        c->n_opened = p->n_fds - before;
        return r;
}

// Sockets in Sockets= come first, in its order, then the others that trigger the service.
static int collect_sockets(struct unit *service, int **fds, size_t *n, char ***names)
{
        char *const *sockets = service->conf->service ? service->conf->service->sockets : NULL;
        int r = 0;

        STRV_FOREACH (name, sockets) {
                struct unit *u = registry_find_unit(service->manager, *name);

                if (r == 0 && u && u->ops->collect_fds &&
                    dependency_exists(service, DEP_TRIGGERED_BY, u))
                        r = u->ops->collect_fds(u, fds, n, names);
        }
        UNIT_FOREACH_DEPENDENCY (service, DEP_BIT(DEP_TRIGGERED_BY), u)
                if (r == 0 && u->ops->collect_fds && !strv_contains(sockets, u->id))
                        r = u->ops->collect_fds(u, fds, n, names);
        return r;
}

// Passes the sockets of the service (to main commands; for stdio also to other commands).
static int add_descriptors(struct command *c, struct run *run, bool is_main)
{
        bool wants_socket = spawn_plan_wants_socket(run->plan);
        struct spawn_params *p = &c->params;
        const struct client *client = run->client;
        size_t n = 0;
        int r = 0;

        if (client && client->fd >= 0) {
                if (wants_socket)
                        p->socket_fd = client->fd;
                if (!is_main)
                        return 0;
                p->fds = &client->fd;
                p->n_fds = p->n_sockets = 1;
                if (run_conf(run)->open_file.n == 0) { // the usual case: nothing is allocated
                        p->fd_names = client->ops->fd_name(client);
                        return 0;
                }
                r = strv_push(&c->fd_names, client->ops->fd_name(client));
        } else {
                if (!is_main && !wants_socket)
                        return 0;
                if (run->service)
                        r = collect_sockets(&run->service->unit, &c->fds, &n, &c->fd_names);
                if (n == 1 && wants_socket)
                        p->socket_fd = c->fds[0];
                if (r < 0 || !is_main)
                        return r;
                p->fds = c->fds;
                p->n_fds = p->n_sockets = n;
        }
        if (r == 0)
                r = add_others(c, run);
        return r;
}

// ---- the process

static struct command_wait *get_wait(void *self, bool is_needed)
{
        struct run *run = self;
        struct run_cold *cold = is_needed ? run_cold_get(run) : run->cold;

        return cold ? &cold->wait : NULL;
}

static int open_log(const struct command_order *o)
{
        struct run *run = o->self;
        const struct log_output output = {.unit = run_unit_id(run),
                                          .run = run,
                                          .conf = run->conf,
                                          .command = o->command,
                                          .invocation = run->invocation_id};

        return log_stream_open(run->manager->service_log, &output, &run->log);
}

static int fill(const struct command_order *o, struct command *c)
{
        struct run *run = o->self;

        c->params.nonblocking = run_conf(run)->non_blocking;
        c->params.is_privileged = !o->is_main && run_conf(run)->permissions_start_only;
        if (spawn_plan_needs_name(run->plan))
                c->params.unit_name = run_name(run, &c->unit_name);
        int r = add_environment(c, run, o->is_main);

        if (r == 0)
                r = add_descriptors(c, run, o->is_main);
        if (r == 0 && (o->state == SERVICE_STOP || o->state == SERVICE_STOP_POST))
                r = add_result(c, run);
        if (service_state_is_starting((enum service_state)o->state) && run->cold)
                STRV_FOREACH (text, run->cold->monitored)
                        command_add_variable(c, "%s", *text);
        if (o->is_main && run->client && run->client->fd >= 0 && !run_keeps_connection(run)) {
                c->params.given_fd = &run->client->fd;
                c->params.is_calm = run->client->is_calm;
        }
        return r;
}

static void on_process(void *self)
{
        struct run *run = self;
        uid_t uid = spawn_plan_uid(run->plan);

        run_note_process(run);
        if (folders_hold(run) < 0)
                run_log(run, LOG_WARNING, ENOMEM, "Its runtime folder may go with another service");
        run->uid = uid == (uid_t)-1 ? run->manager->uid : uid;
}

static void log_line(const void *self, int level, int error, const char *text)
{
        run_log(self, level, error, "%s", text);
}

static const struct command_ops run_command_ops = {
        .prepare = run_prepare,
        .wait = get_wait,
        .open_log = open_log,
        .fill = fill,
        .on_process = on_process,
        .log = log_line,
};

bool run_waits_for_room(const struct run *run)
{
        return !service_state_is_over(run->state) && list_is_linked(&run->work.node);
}

usec_t run_start_limit(const struct run *run, usec_t limit)
{
        return run->client && run_waits_for_room(run) ? USEC_INFINITY : limit;
}

static void on_room(struct work *w)
{
        service_resume(CONTAINER_OF(w, struct run, work));
}

// If the state has its own time limit, it also applies to the waits of its commands.
static usec_t timeout_of(const struct run *run, enum service_state state)
{
        return state == SERVICE_STOP || state == SERVICE_STOP_POST
                       ? run_stop_timeout(run)
                       : run_conf(run)->timeout_start_sec;
}

// state: the one that the command belongs to. 0, 1: it waits for a look-up or for resources, -errno
// (logged).
static int start_process(struct run *run, enum service_state state,
                         const struct exec_command *command, bool is_main, int *ret_exec_fd)
{
        // ExecStart= of a forking service is its control process.
        bool is_control = !is_main || run_conf(run)->type == SERVICE_FORKING;
        const struct command_order order = {
                .runner = &run->manager->runner,
                .ops = &run_command_ops,
                .self = run,
                .owner = run_as_owner(run),
                .id = run_unit_id(run),
                .task = service_state_name(state),
                .state = (int)state,
                .limit = timeout_of(run, state),
                .is_main = is_main,
                .command = command,
                .conf = run->conf,
                .plan = &run->plan,
                .invocation_id = run->invocation_id,
                .child = is_control ? &run->control : &run->main,
                .on_exit = is_control ? service_on_control_exit : service_on_main_exit,
                .on_known = run_on_known,
                .room = &run->work,
                .on_room = on_room,
                .is_quiet = run->client != NULL, // their socket logs it
        };
        int r = command_run(&order, ret_exec_fd);

        if (r > 0) {
                run->waits_in = state;
                run_changed(run);
        }
        if (!run_is_preparing(run))
                run_prepare_end(run);
        return r;
}

static const struct command_list *control_list_of(const struct service_group *g,
                                                  enum service_state state)
{
        const struct command_list *const lists[_SERVICE_STATE_MAX] = {
                [SERVICE_CONDITION] = &g->exec_condition,
                [SERVICE_START_PRE] = &g->exec_start_pre,
                [SERVICE_START] = g->type == SERVICE_FORKING ? &g->exec_start : NULL,
                [SERVICE_START_POST] = &g->exec_start_post,
                [SERVICE_RELOAD] = &g->exec_reload,
                [SERVICE_STOP] = &g->exec_stop,
                [SERVICE_STOP_POST] = &g->exec_stop_post,
        };

        return lists[state];
}

const struct command_list *service_control_list(const struct run *run, enum service_state state)
{
        return control_list_of(run_conf(run), state);
}

static bool is_same_command(const struct exec_command *a, const struct exec_command *b)
{
        return streq(a->path, b->path) && strv_equal(a->argv, b->argv);
}

// The index in the new list of the command that was running: its old one if the command is still
// there, else the first that matches. A command that was removed counts as the last (systemd does
// not continue such a list either).
static uint16_t move_index(uint16_t i, const struct command_list *old,
                           const struct command_list *fresh)
{
        if (i >= old->n || (i < fresh->n && is_same_command(&old->items[i], &fresh->items[i])))
                return i;
        for (size_t k = 0; k < fresh->n; k++)
                if (is_same_command(&old->items[i], &fresh->items[k]))
                        return (uint16_t)k;
        return fresh->n > 0 ? (uint16_t)(fresh->n - 1) : 0;
}

void service_move_commands(struct run *run, const struct service_group *old,
                           const struct service_group *fresh)
{
        const struct command_list *was = control_list_of(old, run->state);
        const struct command_list *is = control_list_of(fresh, run->state);

        run_set_commands(run, move_index(run->main_index, &old->exec_start, &fresh->exec_start),
                         was && is ? move_index(run->control_index, was, is) : run->control_index);
}

// 0: in progress, 1: it waits (service_resume() follows), -errno (logged).
static int service_start_control(struct run *run, enum service_state state, usec_t timeout)
{
        const struct command_list *list = service_control_list(run, state);

        if (!list || run->control_index >= list->n) {
                run_log(run, LOG_WARNING, 0, "The commands of %s changed while they were being run",
                        service_state_name(state));
                return -ENOEXEC;
        }
        const struct exec_command *command = &list->items[run->control_index];
        bool is_start = state == SERVICE_START;
        int r = start_process(run, state, command, is_start, NULL);

        if (r < 0)
                return r;
        run_set_timeout(run,
                        service_state_is_starting(state) ? run_start_limit(run, timeout) : timeout);
        if (r > 0)
                return r;
        run_note_control_command(run, command->flags & EXEC_IGNORE_FAILURE);
        if (is_start)
                run_note_main_command(run, command->flags & EXEC_IGNORE_FAILURE);
        return 0;
}

static int watch_exec(struct run *run, int exec_fd)
{
        struct run_cold *cold = run_cold_get(run);

        if (!cold) {
                fd_close(exec_fd);
                return -ENOMEM;
        }
        service_forget_exec(run);
        cold->exec_watch.fd = exec_fd;
        cold->exec_watch.on_event = service_on_exec_event;
        return watch_set(run->manager->events, &cold->exec_watch, EPOLLIN);
}

int service_start_main(struct run *run)
{
        const struct service_group *g = run_conf(run);
        int exec_fd = -1;

        if (run->main_index >= g->exec_start.n)
                return -ENOEXEC;
        const struct exec_command *command = &g->exec_start.items[run->main_index];
        int r = start_process(run, SERVICE_START, command, true,
                              g->type == SERVICE_EXEC ? &exec_fd : NULL);

        if (r != 0)
                return r;
        run_note_main_command(run, command->flags & EXEC_IGNORE_FAILURE);
        run_set_main(run);
        return exec_fd >= 0 ? watch_exec(run, exec_fd) : 0;
}

// ---- a state with commands

static void on_not_started(struct run *run, enum service_state state)
{
        bool is_first = run->control_index == 0;

        // The stop undoes what has been done so far.
        if (!is_first && state < SERVICE_RELOAD) {
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
                return;
        }
        switch (state) {
        case SERVICE_CONDITION:
        case SERVICE_START_PRE:
                service_enter_dead(run, SERVICE_FAILURE_RESOURCES, true);
                break;
        case SERVICE_START_POST:
                service_enter_stop(run, SERVICE_FAILURE_RESOURCES);
                break;
        case SERVICE_RELOAD:
                if (run->cold)
                        run->cold->reload_result = SERVICE_FAILURE_RESOURCES;
                service_enter_running(run, SERVICE_SUCCESS);
                break;
        case SERVICE_STOP_POST:
                service_enter_signal(run, SERVICE_FINAL_SIGTERM, SERVICE_FAILURE_RESOURCES);
                break;
        case SERVICE_START:
        case SERVICE_STOP:
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
                break;
        case SERVICE_DEAD:
        case SERVICE_RUNNING:
        case SERVICE_EXITED:
        case SERVICE_RELOAD_SIGNAL:
        case SERVICE_RELOAD_NOTIFY:
        case SERVICE_STOP_WATCHDOG:
        case SERVICE_STOP_SIGTERM:
        case SERVICE_STOP_SIGKILL:
        case SERVICE_FINAL_WATCHDOG:
        case SERVICE_FINAL_SIGTERM:
        case SERVICE_FINAL_SIGKILL:
        case SERVICE_FAILED:
        case SERVICE_DEAD_BEFORE_AUTO_RESTART:
        case SERVICE_FAILED_BEFORE_AUTO_RESTART:
        case SERVICE_DEAD_RESOURCES_PINNED:
        case SERVICE_AUTO_RESTART:
        case SERVICE_AUTO_RESTART_QUEUED:
        case SERVICE_CLEANING:
        case _SERVICE_STATE_MAX:
                break; // these states run no commands
        }
}

void service_run_control(struct run *run, enum service_state state)
{
        if (service_start_control(run, state, timeout_of(run, state)) < 0)
                on_not_started(run, state);
        else if (run->state != state)
                service_set_state(run, state);
}
