#include "spawn/plan.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "spawn/step.h"

#include <sys/stat.h>

// ---- files that went in ------------------------------------------------------------------------

static void look(struct plan_file *file)
{
        struct stat st;

        file->is_missing = stat(file->path, &st) < 0;
        if (file->is_missing)
                return;
        file->dev = st.st_dev;
        file->ino = st.st_ino;
        file->size = (uint64_t)st.st_size;
        file->mtime_sec = st.st_mtim.tv_sec;
        file->mtime_nsec = st.st_mtim.tv_nsec;
}

static bool has_changed(const struct plan_file *file)
{
        struct plan_file now = {.path = file->path};

        look(&now);
        if (now.is_missing || file->is_missing)
                return now.is_missing != file->is_missing;
        return now.dev != file->dev || now.ino != file->ino || now.size != file->size ||
               now.mtime_sec != file->mtime_sec || now.mtime_nsec != file->mtime_nsec;
}

int plan_watch(struct spawn_plan *plan, const char *path)
{
        struct plan_file *more;

        for (size_t i = 0; i < plan->n_files; i++)
                if (streq(plan->files[i].path, path))
                        return 0;
        if (plan->n_files >= PLAN_FILES_MAX)
                return -E2BIG;
        more = realloc(plan->files, (plan->n_files + 1) * sizeof(*more));
        if (!more)
                return -ENOMEM;
        plan->files = more;
        more[plan->n_files] = (struct plan_file){.path = strdup(path)};
        if (!more[plan->n_files].path)
                return -ENOMEM;
        look(&more[plan->n_files++]);
        return 0;
}

bool spawn_plan_is_stale(const struct spawn_plan *plan)
{
        if (plan->is_always_stale)
                return true;
        for (size_t i = 0; i < plan->n_files; i++)
                if (has_changed(&plan->files[i]))
                        return true;
        return false;
}

// ---- building ----------------------------------------------------------------------------------

int plan_text(struct spawn_plan *plan, const char *text, const char **ret)
{
        char *filled;
        int r;

        if (!text || plan->is_template || !specifier_has_marks(text)) {
                *ret = text;
                return 0;
        }
        filled = specifier_fill(text, plan->unit_name);
        if (!filled)
                return -ENOMEM;
        r = strv_push_take(&plan->texts, filled);
        if (r == 0)
                *ret = filled;
        return r;
}

int plan_add_step(struct spawn_plan *plan, const char *op, int (*run)(struct launch *l),
                  int exit_status, unsigned flags)
{
        if (plan->n_steps >= STEPS_MAX)
                return -E2BIG;
        plan->steps[plan->n_steps++] = (struct step){op, run, (uint8_t)exit_status, (uint8_t)flags};
        plan->needs |= flags;
        return 0;
}

// A user or group that cannot be had: every process of the plan ends with the status.
static void set_broken(struct spawn_plan *plan, int status, int error, const char *name)
{
        if (plan->broken_status == 0) {
                plan->broken_status = status;
                plan->broken_error = error < 0 ? -error : error;
                plan->broken_name = name;
        }
        plan->is_always_stale = true; // failed look-ups are not kept
}

// Expected outcomes of a look-up become a step that fails; true: go on with the next.
static bool is_settled(struct spawn_plan *plan, int r, int status, const char *name)
{
        if (r != -ESRCH && r != -ETIMEDOUT)
                return r == 0;
        set_broken(plan, status, r, name);
        return true;
}

// Names of Group= and SupplementaryGroups=, for a look-up. 0 or -ENOMEM.
static int collect_groups(struct spawn_plan *plan, char ***ret)
{
        const struct exec_group *exec = plan->conf->exec;
        const char *text;
        int r = 0;

        if (exec->group) {
                r = plan_text(plan, exec->group, &text);
                if (r == 0)
                        r = strv_push(ret, text);
        }
        STRV_FOREACH (name, exec->supplementary_groups) {
                if (r == 0)
                        r = plan_text(plan, *name, &text);
                if (r == 0)
                        r = strv_push(ret, text);
        }
        return r;
}

