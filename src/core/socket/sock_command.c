// The commands of a socket unit (ExecStartPre=, ExecStartPost=, ExecStopPre=, ExecStopPost=): they
// run one after the other, each with the state's time limit.
#include "base/clock.h"
#include "base/log.h"
#include "core/service/service_log.h"
#include "core/socket/sock_priv.h"
#include "core/start/kill_queue.h"
#include "core/start/orphans.h"
#include "spawn/plan.h"

#include <signal.h>

static void go_on(struct sock *s);

// Existing or new; NULL: no memory.
static struct sock_command *sock_command_get(struct sock *s)
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

void sock_command_unwait(struct sock *s)
{
        if (!s->command)
                return;
        command_wait_end(&s->command->wait);
        work_cancel(&s->command->room_work);
}

void sock_command_done(struct sock *s)
{
        struct manager *m = s->unit.manager;
        struct sock_command *c = TAKE(s->command);

        if (!c)
                return;
        timer_stop(m->events, &c->timer);
        command_wait_end(&c->wait);
        work_cancel(&c->room_work);
        kill_queue_forget(m->kills, c);
        if (c->child.pid > 0)
                reaper_forget(m->reaper, &c->child);
        orphans_disown(m->orphans, c);
        log_stream_leave(&c->log);
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

        // If the timer cannot be set, there is no limit, and the state lasts as long as its
        // command.
        if (c && span > 0 && span != USEC_INFINITY)
                (void)timer_set(s->unit.manager->events, &c->timer, usec_add(clock_now(), span),
                                on_timeout);
}

// ---- time limits

static usec_t limit_of(const struct sock *s)
{
        usec_t own = sock_conf(s)->timeout_sec;

        return own > 0 ? own : USEC_INFINITY;
}

const char *sock_command_text(const struct sock *s)
{
        return s->command ? errand_text(&s->command->wait.errand) : NULL;
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

static void log_end(const struct sock *s, const siginfo_t *info, enum sock_result result)
{
        char text[FAIL_DETAIL_MAX + 128];
        int error;

        if (command_take_report(info, text, sizeof(text), &error) > 0)
                log_unit(s->unit.id, LOG_ERR, 0, "%s", text);
        log_unit(s->unit.id, result == SOCK_SUCCESS ? LOG_DEBUG : LOG_NOTICE, 0, "%s",
                 command_format_end("Control process", info->si_code, info->si_status, text,
                                    sizeof(text)));
}

static void on_exit_of_child(struct child *child, const siginfo_t *info)
{
        struct sock_command *c = CONTAINER_OF(child, struct sock_command, child);
        struct sock *s = c->sock;
        const struct exec_command *command = &c->list->items[c->index];
        enum sock_result result = result_of(info, command->flags & EXEC_IGNORE_FAILURE);

        log_end(s, info, result);
        timer_stop(s->unit.manager->events, &c->timer);
        log_stream_flush(c->log, info->si_pid);
        sock_set_result(s, result);
        // After a signal from us no further command is started.
        bool is_list_state = s->state == SOCK_START_PRE || s->state == SOCK_START_POST ||
                             s->state == SOCK_STOP_PRE || s->state == SOCK_STOP_POST;

        if (result == SOCK_SUCCESS && is_list_state && c->index + 1 < c->list->n) {
                c->index++;
                go_on(s);
                return;
        }
        sock_on_commands_done(s, result);
}

// ---- starting

// PassFileDescriptorsToExec=: there are no sockets before they are bound and after they are closed.
static int fill(const struct command_order *o, struct command *c)
{
        struct sock *s = ((struct sock_command *)o->self)->sock;
        struct spawn_params *p = &c->params;
        int r = 0;

        p->unit_name = s->unit.id;
        if (sock_conf(s)->pass_file_descriptors_to_exec && s->state != SOCK_START_PRE)
                r = sock_collect_fds(s, &c->fds, &p->n_fds, &c->fd_names);
        p->n_sockets = p->n_fds;
        p->fds = c->fds;
        return r;
}

static int open_log(const struct command_order *o)
{
        struct sock_command *c = o->self;
        const struct unit *u = &c->sock->unit;
        const struct log_output output = {.unit = u->id,
                                          .conf = c->conf,
                                          .command = o->command,
                                          .invocation = c->invocation_id};

        return log_stream_open(u->manager->service_log, &output, &c->log);
}

static const struct command_ops sock_command_ops = {.open_log = open_log, .fill = fill};

static const char *name_of_owner(const void *self, char **buffer UNUSED)
{
        const struct sock_command *c = self;

        return c->sock->unit.id;
}

static const struct owner_ops command_owner_ops = {.name = name_of_owner};

static void on_known(struct command_wait *w)
{
        struct sock *s = CONTAINER_OF(w, struct sock_command, wait)->sock;

        if (w->error == -ETIMEDOUT)
                sock_set_result(s, SOCK_FAILURE_TIMEOUT);
        go_on(s);
}

static void on_room(struct work *w)
{
        go_on(CONTAINER_OF(w, struct sock_command, room_work)->sock);
}

static int start_command(struct sock *s)
{
        struct sock_command *c = s->command;
        const struct command_order order = {
                .runner = &s->unit.manager->runner,
                .ops = &sock_command_ops,
                .self = c,
                .owner = {.self = c, .ops = &command_owner_ops},
                .id = s->unit.id,
                .task = sock_state_name(s->state),
                .limit = limit_of(s),
                .command = &c->list->items[c->index],
                .conf = c->conf,
                .plan = &c->plan,
                .invocation_id = c->invocation_id,
                .wait = &c->wait,
                .child = &c->child,
                .on_exit = on_exit_of_child,
                .on_known = on_known,
                .room = &c->room_work,
                .on_room = on_room,
        };
        int r = command_run(&order, NULL);

        if (!errand_is_out(&c->wait.errand))
                command_wait_end(&c->wait);
        if (r < 0)
                return r;
        if (r > 0)
                unit_changed(&s->unit);
        sock_command_arm_timeout(s);
        return 0;
}

static void go_on(struct sock *s)
{
        if (start_command(s) < 0)
                sock_on_commands_done(s, SOCK_FAILURE_RESOURCES);
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
