#include "core/unit/job_type.h"

// Marks a pair that cannot be merged.
#define NEVER _JOB_TYPE_INVALID

static int find_merged(enum job_type a, enum job_type b)
{
        static const int merged[JOB_RESTART + 1][JOB_RESTART + 1] = {
                [JOB_VERIFY_ACTIVE] = {[JOB_START] = JOB_START},
                [JOB_STOP] = {[JOB_START] = NEVER, [JOB_VERIFY_ACTIVE] = NEVER},
                [JOB_RELOAD] = {[JOB_START] = JOB_RELOAD_OR_START,
                                [JOB_VERIFY_ACTIVE] = JOB_RELOAD,
                                [JOB_STOP] = NEVER},
                [JOB_RESTART] = {[JOB_START] = JOB_RESTART,
                                 [JOB_VERIFY_ACTIVE] = JOB_RESTART,
                                 [JOB_STOP] = NEVER,
                                 [JOB_RELOAD] = JOB_RESTART},
        };

        if (a == b)
                return a;
        if (a > JOB_RESTART || b > JOB_RESTART)
                return NEVER;
        return a > b ? merged[a][b] : merged[b][a];
}

int job_type_merge(enum job_type a, enum job_type b, enum active_state state,
                   enum job_type *ret_type)
{
        int type = find_merged(a, b);

        if (type == NEVER)
                return -EEXIST;
        *ret_type = job_type_collapse((enum job_type)type, state);
        return 0;
}

bool job_type_conflicts(enum job_type a, enum job_type b)
{
        // A job that does nothing contradicts nothing.
        return a != JOB_NOP && b != JOB_NOP && find_merged(a, b) == NEVER;
}

bool job_type_covers(enum job_type a, enum job_type b)
{
        return find_merged(a, b) == (int)a;
}

enum job_type job_type_collapse(enum job_type type, enum active_state state)
{
        static const struct {
                enum job_type down, up;
        } collapsed[_JOB_TYPE_MAX] = {
                [JOB_TRY_RESTART] = {JOB_NOP, JOB_RESTART},
                [JOB_TRY_RELOAD] = {JOB_NOP, JOB_RELOAD},
                [JOB_RELOAD_OR_START] = {JOB_START, JOB_RELOAD},
        };

        if (type < JOB_TRY_RESTART)
                return type;
        return active_state_is_down_or_going(state) ? collapsed[type].down : collapsed[type].up;
}

bool job_type_is_redundant(enum job_type type, enum active_state state)
{
        switch (type) {
        case JOB_START:
        case JOB_VERIFY_ACTIVE:
                return active_state_is_up(state);
        case JOB_STOP:
                return active_state_is_inactive_or_failed(state);
        case JOB_RELOAD:
                return state == ACTIVE_RELOADING;
        case JOB_NOP:
                return true;
        case JOB_RESTART: // a restart always has an effect
        case JOB_TRY_RESTART:
        case JOB_TRY_RELOAD:
        case JOB_RELOAD_OR_START:
        case _JOB_TYPE_MAX:
        case _JOB_TYPE_INVALID:
                break;
        }
        return false;
}

int job_type_order(enum job_type a, enum job_type b)
{
        if (a == JOB_NOP || b == JOB_NOP)
                return 0;
        return b == JOB_STOP || b == JOB_RESTART ? 1 : -1;
}

// ---- names

static const char *const type_names[_JOB_TYPE_MAX] = {
        [JOB_START] = "start",
        [JOB_VERIFY_ACTIVE] = "verify-active",
        [JOB_STOP] = "stop",
        [JOB_RELOAD] = "reload",
        [JOB_RESTART] = "restart",
        [JOB_NOP] = "nop",
        [JOB_TRY_RESTART] = "try-restart",
        [JOB_TRY_RELOAD] = "try-reload",
        [JOB_RELOAD_OR_START] = "reload-or-start",
};

static const char *const mode_names[_JOB_MODE_MAX] = {
        [JOB_FAIL] = "fail",
        [JOB_REPLACE] = "replace",
        [JOB_REPLACE_IRREVERSIBLY] = "replace-irreversibly",
        [JOB_ISOLATE] = "isolate",
        [JOB_FLUSH] = "flush",
        [JOB_IGNORE_DEPENDENCIES] = "ignore-dependencies",
        [JOB_IGNORE_REQUIREMENTS] = "ignore-requirements",
        [JOB_TRIGGERING] = "triggering",
        [JOB_RESTART_DEPENDENCIES] = "restart-dependencies",
        [JOB_LENIENT] = "lenient",
};

static const char *const result_names[_JOB_RESULT_MAX] = {
        [JOB_DONE] = "done",
        [JOB_CANCELED] = "canceled",
        [JOB_TIMEOUT] = "timeout",
        [JOB_FAILED] = "failed",
        [JOB_DEPENDENCY] = "dependency",
        [JOB_SKIPPED] = "skipped",
        [JOB_INVALID] = "invalid",
        [JOB_ASSERT] = "assert",
        [JOB_UNSUPPORTED] = "unsupported",
        [JOB_COLLECTED] = "collected",
};

const char *job_type_name(enum job_type t)
{
        return type_names[t];
}

const char *job_state_name(enum job_state s)
{
        return s == JOB_RUNNING ? "running" : "waiting";
}

const char *job_result_name(enum job_result r)
{
        return result_names[r];
}

enum job_mode job_mode_from_name(const char *name)
{
        for (int i = 0; i < _JOB_MODE_MAX; i++)
                if (strcmp(name, mode_names[i]) == 0)
                        return (enum job_mode)i;
        return _JOB_MODE_INVALID;
}