// What stands for "may not log in" is told to no service.
static bool is_no_shell(const char *shell)
{
        static const char *const names[] = {"nologin", "false", "true"};
        const char *name = fs_path_basename(shell);

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(name, names[i]))
                        return true;
        return false;
}

static int resolve_user(struct spawn_plan *plan, struct ids_lookup *lookup)
{
        CLEANUP(ids_user) struct ids_user user = {0};
        const char *name;
        int r;

        if (!plan->conf->exec->user)
                return 0;
        r = plan_text(plan, plan->conf->exec->user, &name);
        if (r == 0)
                r = ids_get_user(name, lookup, &user);
        if (r == 0) {
                plan->sets_uid = true;
                plan->uid = user.uid;
                plan->sets_gid = true;
                plan->gid = user.gid;
                plan->user_name = TAKE(user.name);
                if (user.home && !streq(user.home, "/"))
                        plan->home = TAKE(user.home);
                if (user.shell && !is_no_shell(user.shell))
                        plan->shell = TAKE(user.shell);
        }
        return is_settled(plan, r, EXIT_USER, name) ? 0 : r;
}

static int add_group(struct spawn_plan *plan, gid_t gid)
{
        gid_t *more = realloc(plan->groups, (plan->n_groups + 1) * sizeof(gid_t));

        if (!more)
                return -ENOMEM;
        plan->groups = more;
        more[plan->n_groups++] = gid;
        return 0;
}

