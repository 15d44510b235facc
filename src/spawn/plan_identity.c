// User=, Group= and SupplementaryGroups= of a plan.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "spawn/step.h"

// The user or group is not available: every process of the plan exits with this status.
static void set_broken(struct spawn_plan *plan, int status, int error, const char *name)
{
        if (plan->broken_status == 0) {
                plan->broken_status = status;
                plan->broken_error = error < 0 ? -error : error;
                plan->broken_name = name;
        }
        plan->is_always_stale = true; // failed look-ups are not cached
}

// Turns an expected outcome of a look-up into a failing step. True: continue with the next name.
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

// A shell or home that only means "may not log in" is not passed to services.
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

// Sets Group=, then the supplementary groups: initgroups() for a user, plus SupplementaryGroups=.
static int resolve_groups(struct spawn_plan *plan, char *const *names, struct ids_lookup *lookup)
{
        const struct exec_group *exec = plan->conf->exec;
        size_t i = 0, n_before = exec->group ? 1 : 0;
        gid_t gid;
        int r;

        if (exec->group) {
                r = ids_get_group(names[i], lookup, &gid);
                if (r == 0) {
                        plan->sets_gid = true;
                        plan->gid = gid;
                } else if (!is_settled(plan, r, EXIT_GROUP, exec->group))
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
                if (!is_settled(plan, r, EXIT_GROUP, exec->supplementary_groups[i - n_before]))
                        return r;
                plan->sets_groups = true;
                if (r == 0 && plan->n_groups < IDS_GROUPS_MAX)
                        r = add_group(plan, gid);
                if (r == -ENOMEM)
                        return r;
        }
        return 0;
}

int plan_compile_identity(struct spawn_plan *plan, struct ids_lookup *lookup,
                          struct ids_lookup **ret_lookup)
{
        CLEANUP(strv) char **groups = NULL;
        const struct exec_group *exec = plan->conf->exec;
        const char *user;
        int r = 0;

        if (exec->user || exec->group || exec->supplementary_groups) {
                r = plan_watch_system(plan, ids_passwd_file());
                if (r == 0)
                        r = plan_watch_system(plan, ids_group_file());
                if (r == 0)
                        r = plan_watch_system(plan, ids_nsswitch_file());
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
        // Keeping the current ids needs no privilege.
        if (geteuid() != 0) {
                plan->sets_uid = plan->sets_uid && plan->uid != geteuid();
                plan->sets_gid = plan->sets_gid && plan->gid != getegid();
                plan->sets_groups = plan->sets_uid || exec->supplementary_groups;
        }
        return r;
}
