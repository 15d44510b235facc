// A unit at run time: what the registry holds for each name. Configuration is behind `conf` and
// never changes under it except by a reload, which swaps the pointer. The type's own part (struct
// sock, struct service, struct target) embeds this as its first member and is reached through
// `ops`.
#pragma once

#include "base/list.h"
#include "base/rate.h"
#include "conf/unit_conf.h"
#include "core/loop/events.h"

#include <systemd/sd-id128.h>

struct manager;
struct job;
struct unit;

enum active_state {
        ACTIVE_INACTIVE,
        ACTIVE_ACTIVE,
        ACTIVE_RELOADING,
        ACTIVE_FAILED,
        ACTIVE_ACTIVATING,
        ACTIVE_DEACTIVATING,
        ACTIVE_MAINTENANCE,
        _ACTIVE_STATE_MAX,
};

// Kinds of edges between units. Each edge is kept at both ends (the second column is the inverse).
enum dependency {
        DEP_REQUIRES,             // DEP_REQUIRED_BY
        DEP_REQUISITE,            // DEP_REQUISITE_OF
        DEP_WANTS,                // DEP_WANTED_BY
        DEP_BINDS_TO,             // DEP_BOUND_BY
        DEP_PART_OF,              // DEP_CONSISTS_OF
        DEP_UPHOLDS,              // DEP_UPHELD_BY
        DEP_CONFLICTS,            // DEP_CONFLICTED_BY
        DEP_BEFORE,               // DEP_AFTER
        DEP_ON_SUCCESS,           // DEP_ON_SUCCESS_OF
        DEP_ON_FAILURE,           // DEP_ON_FAILURE_OF
        DEP_TRIGGERS,             // DEP_TRIGGERED_BY
        DEP_PROPAGATES_RELOAD_TO, // DEP_RELOAD_PROPAGATED_FROM
        DEP_PROPAGATES_STOP_TO,   // DEP_STOP_PROPAGATED_FROM
        DEP_JOINS_NAMESPACE_OF,   // itself
        DEP_REQUIRED_BY,
        DEP_REQUISITE_OF,
        DEP_WANTED_BY,
        DEP_BOUND_BY,
        DEP_CONSISTS_OF,
        DEP_UPHELD_BY,
        DEP_CONFLICTED_BY,
        DEP_AFTER,
        DEP_ON_SUCCESS_OF,
        DEP_ON_FAILURE_OF,
        DEP_TRIGGERED_BY,
        DEP_RELOAD_PROPAGATED_FROM,
        DEP_STOP_PROPAGATED_FROM,
        _DEP_MAX,
};

#define DEP_BIT(d) (UINT32_C(1) << (d))

// All that one unit has to do with another: one entry a neighbour.
struct dependency_edge {
        struct unit *unit;
        uint32_t kinds; // DEP_BIT(...)
};

#define DEPENDENCY_BLOCK 64

// Edges in the order in which they were made. Where there are more than a block of them, `blocks`
// has the kinds that occur in each: the few units that a unit names are found quickly though
// thousands of others name it.
struct dependency_list {
        struct dependency_edge *items;
        uint32_t *blocks; // NULL: there is one block
        uint32_t n, capacity;
        uint32_t last; // index of the edge that was made or widened last
};

// Index of the first edge, from this one on, that has one of these kinds; l->n: there is none.
static inline uint32_t dependency_next(const struct dependency_list *l, uint32_t i, uint32_t mask)
{
        while (i < l->n) {
                if (l->blocks && i % DEPENDENCY_BLOCK == 0 &&
                    !(l->blocks[i / DEPENDENCY_BLOCK] & mask)) {
                        i += DEPENDENCY_BLOCK;
                        continue;
                }
                if (l->items[i].kinds & mask)
                        return i;
                i++;
        }
        return l->n;
}

