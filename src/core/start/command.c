#include "core/start/command.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/nowait.h"
#include "base/parse.h"
#include "base/strv.h"
#include "core/loop/reap.h"
#include "core/start/spawner.h"
#include "spawn/exit_status.h"
#include "spawn/kill.h"
#include "spawn/plan.h"

#include <stdarg.h>
#include <stdio.h>

#define WHY_MAX (FAIL_DETAIL_MAX + 256)

static void say(const struct command_order *o, int level, int error, const char *fmt, ...)
        PRINTF(4, 5);
static void say(const struct command_order *o, int level, int error, const char *fmt, ...)
{
        char text[WHY_MAX + 128];
        va_list ap;

        if (level > log_get_level())
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        if (o->ops->log)
                o->ops->log(o->self, level, error, text);
        else
                log_unit(o->id, level, error, "%s", text);
}

// ---- waiting

static struct command_wait *get_wait(const struct command_order *o, bool is_needed)
{
        return o->wait ? o->wait : o->ops->wait(o->self, is_needed);
}

void command_wait_end(struct command_wait *w)
{
        errand_done(&w->errand);
        spawn_lookup_free(TAKE(w->lookup));
        w->error = 0;
        w->is_plan_fresh = false;
}

static void on_over(struct errand *e, int error)
{
        struct command_wait *w = CONTAINER_OF(e, struct command_wait, errand);

        w->error = error;
        w->on_known(w);
}

static int begin_wait(const struct runner *runner, struct command_wait *w, struct inquiry *inquiry,
                      const char *id, usec_t limit, void (*on_known)(struct command_wait *w))
{
        if (limit == USEC_INFINITY)
                limit = errand_limit(runner->errands, USEC_INFINITY);
        else
                limit = USEC_INFINITY;
        w->on_known = on_known;
        int r = errand_await(runner->errands, &w->errand, inquiry, id, limit, on_over);

        return r < 0 ? r : 1;
}

int command_await(const struct command_order *o, struct inquiry *inquiry)
{
        struct command_wait *w = get_wait(o, true);

        return w ? begin_wait(o->runner, w, inquiry, o->id, o->limit, o->on_known) : -ENOMEM;
}

// ---- the plan

bool command_plan_is_fresh(const struct command_order *o)
{
        const struct command_wait *w = get_wait(o, false);

        return *o->plan && ((w && w->is_plan_fresh && spawn_plan_has_environment(*o->plan)) ||
                            !spawn_plan_is_stale(*o->plan));
}

int command_prepare_plan(const struct command_order *o, const char *name, struct fail *why)
{
        struct command_wait *w = get_wait(o, false);
        CLEANUP(spawn_lookup) struct spawn_lookup *lookup = w ? TAKE(w->lookup) : NULL;
        struct spawn_plan *plan = NULL;

        if (w && w->error < 0)
                return w->error;
        if (command_plan_is_fresh(o))
                return 0;
        int r = spawn_plan_new(spawner_settings(o->runner->spawner), o->conf, name, &lookup, &plan,
                               why);

        if (r == SPAWN_PLAN_NEEDS_LOOKUP) {
                w = get_wait(o, true);
                if (!w)
                        return -ENOMEM;
                w->lookup = TAKE(lookup);
                return command_await(o, spawn_lookup_inquiry(w->lookup));
        }
        if (r < 0)
                return r;
        spawn_plan_unref(*o->plan);
        *o->plan = plan;
        if (w)
                w->is_plan_fresh = true;
        return 0;
}

// ---- its variables and descriptors

void command_add_text(struct command *c, char *variable)
{
        if (c->n_environment < SPAWN_ENVIRONMENT_MAX)
                c->environment[c->n_environment++] = variable;
}

void command_add_variable(struct command *c, const char *fmt, ...)
{
        size_t left = sizeof(c->text) - c->used;
        va_list ap;

        va_start(ap, fmt);
        int n = vsnprintf(c->text + c->used, left, fmt, ap);
        va_end(ap);
        if (n < 0 || (size_t)n >= left)
                return; // no variable is long enough for this
        command_add_text(c, c->text + c->used);
        c->used += (size_t)n + 1;
}

// Not an initialiser: the text need not be cleared for each connection.
static void init(struct command *c, const struct command_order *o)
{
        c->params = SPAWN_PARAMS_INIT;
        c->params.command = o->command;
        c->params.invocation_id = sd_id128_to_string(o->invocation_id, c->invocation_id);
        c->params.environment = c->environment;
        c->n_environment = c->used = 0;
        c->fds = NULL;
        c->fd_names = c->variables = NULL;
        c->n_opened = 0;
        c->fd_names_text = c->unit_name = NULL;
}

