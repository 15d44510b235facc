// The table of orphans: which processes they are, and which owner each belongs to.
#include "core/start/orphans.h"

#include "base/clock.h"
#include "core/start/orphans_priv.h"

#include <sys/wait.h>

// ---- one of them

struct orphan *orphans_add(struct orphans *o, pid_t pid)
{
        struct orphan *x = u64map_get(o->by_pid, (uint64_t)pid);

        if (x)
                return x;
        x = calloc(1, sizeof(*x));
        if (!x || u64map_set(o->by_pid, (uint64_t)pid, x) < 0) {
                free(x);
                return NULL;
        }
        x->pid = pid;
        list_append(&o->all, &x->all);
        orphans_set_state(o, x, ORPHAN_UNSORTED);
        return x;
}

void orphans_set_state(struct orphans *o, struct orphan *x, int state)
{
        struct brood *brood =
                x->owner.self ? u64map_get(o->by_owner, (uintptr_t)x->owner.self) : NULL;

        list_remove(&x->todo);
        if (state == ORPHAN_ENDED && x->state != ORPHAN_ENDED) {
                x->died = o->n_begun;
                if (brood)
                        brood->n_living--;
        }
        x->state = state;
        if (state == ORPHAN_UNSORTED)
                list_append(&o->unsorted, &x->todo);
        else if (state == ORPHAN_ASKED)
                list_append(&o->asked, &x->todo);
        else if (state == ORPHAN_ENDED)
                list_append(&o->ended, &x->todo);
}

// Orphans of one session that have an owner form a ring; the table by session points to one of
// them.
static void join_session(struct orphans *o, struct orphan *x)
{
        struct orphan *first = u64map_get(o->by_session, (uint64_t)x->session);

        list_init(&x->mates);
        // If this fails, the next orphan of the session has its environment read instead.
        if (first)
                list_append(&first->mates, &x->mates);
        else if (x->session > 0)
                (void)u64map_set(o->by_session, (uint64_t)x->session, x);
}

static void leave_session(struct orphans *o, struct orphan *x)
{
        struct orphan *other = CONTAINER_OF(x->mates.next, struct orphan, mates);

        list_remove(&x->mates);
        if (u64map_get(o->by_session, (uint64_t)x->session) != x)
                return;
        // Replacing an existing key does not allocate.
        if (other != x)
                (void)u64map_set(o->by_session, (uint64_t)x->session, other);
        else
                u64map_remove(o->by_session, (uint64_t)x->session);
}

static void unset_owner(struct orphans *o, struct orphan *x)
{
        struct brood *brood;

        if (!x->owner.self)
                return;
        brood = u64map_get(o->by_owner, (uintptr_t)x->owner.self);
        leave_session(o, x);
        list_remove(&x->kin);
        if (x->state != ORPHAN_ENDED)
                brood->n_living--;
        if (list_is_empty(&brood->orphans)) {
                u64map_remove(o->by_owner, (uintptr_t)x->owner.self);
                free(brood);
        }
        x->owner.self = NULL;
}

static struct brood *get_brood(struct orphans *o, const void *owner)
{
        struct brood *brood = u64map_get(o->by_owner, (uintptr_t)owner);

        if (brood)
                return brood;
        brood = calloc(1, sizeof(*brood));
        if (!brood || u64map_set(o->by_owner, (uintptr_t)owner, brood) < 0) {
                free(brood);
                return NULL;
        }
        list_init(&brood->orphans);
        return brood;
}

bool orphans_set_owner(struct orphans *o, struct orphan *x, const struct owner *owner,
                       bool is_hinted)
{
        struct brood *brood = owner->self ? get_brood(o, owner->self) : NULL;

        if (!brood)
                return !owner->self;
        unset_owner(o, x);
        x->owner = *owner;
        x->is_hinted = is_hinted;
        list_append(&brood->orphans, &x->kin);
        if (x->state != ORPHAN_ENDED)
                brood->n_living++;
        join_session(o, x);
        return true;
}

void orphans_remove(struct orphans *o, struct orphan *x)
{
        unset_owner(o, x);
        if (o->cursor == &x->all)
                o->cursor = x->all.next;
        list_remove(&x->all);
        list_remove(&x->todo);
        u64map_remove(o->by_pid, (uint64_t)x->pid);
        free(x);
}