// Group=, then the list: initgroups() for a user, and SupplementaryGroups= on top.
static int resolve_groups(struct spawn_plan *plan, char *const *names, struct ids_lookup *lookup)
{
        size_t i = 0;
        gid_t gid;
        int r;

        if (plan->conf->exec->group) {
                r = ids_get_group(names[i], lookup, &gid);
                if (r == 0) {
                        plan->sets_gid = true;
                        plan->gid = gid;
                } else if (!is_settled(plan, r, EXIT_GROUP, plan->conf->exec->group))
                        return r;
                i++;
        }
        if (plan->sets_uid && plan->user_name && plan->sets_gid) {
                r = ids_get_groups(plan->user_name, plan->gid, lookup, &plan->groups,
                                   &plan->n_groups);
                if (r != 0)
                        return r;
                plan->sets_groups = true;
        }
        for (; names && names[i]; i++) {
                r = ids_get_group(names[i], lookup, &gid);
                if (!is_settled(plan, r, EXIT_GROUP, plan->conf->exec->group))
                        return r;
                plan->sets_groups = true;
                if (r == 0 && plan->n_groups < IDS_GROUPS_MAX)
                        r = add_group(plan, gid);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

// 0, SPAWN_PLAN_NEEDS_LOOKUP, -errno.
static int compile_identity(struct spawn_plan *plan, struct ids_lookup *lookup,
                            struct ids_lookup **ret_lookup)
{
        CLEANUP(strv) char **groups = NULL;
        const struct exec_group *exec = plan->conf->exec;
        const char *user;
        int r = 0;

        if (exec->user || exec->group || exec->supplementary_groups) {
                r = plan_watch(plan, ids_passwd_file());
                if (r == 0)
                        r = plan_watch(plan, ids_group_file());
                if (r == 0)
                        r = plan_watch(plan, ids_nsswitch_file());
        }
        if (r == 0)
                r = collect_groups(plan, &groups);
        if (r == 0)
                r = resolve_user(plan, lookup);
        if (r == 0)
                r = resolve_groups(plan, groups, lookup);
        if (r == IDS_NEEDS_LOOKUP) {
                r = plan_text(plan, exec->user, &user);
                if (r == 0)
                        r = ids_lookup_new(user, groups, ret_lookup);
                return r == 0 ? SPAWN_PLAN_NEEDS_LOOKUP : r;
        }
        // What it is already needs no right to change.
        if (geteuid() != 0) {
                plan->sets_uid = plan->sets_uid && plan->uid != geteuid();
                plan->sets_gid = plan->sets_gid && plan->gid != getegid();
                plan->sets_groups = plan->sets_uid || exec->supplementary_groups;
        }
        return r;
}

static void compile_limits(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;
        const struct rlimit_value *own[RLIMITS_MAX] = {
                [RLIMIT_CPU] = &exec->limit_cpu,
                [RLIMIT_FSIZE] = &exec->limit_fsize,
                [RLIMIT_DATA] = &exec->limit_data,
                [RLIMIT_STACK] = &exec->limit_stack,
                [RLIMIT_CORE] = &exec->limit_core,
                [RLIMIT_RSS] = &exec->limit_rss,
                [RLIMIT_NOFILE] = &exec->limit_nofile,
                [RLIMIT_AS] = &exec->limit_as,
                [RLIMIT_NPROC] = &exec->limit_nproc,
                [RLIMIT_MEMLOCK] = &exec->limit_memlock,
                [RLIMIT_LOCKS] = &exec->limit_locks,
                [RLIMIT_SIGPENDING] = &exec->limit_sigpending,
                [RLIMIT_MSGQUEUE] = &exec->limit_msgqueue,
                [RLIMIT_NICE] = &exec->limit_nice,
                [RLIMIT_RTPRIO] = &exec->limit_rtprio,
                [RLIMIT_RTTIME] = &exec->limit_rttime,
        };

        for (size_t i = 0; i < RLIMITS_MAX; i++)
                plan->limits[i] = own[i] && own[i]->is_set ? *own[i] : plan->settings->limits[i];
}

static bool has_limits(const struct spawn_plan *plan)
{
        for (size_t i = 0; i < RLIMITS_MAX; i++)
                if (plan->limits[i].is_set)
                        return true;
        return false;
}

static int compile_working_directory(struct spawn_plan *plan)
{
        const struct working_directory *wd = &plan->conf->exec->working_directory;
        const char *path = "/";
        int r = 0;

        if (wd->is_home)
                path = plan->home ? plan->home
                                  : strv_env_get(plan->settings->own_environment, "HOME");
        else if (wd->path)
                r = plan_text(plan, wd->path, &path);
        else if (plan->settings->is_user) {
                path = strv_env_get(plan->settings->own_environment, "HOME");
                plan->working_directory_optional = true;
        }
        plan->working_directory_optional |= wd->missing_ok;
        return r < 0 ? r : str_set(&plan->working_directory, path ? path : "/");
}

// ---- the order of the steps --------------------------------------------------------------------

struct row {
        bool is_needed;
        const char *op;
        int (*run)(struct launch *l);
        int exit_status;
        unsigned flags;
};

static int add_rows(struct spawn_plan *plan, const struct row *rows, size_t n)
{
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                if (rows[i].is_needed)
                        r = plan_add_step(plan, rows[i].op, rows[i].run, rows[i].exit_status,
                                          rows[i].flags);
        return r;
}

static int add_first_steps(struct spawn_plan *plan)
{
        const struct row rows[] = {
                {true, "reset signals", step_signals, EXIT_SIGNAL_MASK, 0},
                {true, "enter cgroup", step_cgroup, EXIT_CGROUP, 0},
                {true, "setsid", step_session, EXIT_SETSID, 0},
                {true, "arrange descriptors", step_gather_fds, EXIT_FDS, 0},
                {true, "set umask", step_umask, EXIT_EXCEPTION, 0}, // files of stdio are made by it
        };

        return add_rows(plan, rows, ARRAY_SIZE(rows));
}

static int add_middle_steps(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;
        const struct row rows[] = {
                {plan->broken_status != 0 && plan->broken_status == EXIT_USER, "find user",
                 step_broken, EXIT_USER, STEP_IDENTITY},
                {plan->broken_status != 0 && plan->broken_status == EXIT_GROUP, "find group",
                 step_broken, EXIT_GROUP, STEP_IDENTITY},
                // The kernel gives it to all processes of one memory.
                {exec->oom_score_adjust != OOM_SCORE_UNSET, "set OOM score", step_oom_score,
                 EXIT_OOM_ADJUST, STEP_OWN_MEMORY},
                {exec->nice != 0, "set nice level", step_nice, EXIT_NICE, 0},
                {exec->cpu_scheduling_policy >= 0 || exec->cpu_scheduling_reset_on_fork,
                 "set scheduler", step_scheduler, EXIT_SETSCHEDULER, 0},
                {exec->io_scheduling_class >= 0, "set I/O priority", step_io_priority, EXIT_IOPRIO,
                 0},
                {exec->timer_slack_nsec != UINT64_MAX, "set timer slack", step_timer_slack,
                 EXIT_TIMERSLACK, 0},
        };

        return add_rows(plan, rows, ARRAY_SIZE(rows));
}

static int keyring_mode(const struct spawn_plan *plan)
{
        int mode = plan->conf->exec->keyring_mode;

        if (mode != CHOICE_UNSET)
                return mode;
        return plan->conf->type == UNIT_SERVICE && !plan->settings->is_user ? KEYRING_PRIVATE
                                                                            : KEYRING_INHERIT;
}

static int add_last_steps(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;
        bool limits_capabilities = exec->capability_bounding_set != UINT64_MAX;
        bool keeps_capabilities = (exec->ambient_capabilities & exec->capability_bounding_set) != 0;
        const struct row rows[] = {
                {true, "pass descriptors", step_pass_fds, EXIT_FDS, 0},
                {has_limits(plan), "set limits", step_limits, EXIT_LIMITS, 0},
                {keyring_mode(plan) != KEYRING_INHERIT, "join session keyring", step_keyring,
                 EXIT_KEYRING, 0},
                {plan->sets_gid || plan->sets_groups, "set groups", step_groups, EXIT_GROUP,
                 STEP_IDENTITY},
                {limits_capabilities, "set bounding set", step_bounding_set, EXIT_CAPABILITIES,
                 STEP_PRIVILEGE},
                {keeps_capabilities && plan->sets_uid, "keep capabilities", step_keep_capabilities,
                 EXIT_CAPABILITIES, STEP_PRIVILEGE},
                {plan->sets_uid, "set user", step_user, EXIT_USER, STEP_IDENTITY},
                {keyring_mode(plan) == KEYRING_SHARED, "link user keyring", step_user_keyring,
                 EXIT_KEYRING, 0},
                {!streq(plan->working_directory, "/") || !spawn_is_at_root(), "chdir",
                 step_working_directory, EXIT_CHDIR, 0},
                {keeps_capabilities, "set ambient capabilities", step_ambient_set,
                 EXIT_CAPABILITIES, STEP_PRIVILEGE},
                {exec->no_new_privileges, "set no_new_privs", step_no_new_privileges,
                 EXIT_NO_NEW_PRIVILEGES, STEP_PRIVILEGE},
        };

        return add_rows(plan, rows, ARRAY_SIZE(rows));
}

static int compile(struct spawn_plan *plan, struct ids_lookup *lookup,
                   struct ids_lookup **ret_lookup, struct fail *why)
{
        int r = compile_identity(plan, lookup, ret_lookup);

        if (r != 0)
                return r;
        compile_limits(plan);
        r = compile_working_directory(plan);
        if (r == 0)
                r = add_first_steps(plan);
        if (r == 0)
                r = plan_compile_stdio(plan);
        if (r == 0)
                r = add_middle_steps(plan);
        if (r == 0)
                r = plan_compile_directories(plan);
        if (r == 0)
                r = plan_compile_environment(plan, why); // names the folders
        return r < 0 ? r : add_last_steps(plan);
}

int spawn_plan_new(const struct spawn_settings *settings, struct unit_conf *conf,
                   const char *unit_name, struct ids_lookup *lookup, struct spawn_plan **ret,
                   struct ids_lookup **ret_lookup, struct fail *why)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = calloc(1, sizeof(*plan));
        struct fail detail = {0};
        int r;

        if (!plan)
                return fail_set(why, ENOMEM, "prepare start", "%s", unit_name);
        plan->refs = 1;
        plan->conf = unit_conf_ref(conf);
        plan->settings = settings;
        plan->is_template = unit_name_is_template(unit_name);
        r = str_set(&plan->unit_name, unit_name);
        if (r == 0)
                r = compile(plan, lookup, ret_lookup, &detail);
        if (r < 0) {
                if (detail.error != 0 && why)
                        *why = detail;
                else
                        fail_set(why, r, "prepare start", "%s", unit_name);
        } else if (r == SPAWN_PLAN_READY)
                *ret = TAKE(plan);
        return r;
}

struct spawn_plan *spawn_plan_ref(struct spawn_plan *plan)
{
        plan->refs++;
        return plan;
}

void spawn_plan_unref(struct spawn_plan *plan)
{
        if (!plan || --plan->refs > 0)
                return;
        plan_commands_done(plan);
        plan_env_done(&plan->env);
        plan_directories_done(plan);
        for (size_t i = 0; i < plan->n_files; i++)
                free(plan->files[i].path);
        free(plan->files);
        free(plan->groups);
        free(plan->user_name);
        free(plan->home);
        free(plan->shell);
        free(plan->working_directory);
        free(plan->unit_name);
        strv_free(plan->texts);
        unit_conf_unref(plan->conf);
        free(plan);
}

// ---- questions ---------------------------------------------------------------------------------

bool spawn_plan_needs_name(const struct spawn_plan *plan)
{
        const struct service_group *service = plan->conf->service;
        const struct command_list *lists[] = {
                service ? &service->exec_condition : NULL,
                service ? &service->exec_start_pre : NULL,
                service ? &service->exec_start : NULL,
                service ? &service->exec_start_post : NULL,
                service ? &service->exec_reload : NULL,
                service ? &service->exec_stop : NULL,
                service ? &service->exec_stop_post : NULL,
        };

        if (!plan->is_template)
                return false;
        if (plan->env.has_marks)
                return true;
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                for (size_t c = 0; lists[i] && c < lists[i]->n; c++) {
                        if (specifier_has_marks(lists[i]->items[c].path))
                                return true;
                        STRV_FOREACH (word, lists[i]->items[c].argv)
                                if (specifier_has_marks(*word))
                                        return true;
                }
        return false;
}

static bool has_marks(const char *text)
{
        return text && specifier_has_marks(text);
}

static bool any_has_marks(char *const *texts)
{
        STRV_FOREACH (text, texts)
                if (specifier_has_marks(*text))
                        return true;
        return false;
}

static bool data_has_marks(const struct data_value *data)
{
        return data->size > 0 && memchr(data->data, SPECIFIER_MARK, data->size) != NULL;
}

static bool directories_have_marks(const struct managed_directory_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                if (has_marks(list->items[i].path) || any_has_marks(list->items[i].symlinks))
                        return true;
        return false;
}

bool spawn_plan_needs_instance(const struct unit_conf *conf)
{
        const struct exec_group *exec = conf->exec;

        for (size_t i = 0; i < exec->environment_file.n; i++)
                if (has_marks(exec->environment_file.items[i].path))
                        return true;
        return has_marks(exec->user) || has_marks(exec->group) ||
               any_has_marks(exec->supplementary_groups) ||
               has_marks(exec->working_directory.path) || has_marks(exec->standard_input.arg) ||
               has_marks(exec->standard_output.arg) || has_marks(exec->standard_error.arg) ||
               data_has_marks(&exec->standard_input_data) || has_marks(exec->tty_path) ||
               any_has_marks(exec->exec_search_path) || any_has_marks(exec->unset_environment) ||
               directories_have_marks(&exec->runtime_directory) ||
               directories_have_marks(&exec->state_directory) ||
               directories_have_marks(&exec->cache_directory) ||
               directories_have_marks(&exec->logs_directory) ||
               directories_have_marks(&exec->configuration_directory) ||
               (conf->service && has_marks(conf->service->pid_file));
}

bool spawn_plan_wants_socket(const struct spawn_plan *plan)
{
        return plan->has_stdio_socket;
}

bool spawn_plan_wants_log(const struct spawn_plan *plan)
{
        return plan->has_stdio_log;
}

uid_t spawn_plan_uid(const struct spawn_plan *plan)
{
        return plan->sets_uid ? plan->uid : (uid_t)-1;
}

gid_t spawn_plan_gid(const struct spawn_plan *plan)
{
        return plan->sets_gid ? plan->gid : (gid_t)-1;
}
