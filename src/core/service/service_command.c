// Running one command of a service: its environment, its descriptors, its process.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "core/loop/reap.h"
#include "core/service/notify.h"
#include "core/service/processes.h"
#include "core/service/service_log.h"
#include "core/service/service_priv.h"
#include "core/socket/instance.h"
#include "core/socket/sock.h"
#include "core/start/spawner.h"
#include "spawn/kill.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

#define ENVIRONMENT_TEXT_MAX 4096

// What a command gets. On the stack: a connection's start allocates nothing for it.
struct start {
        struct spawn_params params;
        char *environment[SPAWN_ENVIRONMENT_MAX + 1];
        size_t n_environment, used;
        char text[ENVIRONMENT_TEXT_MAX];
        char **peer; // REMOTE_ADDR=, REMOTE_PORT=
        int *fds;
        char **fd_names;
        char *fd_names_text;
        size_t n_opened; // so many at the end of fds are ours to close
        char *name;
        char invocation_id[SD_ID128_STRING_MAX];
};

static void start_done(struct start *s)
{
        strv_free(s->peer);
        for (size_t i = 0; i < s->n_opened; i++)
                fd_close(s->fds[s->params.n_fds - 1 - i]);
        free(s->fds);
        strv_free(s->fd_names);
        free(s->fd_names_text);
        free(s->name);
}

static void cleanup_start(struct start *s)
{
        start_done(s);
}

// ---- environment

static void add_variable(struct start *s, const char *fmt, ...) PRINTF(2, 3);
static void add_variable(struct start *s, const char *fmt, ...)
{
        size_t left = sizeof(s->text) - s->used;
        va_list ap;

        va_start(ap, fmt);
        int n = vsnprintf(s->text + s->used, left, fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= left || s->n_environment >= SPAWN_ENVIRONMENT_MAX)
                return; // no variable is long enough for that
        s->environment[s->n_environment++] = s->text + s->used;
        s->used += (size_t)n + 1;
}

// prefix: "", or "MONITOR_" where the result is another service's.
static void add_result(struct start *s, const struct run *run, const char *prefix)
{
        char buf[SIGNAL_NAME_MAX];

        add_variable(s, "%sSERVICE_RESULT=%s", prefix, service_result_name(run->result));
        if (run->main_code == 0)
                return;
        add_variable(s, "%sEXIT_CODE=%s", prefix, exit_code_name(run->main_code));
        if (run->main_code == CLD_EXITED)
                add_variable(s, "%sEXIT_STATUS=%u", prefix, run->main_status);
        else
                add_variable(s, "%sEXIT_STATUS=%s", prefix,
                             exit_status_text(run->main_code, run->main_status, buf, sizeof(buf)));
}

// The one service that may have started this one by OnFailure= or OnSuccess=; NULL: none, or it
// cannot be told which.
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

static void add_monitored(struct start *s, const struct run *run)
{
        const struct run *other = find_monitored(run);
        char id[SD_ID128_STRING_MAX];

        if (!other)
                return;
        add_result(s, other, "MONITOR_");
        if (!sd_id128_is_null(other->invocation_id))
                add_variable(s, "MONITOR_INVOCATION_ID=%s",
                             sd_id128_to_string(other->invocation_id, id));
        add_variable(s, "MONITOR_UNIT=%s", other->service->unit.id);
}