// Walk the units that u has an edge of one of these kinds to (DEP_BIT(...) | ...). The body may add
// edges; `break` does not end the walk.
#define UNIT_FOREACH_DEPENDENCY(u, mask, other)                                                  \
        for (uint32_t other##_i = dependency_next(&(u)->deps, 0, mask); other##_i < (u)->deps.n; \
             other##_i = dependency_next(&(u)->deps, other##_i + 1, mask))                       \
                for (struct unit *other = (u)->deps.items[other##_i].unit; other; other = NULL)

// What an operation of a type answers when a job runs it.
enum unit_verdict {
        UNIT_STARTED,     // under way; unit_notify() is called at its end
        UNIT_ALREADY,     // nothing to do
        UNIT_RETRY,       // not now; the job is tried again when the unit changes state
        UNIT_WAITS,       // for what its conditions name (job_look_again() follows)
        UNIT_SKIPPED,     // a condition does not hold: job done, unit stays as it is
        UNIT_ASSERT,      // an assertion does not hold
        UNIT_NOT_LOADED,  // masked, missing or bad: job invalid/failed
        UNIT_UNSUPPORTED, // this type cannot do it
        UNIT_FAILED,      // failed at once (state already set)
        UNIT_LIMIT,       // start limit hit
        UNIT_INACTIVE,    // it is not active (verify-active jobs only)
        UNIT_INVALID,     // not in this state (reload of what is not active)
        UNIT_NO_GROUND,   // what it is bound to is not there
        UNIT_TIMEOUT,     // what its conditions name does not answer
};

struct unit_ops {
        enum unit_type type;
        size_t size; // of the struct that embeds struct unit
        // After `conf` was set for the first time (conf may be in any load state). 0 or -ENOMEM.
        int (*init)(struct unit *u);
        void (*done)(struct unit *u);
        // A reload gave a new conf: u->conf is the new one already, old (freed afterwards) is given
        // for comparison. Also called when only paths or links differ.
        void (*reconfigure)(struct unit *u, struct unit_conf *old);
        // Where the conf of the template is that it starts instances of (NULL there: it has none
        // yet). A reload puts a new one in its place. NULL: this type has no such thing.
        struct unit_conf **(*template_conf)(struct unit *u);
        // A reload is over, whether conf has changed or not: forget what other files than the
        // unit's own have said. NULL: nothing.
        void (*reloaded)(struct unit *u);
        enum unit_verdict (*start)(struct unit *u);
        // A start was asked for while it is up: is all there that it should have? NULL: nothing.
        void (*start_again)(struct unit *u);
        enum unit_verdict (*stop)(struct unit *u);
        enum unit_verdict (*reload)(struct unit *u); // NULL: never
        bool (*can_reload)(const struct unit *u);    // NULL: no
        // Send a signal; `who` is "main", "control", "all", "main-fail", "control-fail",
        // "all-fail". 0, -ESRCH (no such process), -EINVAL, other -errno.
        int (*kill)(struct unit *u, const char *who, int signo);
        enum active_state (*active_state)(const struct unit *u);
        const char *(*sub_state)(const struct unit *u);
        const char *(*result)(const struct unit *u); // "success", "exit-code", ...; NULL: has none
        void (*reset_failed)(struct unit *u);
        // A unit that this one triggers (socket: its service) changed state or finished a job.
        void (*trigger_notify)(struct unit *u, struct unit *other);
        // It is about to be started by OnSuccess= or OnFailure= of a unit that has ended. NULL:
        // that is nothing to it.
        void (*handle)(struct unit *u, struct unit *ended);
        bool (*is_needed)(const struct unit *u); // must stay loaded though inactive; NULL: no
        // Descriptors that a service which this unit triggers inherits: appended to *fds and *names
        // (FileDescriptorName= for each). NULL: none. 0 or -ENOMEM.
        int (*collect_fds)(struct unit *u, int **fds, size_t *n, char ***names);
        // Exit status of the main process that ended last (FailureAction=exit); -1: none. NULL:
        // none.
        int (*exit_status)(const struct unit *u);
};

// What is to be done with it when an administrator says so.
enum unit_mark {
        UNIT_MARK_RELOAD = 1 << 0,
        UNIT_MARK_RESTART = 1 << 1,
};

struct unit {
        struct manager *manager;
        const struct unit_ops *ops; // by type of the name
        const char *id;             // the registry's
        struct unit_conf *conf;     // reference; never NULL after load
        struct job *job;            // the one pending job
        struct dependency_list deps;

        // when the state changed as observers know it (ops->active_state is the truth)
        usec_t state_change, state_change_rt; // any state change
        usec_t inactive_exit, inactive_exit_rt;
        usec_t active_enter, active_enter_rt;
        usec_t active_exit, active_exit_rt;
        usec_t inactive_enter, inactive_enter_rt;
        usec_t condition_time, condition_time_rt, assert_time, assert_time_rt;
        bool condition_result, assert_result;
        struct unit_checks *checks; // unit_condition.c alone; NULL: nothing was looked at
        sd_id128_t invocation_id;
        usec_t conf_rt; // when conf was read
        struct rate start_limit;
        struct rate auto_limit; // of starts and stops without a request
        bool start_limit_hit;
        bool holds_stop; // it went down, and those that are bound to it were not stopped yet
        char **aliases;  // further names in the registry
        char *kept;      // what is wrong with its files, so that it goes on with an earlier conf
        unsigned reload; // the last one that has read its files (n_reloads of the manager)

        uint32_t consequences;  // what its last changes mean for others: still to do (propagate.c)
        uint32_t fail_position; // edge that is looked at next while jobs fail with its own
        struct work change_work, state_work, notify_work;
        struct {
                struct list_node node;     // of those that are to be looked at
                struct unit *next, *named; // of those that are met; the one through which
                uint32_t walk, kept;       // the last time that it was met, that it was to stay
        } collect;                         // core/unit/collect.c alone
        bool is_gone;                      // about to be freed
        uint8_t marks;              // enum unit_mark, of the observers' own (bus/manager_units.c)
        unsigned n_refs;            // clients for whom it stays in memory
        struct list_node type_node; // in manager's list of its type
        void *bus;                  // the observer's own (bus/unit.c)
};

const char *active_state_name(enum active_state state);
const char *load_state_name(enum load_state state);
const char *dependency_name(enum dependency d); // "Requires", "TriggeredBy", ...

bool unit_can_reload(const struct unit *u);
static inline enum active_state unit_active_state(const struct unit *u)
{
        return u->ops->active_state(u);
}
bool active_state_is_up(enum active_state s);           // active or reloading
bool active_state_is_up_or_coming(enum active_state s); // or activating
bool active_state_is_inactive_or_failed(enum active_state s);
bool active_state_is_down_or_going(enum active_state s); // or deactivating

// Called by the types on every change of their state (also sub-state only). old/now are active
// states. Sets the time stamps and finishes or re-queues the unit's own job, of which observers
// hear at once. What the change means for other units (jobs that fail with it, BindsTo=,
// OnFailure=, the sockets of a service, FailureAction=, ...) is done when the callback that runs
// has returned (core/unit/propagate.h): no unit but u has changed when this returns.
enum unit_notify_flags {
        UNIT_NOTIFY_RELOAD_FAILURE = 1 << 0,
        UNIT_NOTIFY_WILL_RESTART =
                1 << 1, // Restart= is about to act: no OnFailure with RestartMode=direct
        UNIT_NOTIFY_SKIPPED = 1 << 2, // ended by ExecCondition=
        // It comes back by itself: those that are bound to it are not stopped (difference
        // restart-no-stop), unless it comes to an end after all.
        UNIT_NOTIFY_KEEPS_BOUND = 1 << 3,
};
void unit_notify(struct unit *u, enum active_state old, enum active_state now,
                 enum unit_notify_flags flags);
// Take over what the unit itself keeps of a new conf (limits). Called after u->conf was set.
void unit_configure(struct unit *u);
// Another conf in place of u's; takes the reference. Edges and names are the registry's to make.
void unit_replace_conf(struct unit *u, struct unit_conf *fresh);
// Properties changed without a state change (counters, status text). Observers are notified later,
// once for all changes up to then.
void unit_changed(struct unit *u);
// Notify observers now of the changes they have not seen yet: before an event that clients take for
// the last one (JobRemoved).
void unit_flush_changes(struct unit *u);
// Was a file behind its conf changed, removed, or a drop-in added since it was read?
bool unit_needs_daemon_reload(const struct unit *u);

// Count one start against StartLimit*; true: may start. Types call it where systemd does
// (StartLimitIntervalSec= in systemd.unit(5)).
bool unit_start_limit_test(struct unit *u);
// Conditions and asserts of [Unit]; result kept in the unit. UNIT_STARTED: all hold; UNIT_SKIPPED;
// UNIT_ASSERT; UNIT_WAITS: what they name is on a file system (or asked of a name service) that may
// not answer, and job_look_again() follows, upon which this is to be called again; UNIT_TIMEOUT,
// UNIT_FAILED: there was no answer (logged). Called before ops->start by whoever runs a start job.
enum unit_verdict unit_test_conditions(struct unit *u);
bool unit_is_checking(const struct unit *u);        // does it wait?
const char *unit_checks_text(const struct unit *u); // for what, in words; NULL: it does not
void unit_forget_checks(struct unit *u);            // no answer is wanted (any more)
void unit_checks_free(struct unit *u);
// CONDITION_MET and its sisters (core/condition/condition.h) for each condition, or assert, when a
// start has come to it last; NULL: none has since the files were read. Borrowed.
const int8_t *unit_condition_states(const struct unit *u, bool is_assert);
// The unit that this one triggers (socket -> its service), or NULL.
struct unit *unit_triggered(const struct unit *u);
const char *unit_description(const struct unit *u); // Description= or the id
