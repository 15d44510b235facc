// The environment of processes (systemd.exec(5)): prepared once in the plan; a start copies the
// pointers and adds its own variables.
#include "base/buf.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/slot.h"

#include <stdio.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define FD_NAME_UNKNOWN "unknown"

// ---- base --------------------------------------------------------------------------------------

static bool has_any_prefix(const char *entry, const char *const *prefixes, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (str_after_prefix(entry, prefixes[i]))
                        return true;
        return false;
}

bool spawn_environment_is_for_one(const char *assignment)
{
        static const char *const names[] = {
                "CACHE_DIRECTORY",
                "CONFIGURATION_DIRECTORY",
                "CREDENTIALS_DIRECTORY",
                "EXIT_CODE",
                "EXIT_STATUS",
                "FDSTORE",
                "INVOCATION_ID",
                "JOURNAL_STREAM",
                "LISTEN_FDNAMES",
                "LISTEN_FDS",
                "LISTEN_PID",
                "LISTEN_PIDFDID",
                "LOGS_DIRECTORY",
                "LOG_NAMESPACE",
                "MAINPID",
                "MANAGERPID",
                "MANAGERPIDFDID",
                "MEMORY_PRESSURE_WATCH",
                "MEMORY_PRESSURE_WRITE",
                "MONITOR_EXIT_CODE",
                "MONITOR_EXIT_STATUS",
                "MONITOR_INVOCATION_ID",
                "MONITOR_SERVICE_RESULT",
                "MONITOR_UNIT",
                "NOTIFY_SOCKET",
                "PIDFILE",
                "REMOTE_ADDR",
                "REMOTE_PORT",
                "RUNTIME_DIRECTORY",
                "SERVICE_RESULT",
                "STATE_DIRECTORY",
                "SYSTEMD_EXEC_PID",
                "TRIGGER_PATH",
                "TRIGGER_TIMER_MONOTONIC_USEC",
                "TRIGGER_TIMER_REALTIME_USEC",
                "TRIGGER_UNIT",
                "WATCHDOG_PID",
                "WATCHDOG_USEC",
        };
        size_t length = strcspn(assignment, "=");

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (strncmp(names[i], assignment, length) == 0 && names[i][length] == '\0')
                        return true;
        return false;
}

int spawn_environment_base(bool passes_all, char *const *env, char ***ret)
{
        static const char *const locale[] = {"LANG=", "LANGUAGE=", "LC_"};
        CLEANUP(strv) char **result = NULL;
        int r = 0;

        if (!passes_all || !strv_env_get(env, "PATH"))
                r = strv_env_set(&result, DEFAULT_PATH);
        STRV_FOREACH (entry, env) {
                bool is_kept = passes_all ? !spawn_environment_is_for_one(*entry)
                                          : has_any_prefix(*entry, locale, ARRAY_SIZE(locale));

                if (r == 0 && is_kept && strchr(*entry, '='))
                        r = strv_env_set(&result, *entry);
        }
        if (r < 0)
                return r;
        *ret = TAKE(result);
        return 0;
}

// ---- compile -----------------------------------------------------------------------------------

// The environment while it is compiled: two layers, of which the second wins over what a start
// sets.
struct layers {
        char **below, **above;
};

static int set_directories(struct spawn_plan *plan, char ***env)
{
        static const char *const names[_SPAWN_DIRECTORY_MAX] = {
                [SPAWN_DIRECTORY_RUNTIME] = "RUNTIME_DIRECTORY",
                [SPAWN_DIRECTORY_STATE] = "STATE_DIRECTORY",
                [SPAWN_DIRECTORY_CACHE] = "CACHE_DIRECTORY",
                [SPAWN_DIRECTORY_LOGS] = "LOGS_DIRECTORY",
                [SPAWN_DIRECTORY_CONFIGURATION] = "CONFIGURATION_DIRECTORY",
        };

        for (size_t kind = 0; kind < _SPAWN_DIRECTORY_MAX; kind++) {
                CLEANUP(buf) struct buf b = BUF_NULL;
                size_t n = 0;
                int r = 0;

                for (size_t i = 0; i < plan->n_directories; i++) {
                        if (plan->directories[i].kind != kind)
                                continue;
                        buf_printf(&b, "%s%s%s", n == 0 ? names[kind] : "", n == 0 ? "=" : ":",
                                   plan->directories[i].path);
                        n++;
                }
                if (n > 0)
                        r = b.error ? b.error : strv_env_set(env, buf_text(&b));
                if (r < 0)
                        return r;
        }
        return 0;
}

