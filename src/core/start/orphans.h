// Orphans: processes that came to us when their parent ended, because we are a subreaper or PID 1.
// Who left them is found out once, and is remembered until they have ended and have been waited
// for, so that their pids cannot be another's meanwhile.
//
// What tells it is their session: nobody gets into one but a descendant of its leader. Who is in a
// session of his own is taken at the word of his environment (INVOCATION_ID), if his users allow
// it: that is a hint only, since a process may have any environment. Who is no descendant of ours
// is no orphan of ours, whatever his environment says.
//
// They are found by looks at the list of our children. A look is taken when a process of ours has
// ended, or somebody asks; with few children at once, else in slices between which the loop goes
// on, and so that looks cost a small part of the time. Environments are read by a process of our
// own, since that can hang (base/proc.h).
#pragma once

#include "base/list.h"
#include "base/proc.h"
#include "core/loop/reap.h"

struct orphans;

// Keeper of the reaper's zombies from now on. 0 or -errno.
int orphans_new(struct events *e, struct reaper *r, struct orphans **ret);
void orphans_free(struct orphans *o); // NULL is fine; before the reaper goes
DEFINE_CLEANUP(orphans, struct orphans *, orphans_free)

enum orphans_state {
        ORPHANS_NONE,
        ORPHANS_SOME,
        ORPHANS_UNKNOWN, // until a look is complete: orphans_wait() tells
};
// Has the owner any that live? Takes a look, if that is cheap.
enum orphans_state orphans_look(struct orphans *o, const void *owner);
// f is called for each living one until it gives something else than 0, which is returned. No look
// is taken.
int orphans_foreach(struct orphans *o, const void *owner, int (*f)(pid_t pid, void *data),
                    void *data);

// All orphans that there are now are met by the look with the number that is returned, if not by an
// earlier one. is_at_once: it is taken at once, if that is cheap; else those that come before it is
// taken are met by it, too.
uint64_t orphans_meet_all(struct orphans *o, bool is_at_once);
bool orphans_is_met_by(const struct orphans *o, pid_t pid, uint64_t look);

// Waits for the next look that begins from now on: on_known is called once, from the loop, with
// NONE or SOME. Zero-initialise.
struct orphans_wait {
        struct list_node node;
        const void *owner;
        uint64_t since;
        void (*on_known)(struct orphans_wait *w, enum orphans_state state);
};
// is_urgent: a look is taken for it; else it is told at the next look that something else causes.
// owner NULL: it is told as soon as something new is known of anybody.
void orphans_wait(struct orphans *o, struct orphans_wait *w, const void *owner, bool is_urgent,
                  void (*on_known)(struct orphans_wait *w, enum orphans_state state));
void orphans_wait_stop(struct orphans_wait *w);
// The owner goes: its orphans are nobody's from now on.
void orphans_disown(struct orphans *o, const void *owner);

struct orphan_facts {
        struct owner owner; // self NULL: nobody's
        bool is_hinted;     // only its environment says so
        bool is_sorted;     // false: it may turn out to be somebody's yet
};
// Is it one that is known? No look is taken.
bool orphans_find(struct orphans *o, pid_t pid, struct orphan_facts *ret);
// A child of ours that was met just now: as above. False: no memory, or it is no orphan.
bool orphans_meet(struct orphans *o, pid_t pid, struct orphan_facts *ret);
// Whose is this session? False: unknown, or nobody's.
bool orphans_find_session(struct orphans *o, pid_t session, struct orphan_facts *ret);

// What is asked of those who know the owners.
struct orphan_claim {
        const char *invocation_id;
        struct proc_uids uids;
        struct owner owner; // the answer; self NULL: nobody
};
struct orphan_hooks {
        // Who owns the processes that claim these ids? 0 or -ENOMEM.
        int (*find_owners)(void *data, struct orphan_claim *claims, size_t n);
        // Could a process of these users be the owner's, if it says so? is_likely: does it run as
        // the owner's user?
        bool (*may_own)(void *data, const void *owner, const struct proc_uids *uids,
                        bool is_likely);
        void *data;
};
// Without hooks no environment is looked at. Copied.
void orphans_set_hooks(struct orphans *o, const struct orphan_hooks *hooks);
