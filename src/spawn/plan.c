#include "spawn/plan.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "spawn/filters.h"
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

// ---- in two halves, with a look-up before and between ------------------------------------------

struct spawn_lookup {
        struct ids_lookup *ids; // users and groups, for the first half
        // the questions for file systems, and the plan that waits for the answer
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

// The first half needs no file that a unit names.
static int compile_first(struct spawn_plan *plan, struct ids_lookup *lookup,
                         struct ids_lookup **ret_lookup)
{
        int r = plan_compile_identity(plan, lookup, ret_lookup);

        if (r != 0)
                return r;
        r = plan_compile_stdio(plan);
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
        return r < 0 ? r : plan_compile_steps(plan);
}

int plan_new(const struct spawn_settings *settings, struct unit_conf *conf, const char *unit_name,
             struct spawn_plan **ret)
{
        CLEANUP(spawn_plan) struct spawn_plan *plan = calloc(1, sizeof(*plan));

        if (!plan)
                return -ENOMEM;
        plan->refs = 1;
        plan->conf = unit_conf_ref(conf);
        plan->settings = settings;
        plan->environment = settings->environment->generation;
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

// Runs from the beginning to the end, or to the first look-up that needs a wait.
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
        if (plan && plan->conf == conf && streq(plan->unit_name, unit_name) &&
            spawn_plan_has_environment(plan)) {
                r = compile_second(plan, q, files, &detail);
        } else { // the conf or the environment has been replaced meanwhile
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
        filters_unref(plan->filters);
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

bool spawn_plan_has_environment(const struct spawn_plan *plan)
{
        return plan->environment == plan->settings->environment->generation;
}

bool spawn_plan_needs_name(const struct spawn_plan *plan)
{
        return plan->is_template && (plan->env.has_marks || plan->has_command_marks);
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
