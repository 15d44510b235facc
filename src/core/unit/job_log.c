// The log messages about jobs, in systemd's wording, which people search for.
#include "base/log.h"
#include "core/unit/boot.h"
#include "core/unit/job_priv.h"

#include <stdio.h>

// "foo.service - Description", or the name alone.
static const char *name_unit(const struct unit *u, char *buf, size_t size)
{
        const char *description = unit_description(u);

        if (description == u->id || strcmp(description, u->id) == 0)
                return u->id;
        snprintf(buf, size, "%s - %s", u->id, description);
        return buf;
}

void job_log_begin(struct job *j)
{
        char buf[600];
        const char *verb = j->type == JOB_START     ? "Starting"
                           : j->type == JOB_RELOAD  ? "Reloading"
                           : j->type == JOB_STOP    ? "Stopping"
                           : j->type == JOB_RESTART ? "Stopping"
                                                    : NULL;
        enum active_state state = unit_active_state(j->unit);
        bool is_nothing = j->type == JOB_START ? active_state_is_up(state)
                                               : active_state_is_inactive_or_failed(state);

        // Sockets and targets start and stop at once: one line is enough.
        if (verb && !is_nothing && !j->is_told && j->unit->conf->type == UNIT_SERVICE)
                log_unit(j->unit->id, LOG_INFO, 0, "%s %s...", verb,
                         name_unit(j->unit, buf, sizeof(buf)));
        j->is_told = true;
}

static const char *const end_formats[JOB_RESTART + 1][_JOB_RESULT_MAX] = {
        [JOB_START] = {[JOB_DONE] = "Started %s.",
                       [JOB_TIMEOUT] = "Timed out starting %s.",
                       [JOB_FAILED] = "Failed to start %s.",
                       [JOB_DEPENDENCY] = "Dependency failed for %s.",
                       [JOB_ASSERT] = "Assertion failed for %s.",
                       [JOB_UNSUPPORTED] = "Starting of %s unsupported.",
                       [JOB_INVALID] = "Failed to start %s."},
        [JOB_STOP] = {[JOB_DONE] = "Stopped %s.",
                      [JOB_FAILED] = "Stopped (with error) %s.",
                      [JOB_TIMEOUT] = "Timed out stopping %s."},
        [JOB_RELOAD] = {[JOB_DONE] = "Reloaded %s.",
                        [JOB_FAILED] = "Reload failed for %s.",
                        [JOB_TIMEOUT] = "Timed out reloading %s."},
        [JOB_VERIFY_ACTIVE] = {[JOB_DEPENDENCY] = "Dependency failed for %s.",
                               [JOB_SKIPPED] = "%s is not active."},
};

static const char *choose_format(const struct unit *u, enum job_type type, enum job_result result)
{
        bool is_start = type == JOB_START;

        if (type == JOB_RESTART)
                type = JOB_STOP;
        if (type > JOB_RESTART)
                return NULL;
        if (u->conf->type == UNIT_SOCKET && (is_start || type == JOB_STOP)) {
                if (result == JOB_DONE)
                        return is_start ? "Listening on %s." : "Closed %s.";
                if (result == JOB_FAILED && is_start)
                        return "Failed to listen on %s.";
        }
        if (u->conf->type == UNIT_TARGET && result == JOB_DONE)
                return is_start ? "Reached target %s." : "Stopped target %s.";
        // A oneshot that has exited is "finished", not "started".
        if (is_start && result == JOB_DONE && u->conf->service &&
            u->conf->service->type == SERVICE_ONESHOT)
                return "Finished %s.";
        return end_formats[type][result];
}

void job_log_end(const struct unit *u, enum job_type type, enum job_result result)
{
        static const int levels[_JOB_RESULT_MAX] = {
                [JOB_DONE] = LOG_NOTICE,         [JOB_CANCELED] = LOG_INFO,
                [JOB_TIMEOUT] = LOG_ERR,         [JOB_FAILED] = LOG_ERR,
                [JOB_DEPENDENCY] = LOG_WARNING,  [JOB_SKIPPED] = LOG_NOTICE,
                [JOB_INVALID] = LOG_INFO,        [JOB_ASSERT] = LOG_WARNING,
                [JOB_UNSUPPORTED] = LOG_WARNING, [JOB_COLLECTED] = LOG_INFO,
        };
        const char *format = choose_format(u, type, result);
        char name[600], text[700];
        const char *hole = format ? strstr(format, "%s") : NULL;

        // This unit is internal: the end of start-up has its own line.
        if (!hole || (result == JOB_DONE && strcmp(u->id, BOOT_TARGET) == 0))
                return;
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - format), format,
                 name_unit(u, name, sizeof(name)), hole + 2);
        log_unit(u->id, levels[result], 0, "%s", text);
        if (type == JOB_START && (result == JOB_DEPENDENCY || result == JOB_FAILED))
                log_unit(u->id, LOG_DEBUG, 0, "Job %s/start failed with result '%s'.", u->id,
                         job_result_name(result));
}
