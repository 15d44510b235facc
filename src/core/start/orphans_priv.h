// What the files of the orphans share.
#pragma once

#include "base/inquiry.h"
#include "base/map.h"
#include "core/loop/events.h"
#include "core/start/orphans.h"

#include <dirent.h>

#define ORPHANS_SLICE USEC_PER_MSEC // of loop time

struct orphan {
        pid_t pid, session;
        enum {
                ORPHAN_UNSORTED, // nothing is known about it
                ORPHAN_ASKED,    // its environment is to be read
                ORPHAN_SORTED,
                ORPHAN_ENDED, // a zombie: its pid and session stay until a look is complete
        } state;
        bool is_hinted;
        bool is_mute; // reading its environment took too long
        uint8_t n_looks;
        struct owner owner;
        struct proc_uids uids;  // set while it is asked
        struct list_node all;   // in orphans.all
        struct list_node todo;  // in the list of its state
        struct list_node kin;   // in its owner's brood
        struct list_node mates; // others of its session that have an owner
        uint64_t died;          // orphans.n_begun then
        usec_t ask_at;
};

// The orphans of one owner.
struct brood {
        struct list_node orphans;
        size_t n_living;
};

enum look_phase {
        LOOK_IDLE,
        LOOK_CHECK, // which known orphans have ended
        LOOK_READ,  // which processes are new
        LOOK_SORT,  // whose orphans they are
        LOOK_REAP,  // zombies that ended before the list was read are waited for
        LOOK_TELL,
};

enum children_source {
        CHILDREN_UNTRIED,
        CHILDREN_FILE,   // the kernel's list
        CHILDREN_ALL,    // the kernel has none: all processes are examined
        CHILDREN_UNSEEN, // no /proc: every zombie is waited for, and no owner is known
};

// The kinds of users of the orphans that are being asked; if there are more, any user matches.
#define SUSPECTS_MAX 32
struct suspects {
        struct suspect {
                struct proc_uids uids;
                bool is_of_hung; // only the user's own services wait for it
        } items[SUSPECTS_MAX];
        size_t n;
        bool is_any;
};

// Which orphans are asked first: none waits for one on which a reader may hang, except its like.
enum ask_turn {
        ASK_FIRST,
        ASK_OF_HUNG, // a reader hung on another orphan of that user lately
        ASK_MUTE,    // a reader hung on this orphan
        ASK_NEVER,
};

// Users on whose orphans readers hung lately; when the table is full, the oldest entry is replaced.
#define HUNG_MAX 16
struct hung_user {
        uid_t uid;    // the real uid, which a process cannot choose
        usec_t until; // 0: none
};

struct orphans {
        struct zombie_keeper keeper; // called by the reaper
        struct reaper *reaper;
        struct events *events;
        struct orphan_hooks hooks; // NULL functions: not set
        struct u64map *by_pid;     // struct orphan
        struct u64map *by_session; // struct orphan: one of those with an owner
        struct u64map *by_owner;   // struct brood
        struct list_node all, unsorted, asked, ended;
        // the look
        enum look_phase phase;
        struct list_node *cursor; // in all
        enum children_source source;
        struct proc_children children;
        DIR *processes;
        uint64_t n_begun;      // how often reading the list was begun
        uint64_t n_complete;   // the last of these that was complete
        uint64_t batch;        // of events: in which a complete look was taken
        uint64_t n_wanted;     // callers wait for this look
        usec_t ended_at, cost; // of the last look
        usec_t spent;          // by this look
        bool is_incomplete;    // something could not be read
        bool has_ended_since;  // SIGCHLD came since the look began
        bool has_news;         // for the waiting callers
        struct timer timer;
        struct list_node waits, telling;
        struct suspects suspects;
        // the environments
        struct inquiry *inquiry;
        struct watch answer;
        struct timer ask_timer, progress_timer;
        pid_t *batch_pids; // passed to the reader
        size_t n_batch, n_answered;
        enum ask_turn turn; // of the batch
        struct hung_user hung[HUNG_MAX];
};

// ---- the table (orphans.c)

struct orphan *orphans_add(struct orphans *o, pid_t pid); // new or existing; NULL: no memory
// False: no memory, and nothing has changed.
bool orphans_set_owner(struct orphans *o, struct orphan *x, const struct owner *owner,
                       bool is_hinted);
void orphans_set_state(struct orphans *o, struct orphan *x, int state);
void orphans_remove(struct orphans *o, struct orphan *x);
// Determines the owner. Afterwards it is sorted, asked or ended; if it cannot be examined now, its
// state does not change. False: it is gone.
bool orphans_sort(struct orphans *o, struct orphan *x);

// ---- looks (orphans_look.c)

void orphans_tell(struct orphans *o);       // an orphan that was asked is sorted now
void orphans_on_sigchld(struct orphans *o); // or another cause for a look
void orphans_look_done(struct orphans *o);

// ---- environments (orphans_ask.c)

void orphans_ask_soon(struct orphans *o, usec_t when);
// Has a reader hung on an orphan of this user lately?
bool orphans_has_hung(const struct orphans *o, uid_t uid);
void orphans_ask_done(struct orphans *o);
