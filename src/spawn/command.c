// Commands of a plan: the program, and its arguments, complete except for what differs from start
// to start.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/expand.h"
#include "spawn/slot.h"

static void command_free(struct plan_command *command)
{
        free(command->executable);
        strv_free(command->argv);
        free(command);
}

DEFINE_CLEANUP(plan_command, struct plan_command *, command_free)

static int compile(struct spawn_plan *plan, const struct exec_command *source,
                   struct plan_command *command)
{
        const char *text;
        int r = 0;

        // Only the strings of a template hold marks; nothing else fills them.
        bool may_mark = plan->is_template;

        command->source = source;
        command->has_marks = may_mark && specifier_has_marks(command->executable);
        STRV_FOREACH (word, source->argv) {
                r = plan_text(plan, *word, &text);
                if (r == 0)
                        r = strv_push(&command->argv, text);
                if (r < 0)
                        return r;
                command->has_marks |= may_mark && specifier_has_marks(text);
        }
        if (!command->argv)
                return -EINVAL;
        command->has_variables =
                !(source->flags & EXEC_NO_ENV_EXPAND) && expand_is_needed(command->argv);
        return 0;
}

int plan_add_command(struct spawn_plan *plan, const struct exec_command *source,
                     const char *executable, bool is_missing)
{
        CLEANUP(plan_command) struct plan_command *command = calloc(1, sizeof(*command));
        int r = command ? str_set(&command->executable, executable) : -ENOMEM;

        if (r == 0)
                r = compile(plan, source, command);
        if (r < 0)
                return r;
        command->is_missing = is_missing;
        command->next = plan->commands;
        plan->commands = TAKE(command);
        return 0;
}

// The programs that had to be searched for are there already.
int plan_get_command(struct spawn_plan *plan, const struct exec_command *source,
                     const struct plan_command **ret)
{
        const char *text;

        for (struct plan_command *c = plan->commands; c; c = c->next)
                if (c->source == source) {
                        *ret = c;
                        return 0;
                }
        int r = plan_text(plan, source->path, &text);

        if (r == 0)
                r = plan_add_command(plan, source, text, false);
        if (r == 0)
                *ret = plan->commands;
        return r;
}

void plan_commands_done(struct spawn_plan *plan)
{
        while (plan->commands) {
                struct plan_command *command = plan->commands;

                plan->commands = command->next;
                command_free(command);
        }
}

// ---- fill --------------------------------------------------------------------------------------

static char *fill_text(struct arena *arena, const char *text, const char *unit_name)
{
        CLEANUP(free) char *filled = NULL;
        char *copy;
        size_t size;

        if (!specifier_has_marks(text))
                return (char *)text;
        filled = specifier_fill(text, unit_name);
        if (!filled)
                return NULL;
        size = strlen(filled) + 1;
        copy = arena_allocate(arena, size);
        if (copy)
                memcpy(copy, filled, size);
        return copy;
}

static int fill_marks(struct launch *l, const char *unit_name)
{
        size_t n = strv_length(l->command->argv);
        char **argv = arena_allocate(l->arena, (n + 1) * sizeof(char *));

        if (!argv)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                argv[i] = fill_text(l->arena, l->command->argv[i], unit_name);
                if (!argv[i])
                        return -ENOMEM;
        }
        argv[n] = NULL;
        l->argv = argv;
        l->executable = fill_text(l->arena, l->command->executable, unit_name);
        return l->executable ? 0 : -ENOMEM;
}

int launch_fill_command(struct launch *l, const struct spawn_params *params)
{
        int r = 0;

        l->argv = l->command->argv;
        l->executable = l->command->executable;
        if (l->command->has_marks)
                r = fill_marks(l, params->unit_name);
        if (r == 0 && l->command->has_variables) {
                char **argv;

                r = expand_argv(l->argv, l->envp, arena_allocate, l->arena, &argv, NULL);
                if (r == 0 && argv[0])
                        l->argv = argv;
        }
        return r;
}
