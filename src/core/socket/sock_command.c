// The commands of a socket unit (ExecStartPre=, ExecStartPost=, ExecStopPre=, ExecStopPost=): one
// after the other, each with the state's time limit.
#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/strv.h"
#include "core/service/restart.h"
#include "core/service/service_log.h"
#include "core/socket/sock_priv.h"
#include "core/start/kill_queue.h"
#include "core/start/orphans.h"
#include "core/start/spawner.h"
#include "spawn/ids.h"
#include "spawn/kill.h"
#include "spawn/plan.h"

#include <signal.h>

#define FAIL_TEXT_MAX 512

static int start_command(struct sock *s);

struct sock_command *sock_command_get(struct sock *s)
{
        struct sock_command *c = s->command;

        if (c)
                return c;
        c = calloc(1, sizeof(*c));
        if (!c)
                return NULL;
        c->sock = s;
        c->child.pidfd = -1;
        c->conf = unit_conf_ref(s->unit.conf);
        if (manager_random_id(s->unit.manager, &c->invocation_id) < 0)
                c->invocation_id = SD_ID128_NULL;
        return s->command = c;
}

static void drop_lookup(struct sock_command *c)
{
        errand_done(&c->errand);
        spawn_lookup_free(TAKE(c->lookup));
        ids_lookup_free(TAKE(c->ids));
}

void sock_command_unwait(struct sock *s)
{
        if (!s->command)
                return;
        drop_lookup(s->command);
        work_cancel(&s->command->room_work);
}

void sock_command_done(struct sock *s)
{
        struct manager *m = s->unit.manager;
        struct sock_command *c = TAKE(s->command);

        if (!c)
                return;
        timer_stop(m->events, &c->timer);
        drop_lookup(c);
        work_cancel(&c->room_work);
        kill_queue_forget(m->kills, c);
        if (c->child.pid > 0)
                reaper_forget(m->reaper, &c->child);
        orphans_disown(m->orphans, c);
        log_stream_unref(c->log);
        spawn_plan_unref(c->plan);
        unit_conf_unref(c->conf);
        free(c);
}

pid_t sock_control_pid(const struct sock *s)
{
        return s->command ? s->command->child.pid : 0;
}

uint32_t sock_uid_gid(const struct sock *s, bool want_gid)
{
        if (!s->command || !s->command->plan)
                return UINT32_MAX;
        return want_gid ? spawn_plan_gid(s->command->plan) : spawn_plan_uid(s->command->plan);
}

static void on_timeout(struct timer *t, usec_t now UNUSED)
{
        sock_on_command_timeout(CONTAINER_OF(t, struct sock_command, timer)->sock);
}

void sock_command_arm_timeout(struct sock *s)
{
        struct sock_command *c = sock_command_get(s);
        usec_t span = sock_conf(s)->timeout_sec;

        // Without memory there is no limit, and the state ends with what runs in it.
        if (c && span > 0 && span != USEC_INFINITY)
                (void)timer_set(s->unit.manager->events, &c->timer, usec_add(clock_now(), span),
                                on_timeout);
}

// ---- waiting

// Where the state has a time limit of its own, that counts.
static usec_t limit_of(const struct sock *s)
{
        usec_t own = sock_conf(s)->timeout_sec;
        bool is_limited = own > 0 && own != USEC_INFINITY;

        return is_limited ? USEC_INFINITY : errand_limit(s->unit.manager->errands, USEC_INFINITY);
}

static int await(struct sock *s, struct inquiry *inquiry,
                 void (*on_over)(struct errand *e, int error))
{
        int r = errand_await(s->unit.manager->errands, &s->command->errand, inquiry, s->unit.id,
                             limit_of(s), on_over);

        unit_changed(&s->unit);
        return r < 0 ? r : 1;
}

static void on_ids_over(struct errand *e, int error UNUSED)
{
        struct sock_command *c = CONTAINER_OF(e, struct sock_command, errand);

        c->on_ids(c->sock); // sees for itself whether there is an answer
}

int sock_command_await(struct sock *s, struct ids_lookup *ids, void (*on_ids)(struct sock *s))
{
        struct sock_command *c = sock_command_get(s);

        if (!c) {
                ids_lookup_free(ids);
                return -ENOMEM;
        }
        drop_lookup(c);
        c->ids = ids;
        c->on_ids = on_ids;
        return await(s, ids_lookup_inquiry(ids), on_ids_over);
}

const char *sock_command_text(const struct sock *s)
{
        return s->command ? errand_text(&s->command->errand) : NULL;
}

