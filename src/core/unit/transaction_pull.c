#include "core/unit/transaction.h"

#include "base/log.h"
#include "core/unit/boot.h"
#include "core/unit/index.h"
#include "core/unit/job_type.h"
#include "core/unit/manager.h"
#include "core/unit/registry.h"

#include <stdio.h>

// Which jobs a job of a unit pulls in, and along which edges.
struct pull {
        uint32_t edges;
        enum job_type type;
        bool matters, conflicts;
};

#define PROPAGATE_STOP                                                                  \
        (DEP_BIT(DEP_REQUIRED_BY) | DEP_BIT(DEP_REQUISITE_OF) | DEP_BIT(DEP_BOUND_BY) | \
         DEP_BIT(DEP_CONSISTS_OF) | DEP_BIT(DEP_PROPAGATES_STOP_TO))

static const struct pull start_pulls[] = {
        {DEP_BIT(DEP_REQUIRES) | DEP_BIT(DEP_BINDS_TO), JOB_START, true, false},
        {DEP_BIT(DEP_WANTS) | DEP_BIT(DEP_UPHOLDS), JOB_START, false, false},
        {DEP_BIT(DEP_REQUISITE), JOB_VERIFY_ACTIVE, true, false},
        {DEP_BIT(DEP_CONFLICTS), JOB_STOP, true, true},
        {DEP_BIT(DEP_CONFLICTED_BY), JOB_STOP, false, false},
};
static const struct pull stop_pull = {PROPAGATE_STOP, JOB_STOP, true, false};
static const struct pull restart_pull = {PROPAGATE_STOP, JOB_TRY_RESTART, true, false};
static const struct pull reload_pull = {DEP_BIT(DEP_PROPAGATES_RELOAD_TO), JOB_TRY_RELOAD, false,
                                        false};

// Does the unit's load state prevent a start? Fills *failure.
static enum request_error check_load_state(const struct unit *u, struct request_failure *failure)
{
        const char *why = u->conf->load_error ? u->conf->load_error : "no reason known";
        struct request_failure f = {.error = REQUEST_OK};

        switch (u->conf->load_state) {
        case LOAD_LOADED:
                return REQUEST_OK;
        case LOAD_NOT_FOUND:
                f.error = REQUEST_NO_SUCH_UNIT;
                snprintf(f.text, sizeof(f.text), "Unit %s not found.", u->id);
                break;
        case LOAD_BAD_SETTING:
                f.error = REQUEST_BAD_UNIT_SETTING;
                snprintf(f.text, sizeof(f.text), "Unit %s has a bad unit file setting.", u->id);
                break;
        case LOAD_MASKED:
                f.error = REQUEST_MASKED;
                snprintf(f.text, sizeof(f.text), "Unit %s is masked.", u->id);
                break;
        case LOAD_STUB:
        case LOAD_ERROR:
        case LOAD_MERGED:
        case _LOAD_STATE_MAX:
                f.error = REQUEST_LOAD_FAILED;
                snprintf(f.text, sizeof(f.text),
                         "Unit %s failed to load properly, please adjust/correct and reload "
                         "service manager: %.200s",
                         u->id, why);
                break;
        }
        if (failure)
                *failure = f;
        return f.error;
}

static bool is_applicable(const struct unit *u, enum job_type type)
{
        return type != JOB_RELOAD || unit_can_reload(u);
}

// 0, -ENOMEM, -EOPNOTSUPP: the unit does not support such a job. by TX_NONE: it is the anchor.
static int add(struct transaction *t, uint32_t by, struct unit *u, enum job_type type,
               const struct pull *pull)
{
        uint32_t job;

        if (!is_applicable(u, type))
                return -EOPNOTSUPP;
        int r = type == JOB_STOP ? 0 : index_look_again(u);

        if (r == 0)
                r = transaction_add_job(t, u, type, &job);

        if (r < 0)
                return r;
        if (r > 0 && type != JOB_STOP && type != JOB_NOP) {
                t->jobs[job].error = check_load_state(u, NULL);
                t->jobs[job].culprit = u;
        }
        if (by == TX_NONE) {
                t->anchor = job;
                return 0;
        }
        return transaction_add_edge(t, by, job, pull->matters, pull->conflicts);
}