// ---- the owner of an orphan

static void tell_facts(const struct orphan *x, struct orphan_facts *ret)
{
        *ret = (struct orphan_facts){.owner = x->owner,
                                     .is_hinted = x->is_hinted,
                                     .is_sorted = x->state == ORPHAN_SORTED ||
                                                  x->state == ORPHAN_ENDED || x->is_mute};
}

static bool find_session(struct orphans *o, pid_t session, struct orphan_facts *ret)
{
        const struct orphan *x;
        struct owner owner;

        if (session <= 0)
                return false;
        // Its leader is our child, and no other process can have its pid.
        if (reaper_find_owner(o->reaper, session, &owner)) {
                *ret = (struct orphan_facts){.owner = owner, .is_sorted = true};
                return owner.self;
        }
        x = u64map_get(o->by_pid, (uint64_t)session);
        if (!x || !x->owner.self)
                x = u64map_get(o->by_session, (uint64_t)session);
        if (!x)
                return false;
        *ret = (struct orphan_facts){
                .owner = x->owner, .is_hinted = x->is_hinted, .is_sorted = true};
        return true;
}

bool orphans_find_session(struct orphans *o, pid_t session, struct orphan_facts *ret)
{
        return find_session(o, session, ret);
}

// Something could not be read, for instance because no descriptor is free. Its state is unchanged.
static bool sort_later(struct orphans *o)
{
        o->is_incomplete = true;
        return true;
}

bool orphans_sort(struct orphans *o, struct orphan *x)
{
        struct orphan_facts facts;
        struct proc_stat stat;
        int r = proc_get_stat(x->pid, &stat);

        if (r < 0 && r != -ESRCH)
                return sort_later(o);
        if (r < 0 || stat.parent != getpid()) {
                orphans_remove(o, x); // something else has waited for it
                return false;
        }
        if (!proc_stat_is_alive(&stat)) {
                // Its owner is not known, and need not be.
                orphans_set_state(o, x, ORPHAN_ENDED);
                x->died = 0;
                return true;
        }
        x->session = stat.session;
        if (stat.session != getsid(0) && find_session(o, stat.session, &facts)) {
                if (!orphans_set_owner(o, x, &facts.owner, facts.is_hinted))
                        return sort_later(o);
        } else if (o->hooks.find_owners &&
                   stat.session != getsid(0)) { // else it is a helper process of our own
                if (proc_get_uids(x->pid, &x->uids) < 0)
                        return sort_later(o);
                orphans_set_state(o, x, ORPHAN_ASKED);
                orphans_ask_soon(o, 0);
                return true;
        }
        orphans_set_state(o, x, ORPHAN_SORTED);
        return true;
}

bool orphans_find(struct orphans *o, pid_t pid, struct orphan_facts *ret)
{
        struct orphan *x = u64map_get(o->by_pid, (uint64_t)pid);

        if (!x || (x->state == ORPHAN_UNSORTED && !orphans_sort(o, x)))
                return false;
        tell_facts(x, ret);
        return true;
}

bool orphans_meet(struct orphans *o, pid_t pid, struct orphan_facts *ret)
{
        return orphans_add(o, pid) && orphans_find(o, pid, ret);
}

bool orphans_has_unknown(const struct orphans *o)
{
        return o->n_wanted > o->n_complete || !list_is_empty(&o->unsorted) ||
               !list_is_empty(&o->asked);
}

int orphans_foreach(struct orphans *o, const void *owner, int (*f)(pid_t pid, void *data),
                    void *data)
{
        struct brood *brood = u64map_get(o->by_owner, (uintptr_t)owner);
        int result = 0;

        if (!brood)
                return 0;
        LIST_FOREACH (&brood->orphans, node) {
                const struct orphan *x = CONTAINER_OF(node, struct orphan, kin);

                if (result == 0 && x->state != ORPHAN_ENDED)
                        result = f(x->pid, data);
        }
        return result;
}

void orphans_disown(struct orphans *o, const void *owner)
{
        struct brood *brood;

        reaper_disown(o->reaper, owner);
        // The brood is freed with its last orphan.
        while ((brood = u64map_get(o->by_owner, (uintptr_t)owner)))
                unset_owner(o, CONTAINER_OF(brood->orphans.next, struct orphan, kin));
}