// ---- the end of a command

static enum sock_result result_of(const siginfo_t *info, bool is_ignored)
{
        if (is_ignored || (info->si_code == CLD_EXITED && info->si_status == 0))
                return SOCK_SUCCESS;
        if (info->si_code == CLD_EXITED || info->si_code == 0)
                return SOCK_FAILURE_EXIT_CODE;
        return info->si_code == CLD_DUMPED ? SOCK_FAILURE_CORE_DUMP : SOCK_FAILURE_SIGNAL;
}

static void log_end(const struct sock *s, const struct exec_command *command, const siginfo_t *info,
                    enum sock_result result)
{
        struct fail why = {0};
        char text[FAIL_TEXT_MAX], status[SIGNAL_NAME_MAX];

        if (info->si_code == CLD_EXITED && spawn_report_take(info->si_pid, &why) > 0)
                log_unit(s->unit.id, LOG_ERR, 0, "Cannot run %s: %s", command->path,
                         fail_format(&why, text, sizeof(text)));
        log_unit(s->unit.id, result == SOCK_SUCCESS ? LOG_DEBUG : LOG_NOTICE, 0,
                 "Control process exited, code=%s, status=%d/%s", exit_code_name(info->si_code),
                 info->si_status,
                 exit_status_text(info->si_code, info->si_status, status, sizeof(status)));
}

static void on_exit_of_child(struct child *child, const siginfo_t *info)
{
        struct sock_command *c = CONTAINER_OF(child, struct sock_command, child);
        struct sock *s = c->sock;
        const struct exec_command *command = &c->list->items[c->index];
        enum sock_result result = result_of(info, command->flags & EXEC_IGNORE_FAILURE);

        log_end(s, command, info, result);
        timer_stop(s->unit.manager->events, &c->timer);
        if (c->log)
                log_stream_flush(c->log, info->si_pid);
        if (s->result == SOCK_SUCCESS)
                s->result = result;
        // After a signal of ours nothing more is started.
        bool is_list_state = s->state == SOCK_START_PRE || s->state == SOCK_START_POST ||
                             s->state == SOCK_STOP_PRE || s->state == SOCK_STOP_POST;

        if (result == SOCK_SUCCESS && is_list_state && c->index + 1 < c->list->n) {
                c->index++;
                if (start_command(s) >= 0)
                        return;
                result = SOCK_FAILURE_RESOURCES;
        }
        sock_on_commands_done(s, result);
}

// ---- starting

static const char *name_of_owner(const void *self, char **buffer UNUSED)
{
        const struct sock_command *c = self;

        return c->sock->unit.id;
}

static const struct owner_ops command_owner_ops = {.name = name_of_owner};

static void go_on(struct sock *s)
{
        if (start_command(s) < 0)
                sock_on_commands_done(s, SOCK_FAILURE_RESOURCES);
}

static void on_plan_over(struct errand *e, int error)
{
        struct sock *s = CONTAINER_OF(e, struct sock_command, errand)->sock;

        if (error == 0) {
                go_on(s);
                return;
        }
        log_unit(s->unit.id, LOG_WARNING, -error, "Failed to run '%s'",
                 s->command->list->items[s->command->index].path);
        sock_on_commands_done(s,
                              error == -ETIMEDOUT ? SOCK_FAILURE_TIMEOUT : SOCK_FAILURE_RESOURCES);
}

static int make_plan(struct sock *s, struct sock_command *c, struct fail *why)
{
        CLEANUP(spawn_lookup) struct spawn_lookup *lookup = TAKE(c->lookup);

        if (c->plan && (c->is_plan_fresh || !spawn_plan_is_stale(c->plan)))
                return 0;
        spawn_plan_unref(TAKE(c->plan));
        int r = spawn_plan_new(spawner_settings(s->unit.manager->spawner), c->conf, s->unit.id,
                               &lookup, &c->plan, why);

        c->is_plan_fresh = r == 0;
        if (r != SPAWN_PLAN_NEEDS_LOOKUP)
                return r;
        drop_lookup(c);
        c->lookup = TAKE(lookup);
        return await(s, spawn_lookup_inquiry(c->lookup), on_plan_over);
}

// PassFileDescriptorsToExec=: before the sockets are bound, and after they are closed, there are
// none.
static int collect_fds(struct sock *s, int **fds, char ***names, struct spawn_params *params)
{
        int r = 0;

        if (sock_conf(s)->pass_file_descriptors_to_exec && s->state != SOCK_START_PRE)
                r = sock_collect_fds(s, fds, &params->n_fds, names);
        params->n_sockets = params->n_fds;
        params->fds = *fds;
        return r;
}