static int set_variable(char ***env, const char *name, const char *value)
{
        CLEANUP(free) char *assignment = NULL;

        if (!value)
                return 0;
        assignment = str_printf("%s=%s", name, value);
        return assignment ? strv_env_set(env, assignment) : -ENOMEM;
}

// Variables that the supervisor sets for every start of the plan.
static int set_manager_variables(struct spawn_plan *plan, char ***env)
{
        const struct exec_group *exec = plan->conf->exec;
        int r = strv_extend(env, plan->settings->environment->block);

        if (r == 0 && exec->exec_search_path) {
                CLEANUP(free) char *path = strv_join(exec->exec_search_path, ":");

                r = path ? set_variable(env, "PATH", path) : -ENOMEM;
        }
        if (r == 0 && plan->settings->is_user) {
                char pid[16];

                (void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
                r = set_variable(env, "MANAGERPID", pid);
        }
        if (r == 0 && plan->conf->service)
                r = set_variable(env, "PIDFILE", plan->conf->service->pid_file);
        return r < 0 ? r : set_directories(plan, env);
}

static int set_user_variables(struct spawn_plan *plan, char ***env)
{
        const struct exec_group *exec = plan->conf->exec;
        bool is_login = exec->set_login_environment < 0 ? exec->user != NULL
                                                        : exec->set_login_environment > 0;
        int r = 0;

        if (is_login)
                r = set_variable(env, "USER", plan->user_name);
        if (r == 0 && is_login)
                r = set_variable(env, "LOGNAME", plan->user_name);
        if (r == 0 && is_login)
                r = set_variable(env, "HOME", plan->home);
        if (r == 0 && is_login)
                r = set_variable(env, "SHELL", plan->shell);
        return r;
}

// Only strings of the unit have marks; in other strings these bytes mean nothing.
static int set_foreign(struct spawn_plan *plan, char ***env, const char *assignment)
{
        CLEANUP(free) char *text = NULL;

        if (!plan->is_template || !specifier_has_marks(assignment))
                return strv_env_set(env, assignment);
        text = specifier_protect(assignment);
        return text ? strv_env_set(env, text) : -ENOMEM;
}

static int set_passed(struct spawn_plan *plan, char ***env, const char *name)
{
        CLEANUP(strv) char **entries = NULL;
        int r = set_variable(&entries, name, strv_env_get(plan->settings->environment->own, name));

        return r < 0 || !entries ? r : set_foreign(plan, env, entries[0]);
}

static int set_files(struct spawn_plan *plan, const struct plan_question *q, struct inquiry *answer,
                     char ***env, struct fail *why)
{
        CLEANUP(strv) char **entries = NULL;
        int r = 0;

        for (size_t i = 0; i < plan->conf->exec->environment_file.n && r == 0; i++)
                r = plan_take_environment(plan, q, i, answer, &entries, why);
        STRV_FOREACH (entry, entries)
                if (r == 0)
                        r = set_foreign(plan, env, *entry);
        return r;
}

static int set_layers(struct spawn_plan *plan, const struct plan_question *q,
                      struct inquiry *answer, struct layers *layers, struct fail *why)
{
        const struct exec_group *exec = plan->conf->exec;
        const char *text;
        int r = set_manager_variables(plan, &layers->below);

        if (r == 0)
                r = set_user_variables(plan, &layers->above);
        STRV_FOREACH (name, exec->pass_environment)
                if (r == 0 && (r = plan_text(plan, *name, &text)) == 0)
                        r = set_passed(plan, &layers->above, text);
        STRV_FOREACH (entry, exec->environment) {
                if (r == 0)
                        r = plan_text(plan, *entry, &text);
                if (r == 0)
                        r = strv_env_set(&layers->above, text);
        }
        if (r == 0)
                r = set_files(plan, q, answer, &layers->above, why);
        STRV_FOREACH (entry, exec->unset_environment) {
                if (r == 0)
                        r = plan_text(plan, *entry, &text);
                if (r < 0)
                        break;
                strv_env_unset(layers->below, text);
                strv_env_unset(layers->above, text);
                r = strv_push(&plan->env.unset, text);
        }
        return r;
}

static size_t name_length(const char *entry)
{
        return strcspn(entry, "=");
}

// The index of an entry with the same name as the assignment, or n.
static size_t find_name(char *const *entries, size_t n, const char *assignment)
{
        size_t length = name_length(assignment) + 1;

        for (size_t i = 0; i < n; i++)
                if (entries[i][0] == assignment[0] && strncmp(entries[i], assignment, length) == 0)
                        return i;
        return n;
}

int plan_compile_environment(struct spawn_plan *plan, const struct plan_question *q,
                             struct inquiry *answer, struct fail *why)
{
        CLEANUP(strv) char **below = NULL;
        CLEANUP(strv) char **above = NULL;
        struct plan_env *env = &plan->env;
        struct layers layers = {0};
        size_t most;
        int r = set_layers(plan, q, answer, &layers, why);

        below = layers.below;
        above = layers.above;
        if (r < 0)
                return r;
        most = strv_length(below) + strv_length(above);
        env->entries = calloc(most + 1, sizeof(char *));
        env->flags = calloc(most + 1, 1);
        if (!env->entries || !env->flags)
                return -ENOMEM;
        STRV_FOREACH (entry, below)
                if (find_name(above, strv_length(above), *entry) == strv_length(above))
                        env->entries[env->n++] = *entry;
                else
                        free(*entry);
        free(TAKE(below)); // its strings have been moved
        env->has_wins = above || env->unset;
        STRV_FOREACH (entry, above) {
                bool marks = plan->is_template && specifier_has_marks(*entry);

                env->flags[env->n] = PLAN_ENV_WINS | (marks ? PLAN_ENV_MARKS : 0);
                env->has_marks |= marks;
                env->entries[env->n++] = *entry;
        }
        free(TAKE(above));
        return 0;
}

void plan_env_done(struct plan_env *env)
{
        strv_free(env->entries);
        free(env->flags);
        strv_free(env->unset);
        *env = (struct plan_env){0};
}

// ---- fill --------------------------------------------------------------------------------------

struct filling {
        struct launch *l;
        const struct plan_env *env;
        char **entries;
        size_t n;
};

static bool is_unset(const struct plan_env *env, const char *assignment)
{
        size_t length = name_length(assignment);

        STRV_FOREACH (u, env->unset)
                if (streq(*u, assignment) ||
                    (strncmp(*u, assignment, length) == 0 && (*u)[length] == '\0'))
                        return true;
        return false;
}

// Sets a variable of this start, unless the unit's own settings win. True: it is in.
static bool put(struct filling *f, char *assignment)
{
        size_t i;

        if (f->env->unset && is_unset(f->env, assignment))
                return false;
        i = find_name(f->entries, f->n, assignment);
        if (i < f->env->n && (f->env->flags[i] & PLAN_ENV_WINS))
                return false;
        f->entries[i] = assignment;
        if (i == f->n)
                f->n++;
        return true;
}

static char *join(struct launch *l, const char *name, const char *value)
{
        size_t name_n = strlen(name), value_n = strlen(value);
        char *text = arena_allocate(l->arena, name_n + value_n + 2);

        if (text) {
                memcpy(text, name, name_n);
                text[name_n] = '=';
                memcpy(text + name_n + 1, value, value_n + 1);
        }
        return text;
}

static int put_value(struct filling *f, const char *name, const char *value)
{
        char *text = join(f->l, name, value);

        if (!text)
                return -ENOMEM;
        put(f, text);
        return 0;
}

// A variable whose value is the pid, which only the child knows.
static int put_pid(struct filling *f, const char *name)
{
        char *text = join(f->l, name, "0000000000");

        if (!text)
                return -ENOMEM;
        if (put(f, text))
                f->l->pid_slots[f->l->n_pid_slots++] = text + strlen(name) + 1;
        return 0;
}

static int put_listen(struct filling *f, const struct spawn_params *params)
{
        struct launch *l = f->l;
        char *names = NULL, number[24];
        int r;

        if (l->n_fds == 0)
                return 0;
        (void)snprintf(number, sizeof(number), "%zu", l->n_fds);
        r = put_value(f, "LISTEN_FDS", number);
        if (r == 0)
                r = put_pid(f, "LISTEN_PID");
        if (r < 0)
                return r;
        if (params->fd_names)
                return put_value(f, "LISTEN_FDNAMES", params->fd_names);
        names = arena_allocate(l->arena, l->n_fds * sizeof(FD_NAME_UNKNOWN));
        if (!names)
                return -ENOMEM;
        for (size_t i = 0; i < l->n_fds; i++) {
                memcpy(names + i * sizeof(FD_NAME_UNKNOWN), FD_NAME_UNKNOWN,
                       sizeof(FD_NAME_UNKNOWN));
                if (i + 1 < l->n_fds)
                        names[(i + 1) * sizeof(FD_NAME_UNKNOWN) - 1] = ':';
        }
        return put_value(f, "LISTEN_FDNAMES", names);
}

static int fill_marks(struct filling *f, const struct spawn_params *params)
{
        for (size_t i = 0; i < f->env->n; i++) {
                CLEANUP(free) char *filled = NULL;
                char *text;
                size_t size;

                if (!(f->env->flags[i] & PLAN_ENV_MARKS))
                        continue;
                filled = specifier_fill(f->entries[i], params->unit_name);
                if (!filled)
                        return -ENOMEM;
                size = strlen(filled) + 1;
                text = arena_allocate(f->l->arena, size);
                if (!text)
                        return -ENOMEM;
                memcpy(text, filled, size);
                f->entries[i] = text;
        }
        return 0;
}

int launch_fill_environment(struct launch *l, const struct spawn_params *params)
{
        const struct plan_env *env = &l->plan->env;
        size_t n_given = strv_length(params->environment);
        struct filling f = {.l = l, .env = env, .n = env->n};
        bool has_watchdog = false;
        int r = 0;

        if (n_given > SPAWN_ENVIRONMENT_MAX)
                return -E2BIG;
        f.entries = arena_allocate(l->arena, (env->n + n_given + 8) * sizeof(char *));
        if (!f.entries)
                return -ENOMEM;
        memcpy(f.entries, env->entries, env->n * sizeof(char *));
        if (env->has_marks)
                r = fill_marks(&f, params);
        for (size_t i = 0; i < n_given && r == 0; i++) {
                size_t size = strlen(params->environment[i]) + 1;
                char *text = arena_allocate(l->arena, size);

                if (!text)
                        return -ENOMEM;
                memcpy(text, params->environment[i], size);
                has_watchdog |= str_after_prefix(text, "WATCHDOG_USEC=") != NULL;
                put(&f, text);
        }
        if (r == 0 && params->invocation_id)
                r = put_value(&f, "INVOCATION_ID", params->invocation_id);
        if (r == 0)
                r = put_listen(&f, params);
        if (r == 0)
                r = put_pid(&f, "SYSTEMD_EXEC_PID");
        if (r == 0 && has_watchdog)
                r = put_pid(&f, "WATCHDOG_PID");
        f.entries[f.n] = NULL;
        l->envp = f.entries;
        return r;
}
