#include "core/processes.h"

#include "base/proc.h"
#include "base/str.h"
#include "core/instance.h"
#include "core/reap.h"
#include "core/service_priv.h"
#include "spawn/plan.h"

#include <signal.h>

#define PARENTS_MAX 32
#define CHILDREN_LOOKED_AT 512 // with more, a connection's end is not looked into

static pid_t main_mark(const struct run *run)
{
        return run->main.pid > 0 ? run->main.pid : run->last_main;
}

// What its processes are known by; id is where the text of the invocation id goes.
static struct kill_marks marks_of(const struct run *run, char id[SD_ID128_STRING_MAX])
{
        return (struct kill_marks){
                .main_pid = run->main_pid_alien ? 0 : main_mark(run),
                .control_pid = run->control.pid,
                .invocation_id = sd_id128_is_null(run->invocation_id)
                                         ? NULL
                                         : sd_id128_to_string(run->invocation_id, id),
        };
}

int run_find_processes(const struct run *run, struct kill_pids *ret)
{
        char id[SD_ID128_STRING_MAX];
        struct kill_marks marks = marks_of(run, id);

        return kill_find_marked(&marks, ret);
}

static bool finds_strays(const struct run *run)
{
        CLEANUP(kill_pids) struct kill_pids pids = {0};

        if (run_find_processes(run, &pids) < 0)
                return false;
        for (size_t i = 0; i < pids.n; i++)
                if (pids.items[i] != run->main.pid && pids.items[i] != run->control.pid)
                        return true;
        return false;
}

// One that cannot be looked at for want of memory may be one.
static int is_of_run(pid_t pid, void *data)
{
        return kill_is_marked(pid, data) != 0 && proc_is_alive(pid);
}

// With thousands of connections the look is not worth its price at the end of each.
static bool is_looked_at(const struct run *run)
{
        return run->service || reaper_count(run->manager->reaper) <= CHILDREN_LOOKED_AT;
}

// Main and control have ended: what they left behind is in their process group, or has come to us
// as an orphan (or descends from one). So the whole of /proc need not be looked at.
static bool has_left_some(const struct run *run)
{
        char id[SD_ID128_STRING_MAX];
        struct kill_marks marks = marks_of(run, id);

        if (run->last_main > 0 && (kill(-run->last_main, 0) == 0 || errno == EPERM))
                return true;
        return is_looked_at(run) &&
               reaper_foreach_unknown(run->manager->reaper, is_of_run, &marks) > 0;
}

bool run_has_strays(struct run *run)
{
        bool is_over = run->main.pid == 0 && run->control.pid == 0;

        if (run->is_empty)
                return false;
        // The descendants of a main process that is not ours do not come to us.
        bool has_some = is_over && !run->main_pid_alien ? has_left_some(run)
                                                        : is_looked_at(run) && finds_strays(run);

        // All have ended: nobody is left who could make another one.
        run->is_empty = !has_some && is_over;
        return has_some;
}

int run_foreach_process(const struct run *run, int (*f)(pid_t pid, void *data), void *data)
{
        CLEANUP(kill_pids) struct kill_pids pids = {0};
        bool saw_main = run->main.pid == 0, saw_control = run->control.pid == 0;

        // Where /proc cannot be read, the two that are known are told.
        (void)run_find_processes(run, &pids);
        for (size_t i = 0; i < pids.n; i++) {
                int r = f(pids.items[i], data);

                if (r != 0)
                        return r;
                saw_main = saw_main || pids.items[i] == run->main.pid;
                saw_control = saw_control || pids.items[i] == run->control.pid;
        }
        int r = saw_main ? 0 : f(run->main.pid, data);

        return r != 0 || saw_control ? r : f(run->control.pid, data);
}

bool run_has_process(const struct run *run, pid_t pid)
{
        char id[SD_ID128_STRING_MAX];
        struct kill_marks marks = marks_of(run, id);

        return kill_is_marked(pid, &marks) > 0;
}

static struct run *run_by_invocation_id(struct manager *m, sd_id128_t id)
{
        LIST_FOREACH (&m->by_type[UNIT_SERVICE], node) {
                struct run *run = &service_of(CONTAINER_OF(node, struct unit, type_node))->run;

                if (sd_id128_equal(run->invocation_id, id) && !service_state_is_over(run->state))
                        return run;
        }
        for (struct run *run = instance_next(m, NULL); run; run = instance_next(m, run))
                if (sd_id128_equal(run->invocation_id, id))
                        return run;
        return NULL;
}

struct run *run_by_pid(struct manager *m, pid_t pid)
{
        struct child *c = reaper_find(m->reaper, pid, service_on_main_exit);

        if (c)
                return CONTAINER_OF(c, struct run, main);
        c = reaper_find(m->reaper, pid, service_on_control_exit);
        return c ? CONTAINER_OF(c, struct run, control) : NULL;
}

struct run *run_by_process(struct manager *m, pid_t pid)
{
        CLEANUP(free) char *value = NULL;
        struct run *run = run_by_pid(m, pid);
        pid_t group, session, parent = pid;
        sd_id128_t id;

        if (run)
                return run;
        if (proc_get_session(pid, &group, &session) == 0) {
                run = run_by_pid(m, session);
                if (!run)
                        run = run_by_pid(m, group);
        }
        for (int i = 0; !run && i < PARENTS_MAX; i++) {
                if (proc_get_parent(parent, &parent) < 0 || parent <= 1)
                        break;
                run = run_by_pid(m, parent);
        }
        if (run || proc_get_environ(pid, "INVOCATION_ID", &value) < 0 ||
            sd_id128_from_string(value, &id) < 0)
                return run;
        return run_by_invocation_id(m, id);
}

uint32_t run_uid_gid(const struct run *run, bool want_gid)
{
        if (!run->plan)
                return UINT32_MAX;
        return want_gid ? spawn_plan_gid(run->plan) : spawn_plan_uid(run->plan);
}