static int spawn(struct sock *s, struct sock_command *c, struct fail *why)
{
        struct manager *m = s->unit.manager;
        CLEANUP(free) int *fds = NULL;
        CLEANUP(strv) char **names = NULL;
        CLEANUP(free) char *names_text = NULL;
        struct spawn_params params = SPAWN_PARAMS_INIT;
        struct spawn_child child = {.pidfd = -1, .exec_fd = -1};
        char id[SD_ID128_STRING_MAX];

        params.command = &c->list->items[c->index];
        params.unit_name = s->unit.id;
        params.invocation_id = sd_id128_to_string(c->invocation_id, id);
        if (spawn_plan_wants_log(c->plan)) {
                if (!c->log && log_stream_open(m->service_log, s->unit.id, c->conf, &c->log) < 0)
                        log_unit(s->unit.id, LOG_WARNING, 0, "What its commands print is lost");
                if (c->log)
                        params.log_fd = log_stream_fd(c->log);
        }
        int r = collect_fds(s, &fds, &names, &params);

        if (r == 0 && params.n_fds > 0) {
                params.fd_names = names_text = strv_join(names, ":");
                r = names_text ? 0 : -ENOMEM;
        }
        if (r == 0)
                r = spawner_start(m->spawner, c->plan, &params, &child, why);
        if (r < 0)
                return r;
        r = reaper_watch(m->reaper, &c->child, child.pid, child.pidfd,
                         (struct owner){.self = c, .ops = &command_owner_ops}, on_exit_of_child);
        if (r < 0)
                (void)kill_process(child.pid, -1, SIGKILL);
        return r;
}

static void on_room(struct work *w)
{
        go_on(CONTAINER_OF(w, struct sock_command, room_work)->sock);
}

static int await_room(struct sock *s, int error)
{
        struct spawner *spawner = s->unit.manager->spawner;
        struct sock_command *c = s->command;

        log_unit(s->unit.id, spawner_may_complain(spawner) ? LOG_WARNING : LOG_DEBUG, -error,
                 "Resources are exhausted, '%s' waits", c->list->items[c->index].path);
        spawner_wait(spawner, SPAWNER_STARTS, &c->room_work, on_room, error);
        return 1;
}

static int start_command(struct sock *s)
{
        struct sock_command *c = s->command;
        struct fail why = {0};
        char text[FAIL_TEXT_MAX];
        int r = make_plan(s, c, &why);

        if (r == 0) {
                r = spawn(s, c, &why);
                c->is_plan_fresh = false;
        }
        if (r < 0 && fail_is_exhaustion(r) && !s->unit.manager->options.compat_systemd)
                r = await_room(s, r);
        if (r < 0) {
                log_unit(s->unit.id, LOG_WARNING, why.error ? 0 : -r, "Failed to run '%s'%s%s",
                         c->list->items[c->index].path, why.error ? ": " : "",
                         why.error ? fail_format(&why, text, sizeof(text)) : "");
                return r;
        }
        sock_command_arm_timeout(s);
        return 0;
}

int sock_run_commands(struct sock *s, const struct command_list *list)
{
        if (list->n == 0)
                return 1;
        struct sock_command *c = sock_command_get(s);

        if (!c) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM, "Cannot run its commands");
                return -ENOMEM;
        }
        c->list = list;
        c->index = 0;
        return start_command(s);
}

static void log_failure(const void *owner, pid_t pid, int error)
{
        const struct sock_command *c = owner;

        log_unit(c->sock->unit.id, LOG_WARNING, error, "Failed to kill control process %d",
                 (int)pid);
}

int sock_signal_command(struct sock *s, int signo)
{
        const struct kill_group *k = s->unit.conf->kill;
        struct sock_command *c = s->command;

        if (!c || c->child.pid <= 0 || k->kill_mode == KILL_NONE)
                return 0;
        const struct kill_order order = {.owner = c,
                                         .children = {&c->child},
                                         .signo = signo,
                                         .sends_cont = true,
                                         .on_failure = log_failure};

        if (k->kill_mode == KILL_PROCESS || (k->kill_mode == KILL_MIXED && signo != SIGKILL)) {
                (void)kill_children(&order);
        } else {
                (void)orphans_look(s->unit.manager->orphans, c);
                (void)kill_queue_signal(s->unit.manager->kills, &order);
        }
        return 1;
}