static int pull_along(struct transaction *t, uint32_t job, const struct pull *pull)
{
        struct unit *u = t->jobs[job].unit;

        UNIT_FOREACH_DEPENDENCY (u, pull->edges, other) {
                enum job_type type = job_type_collapse(pull->type, unit_active_state(other));

                if (type == JOB_NOP && pull->type != JOB_NOP)
                        continue;
                // Mounts, slices and devices are managed elsewhere.
                if (type == JOB_START && other->conf->type > UNIT_TARGET &&
                    other->conf->load_state == LOAD_NOT_FOUND) {
                        log_unit(u->id, LOG_DEBUG, 0, "Needs %s, which usher does not manage.",
                                 other->id);
                        continue;
                }
                int r = add(t, job, other, type, pull);

                if (r < 0 && r != -EOPNOTSUPP)
                        return r;
        }
        return 0;
}

static int pull_in(struct transaction *t, uint32_t job)
{
        enum job_type type = t->jobs[job].type;
        bool restarts_others = t->mode == JOB_RESTART_DEPENDENCIES && job == t->anchor;
        int r = 0;

        if (type == JOB_START || type == JOB_RESTART)
                for (size_t i = 0; i < ARRAY_SIZE(start_pulls) && r == 0; i++)
                        r = pull_along(t, job, &start_pulls[i]);
        if (r == 0 && type == JOB_STOP)
                r = pull_along(t, job, &stop_pull);
        if (r == 0 && (type == JOB_RESTART || (type == JOB_START && restarts_others)))
                r = pull_along(t, job, &restart_pull);
        if (r == 0 && type == JOB_RELOAD)
                r = pull_along(t, job, &reload_pull);
        return r;
}

// Stops every unit that is not part of the target.
static int add_isolate_stops(struct transaction *t)
{
        static const struct pull stop = {0, JOB_STOP, true, false};

        for (struct unit *u = registry_next_unit(t->manager, NULL); u;
             u = registry_next_unit(t->manager, u)) {
                bool is_kept =
                        u->conf->unit->ignore_on_isolate || transaction_find(t, u) != TX_NONE ||
                        (!u->job && active_state_is_inactive_or_failed(unit_active_state(u)));

                UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERED_BY), other)
                        is_kept |= transaction_find(t, other) != TX_NONE;
                if (is_kept)
                        continue;
                int r = add(t, t->anchor, u, JOB_STOP, &stop);

                if (r < 0)
                        return r;
        }
        return 0;
}

