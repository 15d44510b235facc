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

// All dependencies of one unit on another: one entry for each neighbour.
struct dependency_edge {
        struct unit *unit;
        uint32_t kinds; // DEP_BIT(...)
};

#define DEPENDENCY_BLOCK 64

// Edges in the order in which they were made. If there is more than one block of them, `blocks`
// holds the kinds that occur in each: the few units that a unit names are found quickly even if
// thousands of others name it.
struct dependency_list {
        struct dependency_edge *items;
        uint32_t *blocks; // NULL: there is only one block
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

// Walks the units to which u has an edge of one of these kinds (DEP_BIT(...) | ...). The body may
// add edges; `break` does not end the walk.
#define UNIT_FOREACH_DEPENDENCY(u, mask, other)                                                  \
        for (uint32_t other##_i = dependency_next(&(u)->deps, 0, mask); other##_i < (u)->deps.n; \
             other##_i = dependency_next(&(u)->deps, other##_i + 1, mask))                       \
                for (struct unit *other = (u)->deps.items[other##_i].unit; other; other = NULL)

// The answer of a type's operation when a job runs it.
enum unit_verdict {
        UNIT_STARTED,     // in progress; unit_notify() is called when it is over
        UNIT_ALREADY,     // nothing to do
        UNIT_RETRY,       // not now; the job is tried again when the unit changes state
        UNIT_WAITS,       // its conditions wait for an answer (job_look_again() follows)
        UNIT_SKIPPED,     // a condition does not hold: job done, unit stays as it is
        UNIT_ASSERT,      // an assertion does not hold
        UNIT_NOT_LOADED,  // masked, missing or bad: job invalid/failed
        UNIT_UNSUPPORTED, // this type does not support it
        UNIT_FAILED,      // failed at once (state already set)
        UNIT_LIMIT,       // start limit hit
        UNIT_INACTIVE,    // it is not active (verify-active jobs only)
        UNIT_INVALID,     // not in this state (reload of what is not active)
        UNIT_NO_GROUND,   // a unit that it is bound to is not active
        UNIT_TIMEOUT,     // its conditions got no answer in time
};

#define UNIT_CLEAN_FDSTORE (1u << 8)

struct unit_ops {
        enum unit_type type;
        size_t size; // of the struct that embeds struct unit
        // Called after `conf` was set for the first time (in any load state). 0 or -ENOMEM.
        int (*init)(struct unit *u);
        void (*done)(struct unit *u);
        // A reload has replaced the conf: u->conf is the new one already, old (freed afterwards) is
        // for comparison. Also called when only paths or links differ.
        void (*reconfigure)(struct unit *u, struct unit_conf *old);
        // The place of the conf of the template whose instances it starts (NULL there: it has none
        // yet). A reload replaces it. NULL: the type has no such template.
        struct unit_conf **(*template_conf)(struct unit *u);
        // What clean() could remove: bits 1 << enum spawn_directory, UNIT_CLEAN_FDSTORE. NULL: the
        // type has nothing.
        unsigned (*can_clean)(const struct unit *u);
        // Removes it; the unit is inactive, loaded and has no job. 0: done, or in progress (state
        // maintenance); -EUNATCH: it has nothing of that; -EBUSY: not now; other -errno.
        int (*clean)(struct unit *u, unsigned what);
        // A reload is over, whether conf has changed or not: drops what was read from files other
        // than the unit's own. NULL: there is nothing to drop.
        void (*reloaded)(struct unit *u);
        enum unit_verdict (*start)(struct unit *u);
        // A start was requested while it is up: restores what is missing. NULL: nothing can be.
        void (*start_again)(struct unit *u);
        // A start was requested, and a unit that it needs is not there. NULL: the type ignores
        // this.
        void (*start_refused)(struct unit *u, const struct unit *culprit);
        enum unit_verdict (*stop)(struct unit *u);
        // A stop was requested while it is down: it no longer waits to be started. NULL: it never
        // does.
        void (*stop_again)(struct unit *u);
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
        // OnSuccess= or OnFailure= of a unit that has ended is about to start it. NULL: the type
        // ignores this.
        void (*handle)(struct unit *u, struct unit *ended);
        bool (*is_needed)(const struct unit *u); // must stay loaded while inactive; NULL: never
        // Descriptors that a service which this unit triggers inherits: appended to *fds and *names
        // (FileDescriptorName= for each). NULL: none. 0 or -ENOMEM.
        int (*collect_fds)(struct unit *u, int **fds, size_t *n, char ***names);
        // Exit status of the main process that ended last (FailureAction=exit); -1: none. NULL:
        // none.
        int (*exit_status)(const struct unit *u);
};

// What an administrator can ask to be cleaned.
enum unit_mark {
        UNIT_MARK_RELOAD = 1 << 0,
        UNIT_MARK_RESTART = 1 << 1,
};

struct unit {
        struct manager *manager;
        const struct unit_ops *ops; // chosen by the name's suffix
        const char *id;             // belongs to the registry
        struct unit_conf *conf;     // reference; never NULL after load
        struct job *job;            // the pending job, if any
        struct dependency_list deps;

        // when the state changed, as observers see it (ops->active_state is the truth)
        usec_t state_change, state_change_rt; // on any state change
        usec_t inactive_exit, inactive_exit_rt;
        usec_t active_enter, active_enter_rt;
        usec_t active_exit, active_exit_rt;
        usec_t inactive_enter, inactive_enter_rt;
        usec_t condition_time, condition_time_rt, assert_time, assert_time_rt;
        bool condition_result, assert_result;
        struct unit_checks *checks; // unit_condition.c only; NULL: nothing was tested
        sd_id128_t invocation_id;
        usec_t conf_rt; // time when conf was read
        struct rate start_limit;
        struct rate auto_limit; // limits unrequested starts and stops
        bool start_limit_hit;
        bool holds_stop; // it went down, and units bound to it have not been stopped yet
        char **aliases;  // further names in the registry
        char *kept;      // the fault in its files that makes it keep an earlier conf
        unsigned reload; // the last reload that has read its files (n_reloads of the manager)

        uint32_t consequences;  // pending consequences of its last changes for others (propagate.h)
        uint32_t fail_position; // the next edge to visit while dependent jobs fail
        struct work change_work, state_work, notify_work;
        struct {
                struct list_node node; // in the list of units to be judged
                struct unit *next,
                        *named;      // next: the units met; named: the unit by which it was found
                uint32_t walk, kept; // numbers of the search that met it last, and of the one that
                                     // found it must stay
        } collect;                   // used by core/unit/collect.c only
        bool is_gone;                // about to be freed
        uint8_t marks;              // enum unit_mark, belongs to the observer (bus/manager_units.c)
        unsigned n_refs;            // clients that keep it in memory
        struct list_node type_node; // in manager's list of its type
        void *bus;                  // belongs to the observer (bus/unit.c)
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
// hear at once. Its consequences for other units (dependent jobs fail, BindsTo=, OnFailure=, the
// sockets of a service, FailureAction=, ...) follow after the running callback has returned
// (core/unit/propagate.h): no unit but u has changed when this returns.
enum unit_notify_flags {
        UNIT_NOTIFY_RELOAD_FAILURE = 1 << 0,
        UNIT_NOTIFY_WILL_RESTART =
                1 << 1, // Restart= is about to act: no OnFailure with RestartMode=direct
        UNIT_NOTIFY_SKIPPED = 1 << 2, // ended by ExecCondition=
        // The unit comes back by itself: units bound to it are not stopped (difference
        // restart-no-stop), unless it fails to come back.
        UNIT_NOTIFY_KEEPS_BOUND = 1 << 3,
};
void unit_notify(struct unit *u, enum active_state old, enum active_state now,
                 enum unit_notify_flags flags);
// Takes over the settings of a new conf that the unit itself stores (limits). Called after u->conf
// was set.
void unit_configure(struct unit *u);
// Replaces the conf of u; takes the reference. The registry rebuilds edges and names.
void unit_replace_conf(struct unit *u, struct unit_conf *fresh);
// Properties changed without a state change (counters, status text). Observers are notified later,
// once for all changes up to then.
void unit_changed(struct unit *u);
// Notifies observers now of pending changes: called before an event that clients take for the last
// one (JobRemoved).
void unit_flush_changes(struct unit *u);
// Was a file behind its conf changed, removed, or a drop-in added since it was read?
bool unit_needs_daemon_reload(const struct unit *u);

// Counts one start against StartLimit*; true: it may start. Types call it at the same point as
// systemd (StartLimitIntervalSec= in systemd.unit(5)).
bool unit_start_limit_test(struct unit *u);
// Conditions and asserts of [Unit]; result kept in the unit. UNIT_STARTED: all hold; UNIT_SKIPPED;
// UNIT_ASSERT; UNIT_WAITS: what they name is on a file system (or asked of a name service) that may
// not answer, and job_look_again() follows, upon which this is to be called again; UNIT_TIMEOUT,
// UNIT_FAILED: there was no answer (logged). Called before ops->start when a start job runs.
enum unit_verdict unit_test_conditions(struct unit *u);
bool unit_is_checking(const struct unit *u);        // does it wait for an answer?
const char *unit_checks_text(const struct unit *u); // what it waits for, as text; NULL: nothing
void unit_forget_checks(struct unit *u);            // no answer is needed any longer
void unit_checks_free(struct unit *u);
// CONDITION_MET or another result (core/condition/condition.h) for each condition, or assert, of
// the last start that tested it; NULL: none has since the files were read. Borrowed.
const int8_t *unit_condition_states(const struct unit *u, bool is_assert);
// The unit that this one triggers (socket -> its service), or NULL.
struct unit *unit_triggered(const struct unit *u);
const char *unit_description(const struct unit *u); // Description= or the id