// ---- what the reaper reports

static uint64_t on_mark(const struct zombie_keeper *k)
{
        return CONTAINER_OF(k, const struct orphans, keeper)->n_begun;
}

// The zombie is waited for as soon as what it left behind is known. mark: n_begun when its end was
// seen.
static void on_end(struct zombie_keeper *k, pid_t pid, const struct owner *owner, uint64_t mark)
{
        struct orphans *o = CONTAINER_OF(k, struct orphans, keeper);
        uint64_t batch = events_batch(o->events);
        bool is_seen = o->n_complete > mark || (batch > 0 && o->batch == batch);
        bool is_kept = owner->self && !is_seen && o->source != CHILDREN_UNSEEN;
        // Its pid identifies the session that it may have led, so it stays until the members of
        // that session have been seen. Reading the list of children must not lose an entry either.
        struct orphan *x = is_kept || o->phase == LOOK_READ ? orphans_add(o, pid) : NULL;

        if (!x) {
                (void)waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOHANG);
                if (o->phase == LOOK_READ)
                        o->is_incomplete = true;
                return;
        }
        x->session = pid;
        if (is_kept)
                (void)orphans_set_owner(o, x, owner, false);
        orphans_set_state(o, x, ORPHAN_ENDED);
        x->died = is_kept ? mark : 0;
        orphans_on_sigchld(o);
}

static void on_forgotten(struct zombie_keeper *k, pid_t pid, const struct owner *owner)
{
        struct orphans *o = CONTAINER_OF(k, struct orphans, keeper);
        struct orphan *x = orphans_add(o, pid);
        struct proc_stat stat;

        if (!x)
                return; // the next look treats it as an unknown process
        x->session = proc_get_stat(pid, &stat) == 0 ? stat.session : 0;
        if (owner->self && orphans_set_owner(o, x, owner, false))
                orphans_set_state(o, x, ORPHAN_SORTED);
        orphans_on_sigchld(o);
}

static void on_watched(struct zombie_keeper *k, pid_t pid)
{
        struct orphans *o = CONTAINER_OF(k, struct orphans, keeper);
        struct orphan *x = u64map_get(o->by_pid, (uint64_t)pid);

        if (x)
                orphans_remove(o, x);
}

static void on_sigchld(struct zombie_keeper *k)
{
        orphans_on_sigchld(CONTAINER_OF(k, struct orphans, keeper));
}

// ---- all of them

void orphans_set_hooks(struct orphans *o, const struct orphan_hooks *hooks)
{
        o->hooks = *hooks;
}

int orphans_new(struct events *e, struct reaper *r, struct orphans **ret)
{
        struct orphans *o = calloc(1, sizeof(*o));

        if (!o)
                return -ENOMEM;
        o->reaper = r;
        o->events = e;
        o->children.fd = o->answer.fd = -1;
        list_init(&o->all);
        list_init(&o->unsorted);
        list_init(&o->asked);
        list_init(&o->ended);
        list_init(&o->waits);
        list_init(&o->telling);
        o->by_pid = u64map_new();
        o->by_session = u64map_new();
        o->by_owner = u64map_new();
        if (!o->by_pid || !o->by_session || !o->by_owner) {
                orphans_free(o);
                return -ENOMEM;
        }
        o->keeper = (struct zombie_keeper){.mark = on_mark,
                                           .keep = on_end,
                                           .on_forgotten = on_forgotten,
                                           .on_watched = on_watched,
                                           .on_sigchld = on_sigchld};
        reaper_set_keeper(r, &o->keeper);
        *ret = o;
        return 0;
}

void orphans_free(struct orphans *o)
{
        if (!o)
                return;
        reaper_set_keeper(o->reaper, NULL);
        orphans_ask_done(o);
        orphans_look_done(o);
        LIST_FOREACH (&o->all, node)
                orphans_remove(o, CONTAINER_OF(node, struct orphan, all));
        u64map_free(o->by_pid);
        u64map_free(o->by_session);
        u64map_free(o->by_owner);
        free(o);
}