static void done(struct command *c)
{
        for (size_t i = 0; i < c->n_opened; i++)
                (void)nowait_close_file(c->fds[c->params.n_fds - 1 - i]);
        fd_close(c->params.log_fd);
        free(c->fds);
        strv_free(c->fd_names);
        strv_free(c->variables);
        free(c->fd_names_text);
        free(c->unit_name);
}

static int fill(const struct command_order *o, struct command *c)
{
        int r;

        if (spawn_plan_wants_log(*o->plan)) {
                r = o->ops->open_log(o);
                if (r < 0 && fail_is_exhaustion(r) && o->runner->waits_for_room)
                        return r;
                if (r < 0)
                        say(o, LOG_WARNING, -r, "What it prints is lost");
                else
                        c->params.log_fd = r;
        }
        r = o->ops->fill(o, c);
        if (r < 0)
                return r;
        c->environment[c->n_environment] = NULL;
        if (c->params.n_fds > 0 && !c->params.fd_names) {
                c->params.fd_names = c->fd_names_text = strv_join(c->fd_names, ":");
                if (!c->fd_names_text)
                        return -ENOMEM;
        }
        return 0;
}

// ---- the process

static int watch(const struct command_order *o, const struct spawn_child *child)
{
        if (o->ops->on_process)
                o->ops->on_process(o->self);
        int r = reaper_watch(o->runner->reaper, o->child, child->pid, child->pidfd, o->owner,
                             o->on_exit);

        if (r >= 0)
                return 0;
        (void)kill_process(child->pid, -1, SIGKILL);
        fd_close(child->exec_fd);
        return r;
}

static int start(const struct command_order *o, int *ret_exec_fd, struct fail *why)
{
        struct spawn_child child = {.pidfd = -1, .exec_fd = -1};
        struct command c;

        init(&c, o);
        int r = fill(o, &c);

        c.params.want_exec_result = ret_exec_fd != NULL;
        if (r == 0)
                r = spawner_start(o->runner->spawner, *o->plan, &c.params, &child, why);
        done(&c);
        if (r == 0)
                r = watch(o, &child);
        if (r == 0 && ret_exec_fd)
                *ret_exec_fd = child.exec_fd;
        return r;
}

static int await_room(const struct command_order *o, int error)
{
        struct spawner *spawner = o->runner->spawner;
        bool is_told =
                !o->is_quiet && !list_is_linked(&o->room->node) && spawner_may_complain(spawner);

        say(o, is_told ? LOG_WARNING : LOG_DEBUG, -error,
            "Resources are exhausted, its '%s' task waits", o->task);
        spawner_wait(spawner, SPAWNER_STARTS, o->room, o->on_room, error);
        return 1;
}

int command_run(const struct command_order *o, int *ret_exec_fd)
{
        struct fail why = {0};
        char text[WHY_MAX];
        int r = o->ops->prepare ? o->ops->prepare(o, &why) : command_prepare_plan(o, o->id, &why);

        if (r > 0)
                return r;
        if (r == 0)
                r = start(o, ret_exec_fd, &why);
        if (r < 0 && fail_is_exhaustion(r) && o->runner->waits_for_room)
                return await_room(o, r);
        if (r < 0)
                say(o, LOG_WARNING, why.error ? 0 : -r, "Failed to run '%s' task%s%s", o->task,
                    why.error ? ": " : "", why.error ? fail_format(&why, text, sizeof(text)) : "");
        return r;
}

// ---- its end, as text

int command_take_report(const siginfo_t *info, char *text, size_t size, int *ret_error)
{
        struct fail why = {0};
        char step[SIGNAL_NAME_MAX], detail[WHY_MAX];

        if (info->si_code != CLD_EXITED || info->si_status == 0 ||
            spawn_report_take(info->si_pid, &why) <= 0)
                return 0;
        snprintf(text, size, "Failed at step %s: %s",
                 exit_status_text(CLD_EXITED, info->si_status, step, sizeof(step)),
                 fail_format(&why, detail, sizeof(detail)));
        *ret_error = why.error;
        return 1;
}

const char *command_format_end(const char *what, int code, int status, char *text, size_t size)
{
        char name[SIGNAL_NAME_MAX];

        snprintf(text, size, "%s exited, code=%s, status=%d/%s", what, exit_code_name(code), status,
                 exit_status_text(code, status, name, sizeof(name)));
        return text;
}
