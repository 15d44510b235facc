// The verbs that change the state of units.
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

static int run_jobs(struct ctl *c, char **args, const char *method, const char *what)
{
        CLEANUP(strv) char **units = NULL;
        int r = client_connect(c);

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        return jobs_run(c, method, what, units);
}

int verb_start(struct ctl *c, char **args)
{
        return run_jobs(c, args, "StartUnit", "start");
}

int verb_isolate(struct ctl *c, char **args)
{
        c->job_mode = "isolate";
        return run_jobs(c, args, "StartUnit", "isolate");
}

int verb_stop(struct ctl *c, char **args)
{
        return run_jobs(c, args, "StopUnit", "stop");
}

int verb_restart(struct ctl *c, char **args)
{
        return run_jobs(c, args, "RestartUnit", "restart");
}

int verb_try_restart(struct ctl *c, char **args)
{
        return run_jobs(c, args, "TryRestartUnit", "restart");
}

int verb_reload(struct ctl *c, char **args)
{
        return run_jobs(c, args, "ReloadUnit", "reload");
}

int verb_reload_or_restart(struct ctl *c, char **args)
{
        if (c->marked != !*args) {
                fputs("usherctl: reload-or-restart takes either units or --marked.\n", stderr);
                return CTL_FAILED;
        }
        if (c->marked)
                return jobs_run_marked(c);
        return run_jobs(c, args, "ReloadOrRestartUnit", "reload or restart");
}

int verb_try_reload_or_restart(struct ctl *c, char **args)
{
        return run_jobs(c, args, "ReloadOrTryRestartUnit", "reload or restart");
}

int verb_kill(struct ctl *c, char **args)
{
        CLEANUP(strv) char **units = NULL;
        const char *whom = c->kill_whom ? c->kill_whom : "all";
        int r = client_connect(c), code = 0;

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        STRV_FOREACH (unit, units) {
                sd_bus_error error = SD_BUS_ERROR_NULL;

                r = client_call(c, "KillUnit", &error, NULL, "ssi", *unit, whom, (int32_t)c->signo);
                if (r < 0) {
                        client_complain(&error, r, "Failed to kill %s", *unit);
                        code = CTL_FAILED; // for every error, like systemctl
                }
                sd_bus_error_free(&error);
        }
        return code;
}

int verb_reset_failed(struct ctl *c, char **args)
{
        CLEANUP(strv) char **units = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = client_connect(c), code = 0;

        if (r == 0)
                r = client_unit_names(c, args, &units);
        if (r != 0)
                return r;
        if (!*args) {
                r = client_call(c, "ResetFailed", &error, NULL, NULL);
                if (r < 0)
                        code = client_complain(&error, r, "Failed to reset");
        }
        STRV_FOREACH (unit, units) {
                r = client_call(c, "ResetFailedUnit", &error, NULL, "s", *unit);
                if (r < 0) {
                        client_complain(&error, r, "Failed to reset %s", *unit);
                        code = CTL_FAILED;
                        sd_bus_error_free(&error);
                }
        }
        sd_bus_error_free(&error);
        return code;
}

int verb_cancel(struct ctl *c, char **args)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = client_connect(c), code = 0;

        if (r != 0)
                return r;
        if (!*args && (r = client_call(c, "ClearJobs", &error, NULL, NULL)) < 0)
                code = client_complain(&error, r, "Failed to cancel all jobs");
        for (; *args; args++) {
                uint32_t id;

                if (parse_u32(*args, &id) < 0) {
                        fprintf(stderr, "usherctl: \"%s\" is not a job number.\n", *args);
                        code = CTL_FAILED;
                        continue;
                }
                r = client_call(c, "CancelJob", &error, NULL, "u", id);
                if (r < 0)
                        code = client_complain(&error, r, "Failed to cancel job %u", id);
                sd_bus_error_free(&error);
        }
        sd_bus_error_free(&error);
        return code;
}

// Prints usherd's report of the reload. Returns the exit code, which says whether a unit or
// usher.conf has become invalid.
static int print_report(struct ctl *c)
{
        CLEANUP(strv) char **lines = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int is_worse = 0, is_truncated = 0;
        int r = sd_bus_call_method(c->bus, BUS_DESTINATION, BUS_ROOT, "org.usher.Reload",
                                   "GetReport", &error, &reply, NULL);

        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &is_worse);
        if (r >= 0)
                r = sd_bus_message_read_strv(reply, &lines);
        if (r >= 0)
                r = sd_bus_message_read(reply, "b", &is_truncated);
        STRV_FOREACH (line, lines)
                fprintf(stderr, "%s\n", shown(*line));
        if (is_truncated)
                fputs("The report was cut: see usherctl logs.\n", stderr);
        // A supervisor without this method has already reported everything.
        if (r < 0 && !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_METHOD) &&
            !sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_INTERFACE))
                is_worse =
                        client_complain(&error, r, "Failed to get the report of the reload") != 0;
        sd_bus_error_free(&error);
        sd_bus_message_unref(reply);
        return is_worse ? CTL_FAILED : CTL_OK;
}

int verb_daemon_reload(struct ctl *c, char **args UNUSED)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = client_connect(c);

        if (r != 0)
                return r;
        r = client_call(c, "Reload", &error, NULL, NULL);
        if (r < 0)
                r = client_complain(&error, r, "Failed to reload");
        sd_bus_error_free(&error);
        int code = print_report(c);

        return r ? r : code;
}

// The files have been changed as the user asked, whatever else the reload has found.
int reload_after_change(struct ctl *c, sd_bus_error *error)
{
        int r = client_call(c, "Reload", error, NULL, NULL);

        if (r >= 0)
                (void)print_report(c);
        return r;
}
