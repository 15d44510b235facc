#include "spawn/plan.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "spawn/step.h"

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

// ---- in two halves, with a look-up before and between ------------------------------------------

struct spawn_lookup {
        struct ids_lookup *ids; // users and groups, for the first half
        // what file systems are asked for, and the plan that waits for the answer
        struct spawn_plan *plan;
        struct plan_question *question;
        struct inquiry *files;
};

void spawn_lookup_free(struct spawn_lookup *lookup)
{
        if (!lookup)
                return;
        ids_lookup_free(lookup->ids);
        inquiry_free(lookup->files);
        plan_question_free(lookup->question);
        spawn_plan_unref(lookup->plan);
        free(lookup);
}

struct inquiry *spawn_lookup_inquiry(struct spawn_lookup *lookup)
{
        return lookup->plan ? lookup->files : ids_lookup_inquiry(lookup->ids);
}

// What no file that a unit names is needed for.
static int compile_first(struct spawn_plan *plan, struct ids_lookup *lookup,
                         struct ids_lookup **ret_lookup)
{
        int r = plan_compile_identity(plan, lookup, ret_lookup);

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
        return r < 0 ? r : plan_compile_directories(plan);
}

static int compile_second(struct spawn_plan *plan, const struct plan_question *q,
                          struct inquiry *answer, struct fail *why)
{
        int r = inquiry_read(answer);

        if (r == 0)
                r = plan_compile_environment(plan, q, answer, why); // names the folders
        if (r == 0)
                r = plan_take_programs(plan, q, answer);
        return r < 0 ? r : add_last_steps(plan);
}

static int plan_new(const struct spawn_settings *settings, struct unit_conf *conf,
                    const char *unit_name, struct spawn_plan **ret)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = calloc(1, sizeof(*plan));

        if (!plan)
                return -ENOMEM;
        plan->refs = 1;
        plan->conf = unit_conf_ref(conf);
        plan->settings = settings;
        plan->is_template = unit_name_is_template(unit_name);
        int r = str_set(&plan->unit_name, unit_name);

        if (r == 0)
                *ret = TAKE(plan);
        return r;
}

static int get_lookup(struct spawn_lookup **lookup)
{
        if (!*lookup)
                *lookup = calloc(1, sizeof(**lookup));
        return *lookup ? 0 : -ENOMEM;
}

static int keep_ids(struct spawn_lookup **lookup, struct ids_lookup *ids)
{
        int r = get_lookup(lookup);

        if (r < 0) {
                ids_lookup_free(ids);
                return r;
        }
        ids_lookup_free((*lookup)->ids);
        (*lookup)->ids = ids;
        return SPAWN_PLAN_NEEDS_LOOKUP;
}

// From the begin: to the end, or to the first look-up that has to be waited for.
static int begin(struct spawn_plan **plan, struct spawn_lookup **lookup, struct fail *why)
{
        CLEANUP(plan_question) struct plan_question *q = NULL;
        CLEANUP(inquiry) struct inquiry *files = NULL;
        struct ids_lookup *ids = NULL;
        int r = compile_first(*plan, *lookup ? (*lookup)->ids : NULL, &ids);

        if (r == SPAWN_PLAN_NEEDS_LOOKUP)
                return keep_ids(lookup, ids);
        if (r == 0)
                r = plan_ask_files(*plan, &q, &files);
        if (r == 0)
                return compile_second(*plan, q, files, why);
        if (r > 0)
                r = get_lookup(lookup);
        if (r < 0)
                return r;
        (*lookup)->plan = TAKE(*plan);
        (*lookup)->question = TAKE(q);
        (*lookup)->files = TAKE(files);
        return SPAWN_PLAN_NEEDS_LOOKUP;
}

int spawn_plan_new(const struct spawn_settings *settings, struct unit_conf *conf,
                   const char *unit_name, struct spawn_lookup **lookup, struct spawn_plan **ret,
                   struct fail *why)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = NULL;
        CLEANUP(plan_question) struct plan_question *q = NULL;
        CLEANUP(inquiry) struct inquiry *files = NULL;
        struct fail detail = {0};
        int r;

        if (*lookup && (*lookup)->plan) {
                plan = TAKE((*lookup)->plan);
                q = TAKE((*lookup)->question);
                files = TAKE((*lookup)->files);
        }
        if (plan && plan->conf == conf && streq(plan->unit_name, unit_name)) {
                r = compile_second(plan, q, files, &detail);
        } else { // a reload has changed the conf meanwhile
                spawn_plan_unref(TAKE(plan));
                r = plan_new(settings, conf, unit_name, &plan);
                if (r == 0)
                        r = begin(&plan, lookup, &detail);
        }
        if (r == SPAWN_PLAN_READY)
                *ret = TAKE(plan);
        if (detail.error != 0 && why)
                *why = detail;
        return fail_set_default(why, r, "prepare start", unit_name);
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
        const struct command_list *lists[PLAN_COMMAND_LISTS];
        size_t n_lists = plan_command_lists(plan->conf, lists);

        if (!plan->is_template)
                return false;
        if (plan->env.has_marks)
                return true;
        for (size_t i = 0; i < n_lists; i++)
                for (size_t c = 0; c < lists[i]->n; c++) {
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