static int add_environment(struct start *s, const struct run *run, bool is_main)
{
        const struct service_group *g = run_conf(run);
        enum notify_access access = run_notify_access(run);

        if (access != NOTIFY_NONE && (is_main || access != NOTIFY_MAIN)) {
                add_variable(s, "%s", notify_socket_environment(run->manager->notify));
                if (g->file_descriptor_store_max > 0)
                        add_variable(s, "FDSTORE=%u", g->file_descriptor_store_max);
        }
        if (is_main && run_watchdog_usec(run) > 0)
                add_variable(s, "WATCHDOG_USEC=%llu", (unsigned long long)run_watchdog_usec(run));
        if (run->main.pid > 0)
                add_variable(s, "MAINPID=%d", (int)run->main.pid);
        if (g->pid_file)
                add_variable(s, "PIDFILE=%s", g->pid_file);
        if (run->manager->options.is_user)
                add_variable(s, "MANAGERPID=%d", (int)getpid());
        // With systemd the peer is asked each time, so that a restart knows none.
        if (run->sock && (run->connection_fd >= 0 || !run->manager->options.compat_systemd)) {
                int r = instance_environment(run, &s->peer);

                if (r < 0)
                        return r;
                STRV_FOREACH (item, s->peer)
                        if (s->n_environment < SPAWN_ENVIRONMENT_MAX)
                                s->environment[s->n_environment++] = *item;
        }
        s->params.environment = s->environment;
        return 0;
}

// ---- descriptors

// What the service has stored, and what is opened for it, after its sockets.
static int add_others(struct start *s, const struct run *run)
{
        size_t n_stored = run->cold ? run->cold->fdstore.n : 0;
        size_t n_files = run_conf(run)->open_file.n;
        struct spawn_params *p = &s->params;

        if (n_stored + n_files == 0)
                return 0;
        int *fds = reallocarray(s->fds, p->n_fds + n_stored + n_files, sizeof(*fds));

        if (!fds)
                return -ENOMEM;
        if (!s->fds && p->n_fds > 0)
                memcpy(fds, p->fds, p->n_fds * sizeof(*fds)); // a connection
        p->fds = s->fds = fds;
        if (n_stored > 0)
                LIST_FOREACH (&run->cold->fdstore.entries, node) {
                        const struct fdstore_entry *entry =
                                CONTAINER_OF(node, struct fdstore_entry, node);

                        s->fds[p->n_fds++] = entry->watch.fd;
                        if (strv_push(&s->fd_names, entry->name) < 0)
                                return -ENOMEM;
                }
        size_t before = p->n_fds;
        int r = n_files == 0 ? 0
                             : service_take_files(run, run->cold->opened, s->fds, &p->n_fds,
                                                  &s->fd_names);

        s->n_opened = p->n_fds - before;
        return r;
}

// FileDescriptorName= counts for connections since v257.
static const char *connection_name(const struct run *run)
{
        const struct unit *u = &run->sock->unit;
        bool is_named = !run->manager->options.compat_systemd && u->conf->socket &&
                        u->conf->socket->file_descriptor_name;

        return is_named ? u->conf->socket->file_descriptor_name : "connection";
}

// The sockets that the service is served by (main commands); for stdio also the other commands.
static int add_descriptors(struct start *s, struct run *run, bool is_main)
{
        bool wants_socket = spawn_plan_wants_socket(run->plan);
        struct spawn_params *p = &s->params;

        size_t n = 0;
        int r = 0;

        if (run->connection_fd >= 0) {
                if (wants_socket)
                        p->socket_fd = run->connection_fd;
                if (!is_main)
                        return 0;
                p->fds = &run->connection_fd;
                p->n_fds = p->n_sockets = 1;
                p->fd_names = connection_name(run);
                if (run_conf(run)->open_file.n == 0)
                        return 0; // the usual case: nothing is allocated
                r = strv_push(&s->fd_names, p->fd_names);
        } else {
                if (!is_main && !wants_socket)
                        return 0;
                if (run->service)
                        r = sock_collect_for_service(&run->service->unit, &s->fds, &n,
                                                     &s->fd_names);
                if (n == 1 && wants_socket)
                        p->socket_fd = s->fds[0];
                if (r < 0 || !is_main)
                        return r;
                p->fds = s->fds;
                p->n_fds = p->n_sockets = n;
        }
        if (r == 0)
                r = add_others(s, run);
        if (r < 0 || p->n_fds == 0)
                return r;
        s->fd_names_text = strv_join(s->fd_names, ":");
        p->fd_names = s->fd_names_text;
        return s->fd_names_text ? 0 : -ENOMEM;
}

