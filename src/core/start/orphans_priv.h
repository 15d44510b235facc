// What the files of the orphans share.
#pragma once

#include "base/inquiry.h"
#include "base/map.h"
#include "core/loop/events.h"
#include "core/start/orphans.h"

#include <dirent.h>

#define ORPHANS_SLICE USEC_PER_MSEC // of the loop's time

struct orphan {
        pid_t pid, session;
        enum {
                ORPHAN_UNSORTED, // nothing is known of it
                ORPHAN_ASKED,    // its environment is to be read
                ORPHAN_SORTED,
                ORPHAN_ENDED, // a zombie: its pid and session stay until a look is complete
        } state;
        bool is_hinted;
        bool is_mute; // reading its environment took too long
        uint8_t n_looks;
        struct owner owner;
        struct proc_uids uids;  // of one that is asked
        struct list_node all;   // in orphans.all
        struct list_node todo;  // in the list of its state
        struct list_node kin;   // in its owner's brood
        struct list_node mates; // others of its session that have an owner
        uint64_t died;          // orphans.n_begun then
        uint64_t met;           // the first look that could have met it
        usec_t ask_at;
};

// Those of one owner.
struct brood {
        struct list_node orphans;
        size_t n_living;
};

enum look_phase {
        LOOK_IDLE,
        LOOK_CHECK, // which of those that are known have ended?
        LOOK_READ,  // whose parent has ended?
        LOOK_SORT,  // who left them?
        LOOK_REAP,  // those that had ended before the list was read are let go
        LOOK_TELL,
};

enum children_source {
        CHILDREN_UNTRIED,
        CHILDREN_FILE,   // the kernel's list
        CHILDREN_ALL,    // it has none: all processes are looked at
        CHILDREN_UNSEEN, // no /proc: whoever has ended is waited for, nobody's orphans are known
};

// Kinds of users that those have who are asked; more than fit are taken for any.
#define SUSPECTS_MAX 32
struct suspects {
        struct suspect {
                struct proc_uids uids;
                bool is_of_hung; // nobody but the user's own services waits for him
        } items[SUSPECTS_MAX];
        size_t n;
        bool is_any;
};

// Who is asked first: nobody waits for one over which a reader may hang, but those like him.
enum ask_turn {
        ASK_FIRST,
        ASK_OF_HUNG, // a reader hung over another one of that user lately
        ASK_MUTE,    // one hung over himself
        ASK_NEVER,
};

// Users over whose orphans readers hung lately; more than fit replace the oldest.
#define HUNG_MAX 16
struct hung_user {
        uid_t uid;    // the real one, which a process cannot choose
        usec_t until; // 0: none
};

struct orphans {
        struct zombie_keeper keeper; // what the reaper tells
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
        uint64_t n_begun;      // times that the list was begun to be read
        uint64_t n_complete;   // the last of these that is complete
        uint64_t batch;        // of events, in which a complete look was taken
        uint64_t n_wanted;     // somebody waits for so many
        usec_t ended_at, cost; // of the last one
        usec_t spent;          // of this one
        bool is_incomplete;    // something could not be looked at
        bool has_ended_since;  // SIGCHLD came since the look began
        bool has_news;         // for those who wait
        struct timer timer;
        struct list_node waits, telling;
        struct suspects suspects;
        // the environments
        struct inquiry *inquiry;
        struct watch answer;
        struct timer ask_timer, progress_timer;
        pid_t *batch_pids; // that it was given
        size_t n_batch, n_answered;
        enum ask_turn turn; // of them
        struct hung_user hung[HUNG_MAX];
};

// ---- the table (orphans.c)

struct orphan *orphans_add(struct orphans *o, pid_t pid); // or the one it is; NULL: no memory
// False: no memory, and it is as before.
bool orphans_set_owner(struct orphans *o, struct orphan *x, const struct owner *owner,
                       bool is_hinted);
void orphans_set_state(struct orphans *o, struct orphan *x, int state);
void orphans_remove(struct orphans *o, struct orphan *x);
// Who left it? It is sorted, asked or ended then; where it cannot be looked at now it stays as it
// is. False: it is gone.
bool orphans_sort(struct orphans *o, struct orphan *x);

// ---- looks (orphans_look.c)

void orphans_tell(struct orphans *o);       // somebody who was asked is sorted now
void orphans_on_sigchld(struct orphans *o); // or something else has ended, or come
void orphans_look_done(struct orphans *o);

// ---- environments (orphans_ask.c)

void orphans_ask_soon(struct orphans *o, usec_t when);
// Has a reader hung over an orphan of this user lately?
bool orphans_has_hung(const struct orphans *o, uid_t uid);
void orphans_ask_done(struct orphans *o);
