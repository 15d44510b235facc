// Orphans: processes that came to us when their parent ended, because we are a subreaper or PID 1.
// The owner of each is determined once, and is remembered until the orphan has been waited for, so
// that its pid cannot be reused meanwhile.
//
// The session identifies the owner: only a descendant of the session leader can be in it. A process
// that leads a session of its own is attributed by its environment (INVOCATION_ID), if its user ids
// allow that; this is only a hint, since a process may have any environment. A process that does
// not descend from ours is no orphan of ours, whatever its environment says.
//
// They are found by looks at the list of our children. A look is taken when a process of ours has
// ended, or when a caller asks. With few children it runs at once; otherwise in slices between
// which the loop runs, spaced so that looks use a small part of the time. Environments are read by
// a separate process, since reading can hang (base/proc.h).
#pragma once

#include "base/list.h"
#include "base/proc.h"
#include "core/loop/reap.h"

struct orphans;

// Keeper of the reaper's zombies from now on. 0 or -errno.
int orphans_new(struct events *e, struct reaper *r, struct orphans **ret);
void orphans_free(struct orphans *o); // NULL is fine; call it before the reaper is freed
DEFINE_CLEANUP(orphans, struct orphans *, orphans_free)

enum orphans_state {
        ORPHANS_NONE,
        ORPHANS_SOME,
        ORPHANS_UNKNOWN, // until a look is complete: orphans_wait() reports
};
// Does the owner have living orphans? Takes a look if that is cheap.
enum orphans_state orphans_look(struct orphans *o, const void *owner);
// Calls f for each living orphan until f returns something other than 0, which is then returned.
// Takes no look.
int orphans_foreach(struct orphans *o, const void *owner, int (*f)(pid_t pid, void *data),
                    void *data);

// Is the owner of some orphan not known yet, or a look still due that may find further ones?
bool orphans_has_unknown(const struct orphans *o);
// All orphans that exist now are looked for. is_at_once: immediately, if that is cheap.
void orphans_meet_all(struct orphans *o, bool is_at_once);

// Waits for the next look that begins from now on: on_known is called once, from the loop, with
// NONE or SOME. Zero-initialise.
struct orphans_wait {
        struct list_node node;
        const void *owner;
        uint64_t since;
        void (*on_known)(struct orphans_wait *w, enum orphans_state state);
};
// is_urgent: a look is taken for this wait; otherwise the next look with another cause answers it.
// owner NULL: on_known is called as soon as anything new is known about any orphan.
void orphans_wait(struct orphans *o, struct orphans_wait *w, const void *owner, bool is_urgent,
                  void (*on_known)(struct orphans_wait *w, enum orphans_state state));
void orphans_wait_stop(struct orphans_wait *w);
// The owner is about to be freed: its orphans have no owner from now on.
void orphans_disown(struct orphans *o, const void *owner);

struct orphan_facts {
        struct owner owner; // self NULL: it has no owner
        bool is_hinted;     // only its environment names the owner
        bool is_sorted;     // false: its owner may still become known
};
// The facts about a known orphan. Takes no look.
bool orphans_find(struct orphans *o, pid_t pid, struct orphan_facts *ret);
// The same for a child of ours that was just found. False: out of memory, or it is no orphan.
bool orphans_meet(struct orphans *o, pid_t pid, struct orphan_facts *ret);
// Which owner has this session? False: unknown, or none.
bool orphans_find_session(struct orphans *o, pid_t session, struct orphan_facts *ret);

// Questions to the layer that knows the owners.
struct orphan_claim {
        const char *invocation_id;
        struct proc_uids uids;
        struct owner owner; // the answer; self NULL: no owner
};
struct orphan_hooks {
        // Which owners have these invocation ids? 0 or -ENOMEM.
        int (*find_owners)(void *data, struct orphan_claim *claims, size_t n);
        // Could a process of these users belong to the owner, if its environment says so?
        // is_likely: does it run as the owner's user?
        bool (*may_own)(void *data, const void *owner, const struct proc_uids *uids,
                        bool is_likely);
        void *data;
};
// Without hooks no environment is read. Copied.
void orphans_set_hooks(struct orphans *o, const struct orphan_hooks *hooks);