static void add_log(struct start *s, struct run *run)
{
        if (!spawn_plan_wants_log(run->plan))
                return;
        if (!run->log) {
                const char *unit = run->service ? run->service->unit.id : run->conf->id;
                int r = log_stream_open(run->manager->service_log, unit, run->conf, &run->log);

                if (r < 0) {
                        run_log(run, LOG_WARNING, -r, "What it prints is lost");
                        return;
                }
        }
        s->params.log_fd = log_stream_fd(run->log);
}

// ---- the process

static int watch_child(struct run *run, struct child *c, const struct spawn_child *child,
                       void (*on_exit)(struct child *c, const siginfo_t *info))
{
        uid_t uid = spawn_plan_uid(run->plan);

        run->is_empty = false;
        run->uid = uid == (uid_t)-1 ? geteuid() : uid;
        int r = reaper_watch(run->manager->reaper, c, child->pid, child->pidfd, run_as_owner(run),
                             on_exit);

        if (r >= 0)
                return 0;
        (void)kill_process(child->pid, -1, SIGKILL);
        return r;
}

static int prepare(struct start *s, struct run *run, const struct exec_command *command,
                   bool is_main)
{
        s->params = SPAWN_PARAMS_INIT;
        s->params.command = command;
        s->params.nonblocking = run_conf(run)->non_blocking;
        s->params.invocation_id = sd_id128_to_string(run->invocation_id, s->invocation_id);
        if (spawn_plan_needs_name(run->plan))
                s->params.unit_name = run_name(run, &s->name);
        add_log(s, run);
        int r = add_environment(s, run, is_main);

        return r < 0 ? r : add_descriptors(s, run, is_main);
}

bool run_waits_for_room(const struct run *run)
{
        return !service_state_is_over(run->state) && list_is_linked(&run->work.node);
}

usec_t run_start_limit(const struct run *run, usec_t limit)
{
        return run->sock && run_waits_for_room(run) ? USEC_INFINITY : limit;
}

static void on_room(struct work *w)
{
        service_resume(CONTAINER_OF(w, struct run, work));
}

// Exhaustion is nobody's failure: the command is started when there is room.
static int await_room(struct run *run, enum service_state state, int error)
{
        struct spawner *spawner = run->manager->spawner;
        // Of connections their socket tells.
        bool is_told = !run->sock && !run_waits_for_room(run) && spawner_may_complain(spawner);

        run_log(run, is_told ? LOG_WARNING : LOG_DEBUG, -error,
                "Resources are exhausted, its '%s' task waits", service_state_name(state));
        run->waits_in = state;
        spawner_wait(spawner, SPAWNER_STARTS, &run->work, on_room, error);
        run_changed(run);
        return 1;
}

// state: whose command it is. 0, 1 waits for a look-up or for room, -errno (logged).
static int start_process(struct run *run, enum service_state state,
                         const struct exec_command *command, bool is_main, struct spawn_child *ret)
{
        CLEANUP(start) struct start s;
        struct fail why = {0};
        char text[512];

        // Not an initialiser: the text need not be cleared for each connection.
        s.n_environment = s.used = 0;
        s.peer = s.fd_names = NULL;
        s.fds = NULL;
        s.n_opened = 0;
        s.fd_names_text = s.name = NULL;
        int r = run_prepare(run, state, is_main);

        if (r > 0)
                return r;
        if (r == 0)
                r = prepare(&s, run, command, is_main);
        if (r == 0 && (state == SERVICE_STOP || state == SERVICE_STOP_POST))
                add_result(&s, run, "");
        if (r == 0 && (state == SERVICE_START || state == SERVICE_START_PRE))
                add_monitored(&s, run);
        if (r != 0)
                goto end;
        s.environment[s.n_environment] = NULL;
        s.params.want_exec_result = is_main && run_conf(run)->type == SERVICE_EXEC;
        if (is_main && run->connection_fd >= 0 && !run_keeps_connection(run))
                s.params.given_fd = &run->connection_fd;
        r = spawner_start(run->manager->spawner, run->plan, &s.params, ret, &why);
end:
        run_prepare_end(run);
        if (r < 0 && fail_is_exhaustion(r) && !run->manager->options.compat_systemd)
                return await_room(run, state, r);
        if (r < 0)
                run_log(run, LOG_WARNING, why.error ? 0 : -r, "Failed to run '%s' task%s%s",
                        service_state_name(state), why.error ? ": " : "",
                        why.error ? fail_format(&why, text, sizeof(text)) : "");
        return r;
}

