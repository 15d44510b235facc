#include "core/service/processes.h"

#include "base/clock.h"
#include "base/map.h"
#include "core/service/service.h"
#include "core/unit/manager.h"
#include "spawn/kill.h"
#include "spawn/plan.h"

#define PARENTS_MAX 64

enum orphans_state run_look_for_strays(struct run *run)
{
        if (run->is_empty)
                return ORPHANS_NONE;
        enum orphans_state state = orphans_look(run->manager->orphans, run);

        // All have ended, so none is left that could fork another.
        run_note_strays(run, state != ORPHANS_NONE);
        return state;
}

#define LISTING_MAX (2 * USEC_PER_MSEC)

static int add_root(pid_t pid, void *walk)
{
        return kill_walk_add(walk, pid);
}

int run_foreach_process(const struct run *run, int (*f)(pid_t pid, void *data), void *data)
{
        CLEANUP(kill_walk) struct kill_walk walk = KILL_WALK_NULL;
        usec_t until = usec_add(clock_now(), LISTING_MAX);
        int r = 0;

        if (run->main.pid > 0)
                r = add_root(run->main.pid, &walk);
        if (run->control.pid > 0 && r == 0)
                r = add_root(run->control.pid, &walk);
        if (r == 0)
                r = orphans_foreach(run->manager->orphans, run, add_root, &walk);
        if (r == 0)
                r = kill_walk_step(&walk, until);
        for (size_t i = 0; i < walk.n && r >= 0; i++) {
                r = f(walk.items[i].pid, data);
                if (r != 0)
                        return r;
        }
        return MIN(r, 0);
}

// ---- the run of a process?

int process_find_owner(struct manager *m, pid_t pid, struct orphan_facts *ret)
{
        struct orphan_facts facts = {.is_sorted = true};
        struct proc_stat stat;

        for (int i = 0; i < PARENTS_MAX; i++) {
                if (reaper_find_owner(m->reaper, pid, &facts.owner))
                        break;
                if (orphans_find(m->orphans, pid, &facts))
                        break;
                if (pid == getpid() || proc_get_stat(pid, &stat) < 0)
                        return 0;
                if (orphans_find_session(m->orphans, stat.session, &facts))
                        break;
                if (stat.parent == getpid()) {
                        if (!orphans_meet(m->orphans, pid, &facts))
                                return 0;
                        break;
                }
                if (stat.parent <= 1)
                        return 0;
                pid = stat.parent;
        }
        if (!facts.owner.self)
                return facts.is_sorted ? 0 : -EAGAIN;
        *ret = facts;
        return 1;
}

static const char *name_of_owner(const void *self, char **buffer)
{
        return run_name(self, buffer);
}

static const struct owner_ops run_owner_ops = {.name = name_of_owner};

struct owner run_as_owner(struct run *run)
{
        return (struct owner){.self = run, .ops = &run_owner_ops};
}

struct run *run_of_owner(const struct owner *owner)
{
        return owner->ops == &run_owner_ops ? owner->self : NULL;
}

static struct run *next_connection(struct manager *m, struct run *after)
{
        return m->ops->next_connection(m, after);
}

static bool is_of_life(const struct run *run, sd_id128_t id)
{
        return sd_id128_equal(run->invocation_id, id) && !service_state_is_over(run->state);
}

struct run *run_by_invocation_id(struct manager *m, sd_id128_t id)
{
        if (sd_id128_is_null(id))
                return NULL;
        LIST_FOREACH (&m->by_type[UNIT_SERVICE], node) {
                struct run *run = &service_of(CONTAINER_OF(node, struct unit, type_node))->run;

                if (is_of_life(run, id))
                        return run;
        }
        for (struct run *run = next_connection(m, NULL); run; run = next_connection(m, run))
                if (is_of_life(run, id))
                        return run;
        return NULL;
}

// ---- the run that an environment names

static bool is_of_its_user(const struct run *run, const struct proc_uids *uids)
{
        return uids->real == run->uid || uids->effective == run->uid || uids->saved == run->uid;
}

bool run_may_own(const struct run *run, const struct proc_uids *uids)
{
        bool is_root = uids->real == 0 && uids->effective == 0 && uids->saved == 0;

        return run->uid == 0 || is_root || is_of_its_user(run, uids);
}

static uint64_t key_of(sd_id128_t id)
{
        uint64_t key;

        memcpy(&key, id.bytes, sizeof(key));
        return key;
}

struct known_runs {
        struct u64map *by_id;   // by the first half of the invocation id
        struct u64map *by_user; // a run of this user (not root)
};

static int add_run(struct known_runs *k, struct run *run)
{
        if (sd_id128_is_null(run->invocation_id))
                return 0;
        int r = u64map_set(k->by_id, key_of(run->invocation_id), run);

        if (r >= 0 && run->uid != 0 && !service_state_is_over(run->state))
                r = u64map_set(k->by_user, run->uid, run);
        return MIN(r, 0);
}

static int list_runs(struct manager *m, struct known_runs *k)
{
        int r = 0;

        LIST_FOREACH (&m->by_type[UNIT_SERVICE], node)
                if (r == 0)
                        r = add_run(k,
                                    &service_of(CONTAINER_OF(node, struct unit, type_node))->run);
        for (struct run *run = next_connection(m, NULL); run && r == 0;
             run = next_connection(m, run))
                r = add_run(k, run);
        return r;
}

static struct run *find_claimed(const struct known_runs *k, const struct orphan_claim *claim)
{
        sd_id128_t id;

        if (sd_id128_from_string(claim->invocation_id, &id) < 0)
                return NULL;
        struct run *run = u64map_get(k->by_id, key_of(id));

        if (!run || !sd_id128_equal(run->invocation_id, id) || !run_may_own(run, &claim->uids))
                return NULL;
        // Root's services may have processes of any user, but one of another service's user more
        // likely belongs to that service.
        if (run->uid == 0 && claim->uids.real != 0 && u64map_get(k->by_user, claim->uids.real))
                return NULL;
        return run;
}

static int find_owners(void *data, struct orphan_claim *claims, size_t n)
{
        CLEANUP(u64map) struct u64map *by_id = u64map_new(), *by_user = u64map_new();
        struct known_runs known = {by_id, by_user};

        int r = by_id && by_user ? list_runs(data, &known) : -ENOMEM;

        for (size_t i = 0; i < n && r == 0; i++)
                claims[i].owner = run_as_owner(find_claimed(&known, &claims[i]));
        return r;
}

static bool may_own(void *data UNUSED, const void *owner, const struct proc_uids *uids,
                    bool is_likely)
{
        return is_likely ? is_of_its_user(owner, uids) : run_may_own(owner, uids);
}

void processes_open(struct manager *m)
{
        struct orphan_hooks hooks = {.find_owners = find_owners, .may_own = may_own, .data = m};

        orphans_set_hooks(m->orphans, &hooks);
}

uint32_t run_uid_gid(const struct run *run, bool want_gid)
{
        if (!run->plan)
                return UINT32_MAX;
        return want_gid ? spawn_plan_gid(run->plan) : spawn_plan_uid(run->plan);
}
