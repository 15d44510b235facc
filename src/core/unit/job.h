// Jobs: a request becomes an ordered set of starts and stops (a transaction), is merged with the
// pending jobs, runs as ordering allows, and finishes when the unit changes state.
//
// The pure halves are core/unit/job_type (what two jobs of a unit make together) and
// core/unit/order (jobs and edges in, ordered jobs or a cycle out); core/unit/transaction is in
// between the two.
#pragma once

#include "core/unit/unit.h"

struct job_queue;

enum job_type {
        JOB_START,
        JOB_VERIFY_ACTIVE,
        JOB_STOP,
        JOB_RELOAD,
        JOB_RESTART,
        JOB_NOP,
        // requests only, collapsed by the unit's state when the transaction is made
        JOB_TRY_RESTART,
        JOB_TRY_RELOAD,
        JOB_RELOAD_OR_START,
        _JOB_TYPE_MAX,
        _JOB_TYPE_INVALID = -EINVAL,
};

enum job_state { JOB_WAITING, JOB_RUNNING };

enum job_mode {
        JOB_FAIL,
        JOB_REPLACE,
        JOB_REPLACE_IRREVERSIBLY,
        JOB_ISOLATE,
        JOB_FLUSH,
        JOB_IGNORE_DEPENDENCIES,
        JOB_IGNORE_REQUIREMENTS,
        JOB_TRIGGERING,
        JOB_RESTART_DEPENDENCIES,
        JOB_LENIENT, // as fail, and no running unit is stopped (v256)
        _JOB_MODE_MAX,
        _JOB_MODE_INVALID = -EINVAL,
};

enum job_result {
        JOB_DONE,
        JOB_CANCELED,
        JOB_TIMEOUT,
        JOB_FAILED,
        JOB_DEPENDENCY,
        JOB_SKIPPED,
        JOB_INVALID,
        JOB_ASSERT,
        JOB_UNSUPPORTED,
        JOB_COLLECTED,
        _JOB_RESULT_MAX,
};

struct job {
        uint32_t id;
        enum job_type type;
        enum job_state state;
        struct unit *unit; // whose `job` it is, but for JOB_NOP
        bool irreversible, ignore_order;
        bool closes_cycle;           // it would wait for itself, so it does not wait
        bool is_quiet;               // nothing was done, so its end is not logged
        bool is_told;                // its begin has been logged
        usec_t begin, begin_running; // 0: does not run yet
        uint32_t awaited;         // the edge of its unit on which it last found a job to wait for
        uint32_t walk;            // number of the last search for a cycle that reached it
        struct job *next_pending; // what that search visits next
        struct work run_work;
        struct timer timer;    // JobTimeoutSec=, JobRunningTimeoutSec=
        struct list_node node; // in the queue's list of all jobs
        void *bus;
};

// Why a request was refused; bus maps each to a D-Bus error name.
enum request_error {
        REQUEST_OK,
        REQUEST_NO_SUCH_UNIT,
        REQUEST_LOAD_FAILED, // error or bad-setting
        REQUEST_BAD_UNIT_SETTING,
        REQUEST_MASKED,
        REQUEST_ONLY_BY_DEPENDENCY, // RefuseManualStart=/Stop=
        REQUEST_CONFLICTING,
        REQUEST_DESTRUCTIVE,
        REQUEST_CYCLIC,
        REQUEST_NOT_APPLICABLE, // the job type does not fit (reload of a target)
        REQUEST_NO_ISOLATION,
        REQUEST_SHUTTING_DOWN,
        REQUEST_FAILED, // memory or a limit
};

#define REQUEST_TEXT_MAX 600 // two unit names and the fault

struct request_failure {
        enum request_error error;
        char text[REQUEST_TEXT_MAX]; // systemd's wording: "Unit foo.service not found."
};

// Makes and installs a transaction. *ret_job: the anchor job (it may have been merged into a
// pending one), NULL when there was nothing to do. REQUEST_OK or the reason (also in *failure).
enum request_error job_request(struct manager *m, enum job_type type, struct unit *u,
                               enum job_mode mode, struct job **ret_job,
                               struct request_failure *failure);
// Stops all of these units, in order, with the units that depend on them; a unit that cannot be
// ordered is left out.
enum request_error job_request_stops(struct manager *m, struct unit *const *units, size_t n,
                                     struct request_failure *failure);
// The same for a manual request (bus): checks RefuseManual*, masks, load state.
enum request_error job_request_manual(struct manager *m, enum job_type type, struct unit *u,
                                      enum job_mode mode, struct job **ret_job,
                                      struct request_failure *failure);
// A running start job has to begin again: its unit ended while it was starting, and is to be
// restarted (RestartMode=direct).
void job_run_again(struct job *j);
// The job is over: it is freed, and observers are notified (JOB_DONE does not end a restart: it
// continues as a start). The consequences (core/unit/propagate.h) follow later: dependent jobs
// fail, and waiting jobs are looked at. Until then no other job changes.
void job_finish(struct job *j, enum job_result result);
// Queues the jobs of all units that are ordered before or after u.
void job_wake_neighbours(struct unit *u);
// What the unit's job has waited for (UNIT_WAITS) may have arrived.
void job_look_again(struct unit *u);
struct job *job_find(struct manager *m, uint32_t id);
struct job *job_next(struct manager *m, struct job *after); // walk; NULL starts and ends
size_t job_count(struct manager *m);
// Reserves a job number that no job has, for a job that only clients see (bus).
uint32_t job_take_id(struct manager *m);
// The unit changed state: finishes or queues its job accordingly (called by unit_notify()). True:
// the job did not ask for this change.
bool job_on_unit_change(struct unit *u, enum active_state now, enum unit_notify_flags flags);
bool job_is_stop_pending(const struct unit *u); // a stop (or the stop part of a restart) is queued

int job_queue_new(struct manager *m, struct job_queue **ret);
void job_queue_free(struct job_queue *q); // drops all jobs without notifying anyone

const char *job_type_name(enum job_type t);
const char *job_state_name(enum job_state s);
const char *job_result_name(enum job_result r);
enum job_mode job_mode_from_name(const char *name);