const struct command_list *service_control_list(const struct run *run, enum service_state state)
{
        const struct service_group *g = run_conf(run);

        switch ((int)state) {
        case SERVICE_CONDITION:
                return &g->exec_condition;
        case SERVICE_START_PRE:
                return &g->exec_start_pre;
        case SERVICE_START:
                return g->type == SERVICE_FORKING ? &g->exec_start : NULL;
        case SERVICE_START_POST:
                return &g->exec_start_post;
        case SERVICE_RELOAD:
                return &g->exec_reload;
        case SERVICE_STOP:
                return &g->exec_stop;
        case SERVICE_STOP_POST:
                return &g->exec_stop_post;
        default:
                return NULL;
        }
}

int service_start_control(struct run *run, enum service_state state, usec_t timeout)
{
        const struct command_list *list = service_control_list(run, state);
        struct spawn_child child = {.pidfd = -1, .exec_fd = -1};

        if (!list || run->control_index >= list->n) {
                run_log(run, LOG_WARNING, 0, "The commands of %s changed while they were being run",
                        service_state_name(state));
                return -ENOEXEC;
        }
        const struct exec_command *command = &list->items[run->control_index];
        bool is_start = state == SERVICE_START;
        int r = start_process(run, state, command, is_start, &child);

        if (r == 0)
                r = watch_child(run, &run->control, &child, service_on_control_exit);
        if (r < 0)
                return r;
        run_set_timeout(run,
                        service_state_is_starting(state) ? run_start_limit(run, timeout) : timeout);
        if (r > 0)
                return r;
        run->control_ignores_failure = command->flags & EXEC_IGNORE_FAILURE;
        if (is_start)
                run->main_ignores_failure = run->control_ignores_failure;
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
        struct spawn_child child = {.pidfd = -1, .exec_fd = -1};

        if (run->main_index >= g->exec_start.n)
                return -ENOEXEC;
        const struct exec_command *command = &g->exec_start.items[run->main_index];
        int r = start_process(run, SERVICE_START, command, true, &child);

        if (r != 0)
                return r;
        r = watch_child(run, &run->main, &child, service_on_main_exit);
        if (r < 0) {
                fd_close(child.exec_fd);
                return r;
        }
        run->main_pid_known = true;
        run->main_ignores_failure = command->flags & EXEC_IGNORE_FAILURE;
        if (run->service)
                run->service->main_status = (struct exec_status){
                        .pid = child.pid, .start = clock_now(), .start_rt = clock_now_realtime()};
        return child.exec_fd >= 0 ? watch_exec(run, child.exec_fd) : 0;
}

// ---- a state with commands

static usec_t timeout_of(const struct run *run, enum service_state state)
{
        return state == SERVICE_STOP || state == SERVICE_STOP_POST
                       ? run_stop_timeout(run)
                       : run_conf(run)->timeout_start_sec;
}

static void on_not_started(struct run *run, enum service_state state)
{
        bool is_first = run->control_index == 0;

        switch (is_first || state >= SERVICE_RELOAD ? (int)state : -1) {
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
        default:
                service_enter_signal(run, SERVICE_STOP_SIGTERM, SERVICE_FAILURE_RESOURCES);
                break;
        }
}

void service_run_control(struct run *run, enum service_state state)
{
        if (service_start_control(run, state, timeout_of(run, state)) < 0)
                on_not_started(run, state);
        else if (run->state != state)
                service_set_state(run, state);
}
