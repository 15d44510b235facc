// Jobs: a request turned into an ordered set of starts and stops (a transaction), merged with what
// is pending, run as ordering allows, finished by state changes.
//
// The pure halves are core/unit/job_type (what two jobs of a unit make together) and
// core/unit/order (jobs and edges in, ordered jobs or a cycle out); core/unit/transaction is in
// between.
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
        JOB_LENIENT, // as fail, and nothing that runs is stopped (v258)
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
        bool closes_cycle;           // it would wait for itself, and does not wait
        bool is_quiet;               // nothing was done: no line about its end
        bool is_told;                // the log has the line about its begin
        usec_t begin, begin_running; // 0: does not run yet
        uint32_t awaited;            // edge of its unit where it found a job to wait for last
        uint32_t walk;               // the last search for a cycle that has come by
        struct job *next_pending;    // what that search looks at next
        struct work run_work;
        struct timer timer;    // JobTimeoutSec=, JobRunningTimeoutSec=
        struct list_node node; // in the queue's list of all jobs
        void *bus;
};

// Why a request was refused; each has its D-Bus error name in bus/.
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
        REQUEST_NOT_APPLICABLE, // job type does not fit (reload of a target)
        REQUEST_NO_ISOLATION,
        REQUEST_SHUTTING_DOWN,
        REQUEST_FAILED, // memory, limits
};

#define REQUEST_TEXT_MAX 600 // two unit names and what is wrong with them

struct request_failure {
        enum request_error error;
        char text[REQUEST_TEXT_MAX]; // systemd's wording: "Unit foo.service not found."
};

// Make and install a transaction. *ret_job: the anchor job (may have been merged into one that was
// pending), NULL when there was nothing to do. REQUEST_OK or the reason (also in *failure).
enum request_error job_request(struct manager *m, enum job_type type, struct unit *u,
                               enum job_mode mode, struct job **ret_job,
                               struct request_failure *failure);
// Stop all of these, in order, with what goes with them; one for which there is no order is left
// out.
enum request_error job_request_stops(struct manager *m, struct unit *const *units, size_t n,
                                     struct request_failure *failure);
// The same for a request by hand (bus): checks RefuseManual*, masks, load state.
enum request_error job_request_manual(struct manager *m, enum job_type type, struct unit *u,
                                      enum job_mode mode, struct job **ret_job,
                                      struct request_failure *failure);
// A start job that runs has to begin once more: its unit has come to an end while it went up, and
// is to be started again (RestartMode=direct).
void job_run_again(struct job *j);
// The job is over and freed, and observers hear of it (JOB_DONE does not end a restart: it goes on
// as a start). What follows (core/unit/propagate.h) is done later: jobs that hang on it fail with
// it, those that waited for it are looked at. Until then no other job changes.
void job_finish(struct job *j, enum job_result result);
// Have the jobs of all units that are ordered before or behind u looked at soon.
void job_wake_neighbours(struct unit *u);
// What the unit's job has waited for (UNIT_WAITS) may be there.
void job_look_again(struct unit *u);
struct job *job_find(struct manager *m, uint32_t id);
struct job *job_next(struct manager *m, struct job *after); // walk; NULL starts and ends
size_t job_count(struct manager *m);
// The number of a job that is none here: of what clients take for one (bus). No other has it.
uint32_t job_take_id(struct manager *m);
// The unit changed state: finish or queue its job accordingly (called by unit_notify). True: the
// change is not what the job asked for.
bool job_on_unit_change(struct unit *u, enum active_state now, enum unit_notify_flags flags);
bool job_is_stop_pending(const struct unit *u); // a stop (or the stop half of a restart) is queued

int job_queue_new(struct manager *m, struct job_queue **ret);
void job_queue_free(struct job_queue *q); // drops all jobs without a word

const char *job_type_name(enum job_type t);
const char *job_state_name(enum job_state s);
const char *job_result_name(enum job_result r);
enum job_mode job_mode_from_name(const char *name);
