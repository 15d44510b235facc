// The description of a run and its states: names, what a state means to other units, log lines.
#include "base/log.h"
#include "conf/specifier.h"
#include "core/service/client.h"
#include "core/service/service_priv.h"
#include "core/unit/job.h"

#include <stdarg.h>
#include <stdio.h>

#define RUN_LOG_MAX 1024

static const struct {
        const char *name;
        enum active_state active;
} states[_SERVICE_STATE_MAX] = {
        [SERVICE_DEAD] = {"dead", ACTIVE_INACTIVE},
        [SERVICE_CONDITION] = {"condition", ACTIVE_ACTIVATING},
        [SERVICE_START_PRE] = {"start-pre", ACTIVE_ACTIVATING},
        [SERVICE_START] = {"start", ACTIVE_ACTIVATING},
        [SERVICE_START_POST] = {"start-post", ACTIVE_ACTIVATING},
        [SERVICE_RUNNING] = {"running", ACTIVE_ACTIVE},
        [SERVICE_EXITED] = {"exited", ACTIVE_ACTIVE},
        [SERVICE_RELOAD] = {"reload", ACTIVE_RELOADING},
        [SERVICE_RELOAD_SIGNAL] = {"reload-signal", ACTIVE_RELOADING},
        [SERVICE_RELOAD_NOTIFY] = {"reload-notify", ACTIVE_RELOADING},
        [SERVICE_STOP] = {"stop", ACTIVE_DEACTIVATING},
        [SERVICE_STOP_WATCHDOG] = {"stop-watchdog", ACTIVE_DEACTIVATING},
        [SERVICE_STOP_SIGTERM] = {"stop-sigterm", ACTIVE_DEACTIVATING},
        [SERVICE_STOP_SIGKILL] = {"stop-sigkill", ACTIVE_DEACTIVATING},
        [SERVICE_STOP_POST] = {"stop-post", ACTIVE_DEACTIVATING},
        [SERVICE_FINAL_WATCHDOG] = {"final-watchdog", ACTIVE_DEACTIVATING},
        [SERVICE_FINAL_SIGTERM] = {"final-sigterm", ACTIVE_DEACTIVATING},
        [SERVICE_FINAL_SIGKILL] = {"final-sigkill", ACTIVE_DEACTIVATING},
        [SERVICE_FAILED] = {"failed", ACTIVE_FAILED},
        [SERVICE_DEAD_BEFORE_AUTO_RESTART] = {"dead-before-auto-restart", ACTIVE_INACTIVE},
        [SERVICE_FAILED_BEFORE_AUTO_RESTART] = {"failed-before-auto-restart", ACTIVE_FAILED},
        [SERVICE_DEAD_RESOURCES_PINNED] = {"dead-resources-pinned", ACTIVE_INACTIVE},
        [SERVICE_AUTO_RESTART] = {"auto-restart", ACTIVE_ACTIVATING},
        [SERVICE_AUTO_RESTART_QUEUED] = {"auto-restart-queued", ACTIVE_ACTIVATING},
        [SERVICE_CLEANING] = {"cleaning", ACTIVE_MAINTENANCE},
};

static const char *const results[_SERVICE_RESULT_MAX] = {
        [SERVICE_SUCCESS] = "success",
        [SERVICE_FAILURE_RESOURCES] = "resources",
        [SERVICE_FAILURE_PROTOCOL] = "protocol",
        [SERVICE_FAILURE_TIMEOUT] = "timeout",
        [SERVICE_FAILURE_EXIT_CODE] = "exit-code",
        [SERVICE_FAILURE_SIGNAL] = "signal",
        [SERVICE_FAILURE_CORE_DUMP] = "core-dump",
        [SERVICE_FAILURE_WATCHDOG] = "watchdog",
        [SERVICE_FAILURE_START_LIMIT_HIT] = "start-limit-hit",
        [SERVICE_FAILURE_OOM_KILL] = "oom-kill",
        [SERVICE_SKIP_CONDITION] = "exec-condition",
};

const char *service_state_name(enum service_state s)
{
        return s < _SERVICE_STATE_MAX ? states[s].name : "dead";
}

const char *service_result_name(enum service_result r)
{
        return r < _SERVICE_RESULT_MAX ? results[r] : "success";
}

enum active_state service_state_to_active(enum service_state s)
{
        return s < _SERVICE_STATE_MAX ? states[s].active : ACTIVE_INACTIVE;
}

bool service_state_may_start(enum service_state s)
{
        return service_state_is_over(s) || s == SERVICE_AUTO_RESTART_QUEUED;
}

bool service_state_is_starting(enum service_state s)
{
        return s >= SERVICE_CONDITION && s <= SERVICE_START_POST;
}

bool service_state_is_over(enum service_state s)
{
        return s == SERVICE_DEAD || s == SERVICE_FAILED || s == SERVICE_DEAD_RESOURCES_PINNED;
}

bool service_state_is_reloading(enum service_state s)
{
        return s >= SERVICE_RELOAD && s <= SERVICE_RELOAD_NOTIFY;
}

bool service_lets_socket_listen(const struct service *s)
{
        enum service_state state = s->run.state;

        return service_state_is_over(state) || state == SERVICE_FINAL_SIGTERM ||
               state == SERVICE_FINAL_SIGKILL || state == SERVICE_DEAD_BEFORE_AUTO_RESTART ||
               state == SERVICE_FAILED_BEFORE_AUTO_RESTART || state == SERVICE_AUTO_RESTART ||
               state == SERVICE_AUTO_RESTART_QUEUED;
}

// Type=idle only delays the command: units that depend on the service do not wait.
enum active_state run_state_to_active(const struct run *run, enum service_state state)
{
        if (run->conf && run->conf->service && run_conf(run)->type == SERVICE_IDLE &&
            service_state_is_starting(state))
                return ACTIVE_ACTIVE;
        return service_state_to_active(state);
}

enum active_state service_active_state(const struct service *s)
{
        return run_state_to_active(&s->run, s->run.state);
}

const char *run_name(const struct run *run, char **buffer)
{
        if (run->service)
                return run->service->unit.id;
        if (run->client && run->client->ops->name(run->client, buffer) == 0)
                return *buffer;
        return run->conf->id;
}

const char *run_unit_id(const struct run *run)
{
        return run->service ? run->service->unit.id : run->conf->id;
}

void run_log(const struct run *run, int level, int error, const char *fmt, ...)
{
        CLEANUP(free) char *buffer = NULL;
        char text[RUN_LOG_MAX];
        va_list ap;

        if (level > log_get_level())
                return;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        log_life(run_name(run, &buffer), run->invocation_id, level, error, "%s", text);
}

void run_changed(struct run *run)
{
        if (run->service)
                unit_changed(&run->service->unit);
}

usec_t run_stop_timeout(const struct run *run)
{
        return run_conf(run)->timeout_stop_sec;
}

bool run_stop_is_pending(const struct run *run)
{
        if (run->manager->is_stopping)
                return true;
        return run->service && job_is_stop_pending(&run->service->unit);
}