// A stop also stops the units that would start this unit again.
static int add_triggering_stops(struct transaction *t)
{
        static const struct pull stop = {0, JOB_STOP, true, false};

        UNIT_FOREACH_DEPENDENCY (t->jobs[t->anchor].unit, DEP_BIT(DEP_TRIGGERED_BY), other) {
                if (transaction_find(t, other) != TX_NONE ||
                    (!other->job && active_state_is_inactive_or_failed(unit_active_state(other))))
                        continue;
                int r = add(t, t->anchor, other, JOB_STOP, &stop);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int pull_all(struct transaction *t, struct unit *u, enum job_type type)
{
        bool is_alone = t->mode == JOB_IGNORE_DEPENDENCIES || t->mode == JOB_IGNORE_REQUIREMENTS;
        uint32_t next = 0;
        int r = add(t, TX_NONE, u, type, NULL);

        if (r < 0)
                return r;
        t->jobs[t->anchor].ignore_order = t->mode == JOB_IGNORE_DEPENDENCIES;
        for (; next < t->n_jobs && !is_alone; next++) {
                r = pull_in(t, next);
                if (r < 0)
                        return r;
        }
        if (t->mode == JOB_ISOLATE)
                r = add_isolate_stops(t);
        else if (t->mode == JOB_TRIGGERING)
                r = add_triggering_stops(t);
        for (; next < t->n_jobs && r == 0 && !is_alone; next++)
                r = pull_in(t, next);
        return r;
}

enum request_error transaction_pull_stops(struct transaction *t, struct unit *const *units,
                                          size_t n)
{
        static const struct pull stop = {0, JOB_STOP, false, false};
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = add(t, t->anchor, units[i], JOB_STOP, &stop);
        for (uint32_t next = 0; next < t->n_jobs && r == 0; next++)
                r = pull_in(t, next);
        return r == 0 ? REQUEST_OK : transaction_refuse(t, REQUEST_FAILED, "%s", strerror(-r));
}

// ---- jobs that cannot be done, and those that need them

static void log_unwanted(const struct tx_job *wanting, const struct tx_job *wrong)
{
        // Faults that start-up finds were logged when the unit was loaded.
        bool is_usual = strcmp(wanting->unit->id, BOOT_TARGET) == 0 ||
                        wrong->error == REQUEST_NO_SUCH_UNIT || wrong->error == REQUEST_MASKED;
        struct request_failure f;

        check_load_state(wrong->culprit, &f);
        log_unit(wanting->unit->id, is_usual ? LOG_DEBUG : LOG_WARNING, 0,
                 "Cannot add dependency job for %s, ignoring: %s", wrong->unit->id, f.text);
}

// Repeated until nothing changes: a job that depends on an impossible one is impossible itself.
static void spread_wrong(struct transaction *t)
{
        uint32_t pending = TX_NONE;

        for (uint32_t i = 0; i < t->n_jobs; i++)
                if (t->jobs[i].error != REQUEST_OK) {
                        t->jobs[i].is_wrong = true;
                        t->jobs[i].next_pending = pending;
                        pending = i;
                }
        while (pending != TX_NONE) {
                const struct tx_job *wrong = &t->jobs[pending];

                pending = wrong->next_pending;
                for (uint32_t e = wrong->first_of; e != TX_NONE; e = t->edges[e].next_of) {
                        struct tx_job *by = &t->jobs[t->edges[e].by];

                        if (!t->edges[e].matters)
                                log_unwanted(by, wrong);
                        if (!t->edges[e].matters || by->is_wrong)
                                continue;
                        by->is_wrong = true;
                        by->error = wrong->error;
                        by->culprit = wrong->culprit;
                        by->next_pending = pending;
                        pending = t->edges[e].by;
                }
        }
}

static void tell_refused(const struct transaction *t)
{
        for (uint32_t i = 0; i < t->n_jobs; i++) {
                const struct tx_job *j = &t->jobs[i];

                if (j->is_wrong && (j->type == JOB_START || j->type == JOB_RESTART) &&
                    j->unit->ops->start_refused)
                        j->unit->ops->start_refused(j->unit, j->culprit);
        }
}

enum request_error transaction_pull(struct transaction *t, struct unit *u, enum job_type type)
{
        int r = pull_all(t, u, type);

        if (r == -EOPNOTSUPP && check_load_state(u, t->failure) != REQUEST_OK)
                return t->failure->error;
        if (r == -EOPNOTSUPP)
                return transaction_refuse(t, REQUEST_NOT_APPLICABLE,
                                          "Job type %s is not applicable for unit %s.",
                                          job_type_name(type), u->id);
        if (r < 0)
                return transaction_refuse(t, REQUEST_FAILED, "%s", strerror(-r));
        spread_wrong(t);
        tell_refused(t);
        const struct tx_job *anchor = &t->jobs[t->anchor];

        if (anchor->is_wrong)
                return check_load_state(anchor->culprit, t->failure);
        TX_FOREACH (t, i)
                if (t->jobs[i].is_wrong)
                        transaction_delete(t, i, false);
        return REQUEST_OK;
}
