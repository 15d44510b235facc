// Sends requests that queue jobs, and waits until these have finished.
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

// A job for which we wait.
struct pending {
        char *path, *unit, *result; // result NULL: it has not finished
};

struct waiting {
        struct ctl *c;
        struct pending *items;
        size_t n;
};

static void waiting_done(struct waiting *w)
{
        for (size_t i = 0; i < w->n; i++) {
                free(w->items[i].path);
                free(w->items[i].unit);
                free(w->items[i].result);
        }
        free(w->items);
}

static int add_pending(struct waiting *w, const char *path, const char *unit)
{
        struct pending *more = reallocarray(w->items, w->n + 1, sizeof(*more));
        struct pending p = {.path = strdup(path), .unit = strdup(unit)};

        if (more)
                w->items = more;
        if (!more || !p.path || !p.unit) {
                free(p.path);
                free(p.unit);
                return -ENOMEM;
        }
        more[w->n++] = p;
        return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error UNUSED)
{
        struct waiting *w = userdata;
        const char *path, *unit, *result;
        uint32_t id;

        if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) < 0)
                return 0;
        for (size_t i = 0; i < w->n; i++)
                if (!w->items[i].result && streq(w->items[i].path, path)) {
                        w->items[i].result = strdup(result);
                        // For a marked unit, the reply contained the job but not the unit's name.
                        (void)str_set(&w->items[i].unit, unit);
                }
        return 0;
}

static bool is_over(const struct waiting *w)
{
        for (size_t i = 0; i < w->n; i++)
                if (!w->items[i].result)
                        return false;
        return true;
}

// Processes one message, or waits for one. 0 or -errno.
static int turn(struct ctl *c)
{
        int r = sd_bus_process(c->bus, NULL);

        return r != 0 ? MIN(r, 0) : sd_bus_wait(c->bus, UINT64_MAX) < 0 ? -errno : 0;
}

// ---- results

const char *jobs_why_failed(const char *result)
{
        static const struct {
                const char *result, *text;
        } texts[] = {
                {"resources", "resources are not available, or another system error occurred"},
                {"protocol", "the service did not do what its unit says it does"},
                {"timeout", "it took too long"},
                {"exit-code", "a process exited with an error code"},
                {"signal", "a process was ended by a signal"},
                {"core-dump", "a process crashed"},
                {"watchdog", "the service did not feed its watchdog"},
                {"start-limit-hit", "it was started too often in a short time"},
                {"trigger-limit-hit", "it was triggered too often in a short time"},
                {"service-start-limit-hit", "its service was started too often"},
                {"oom-kill", "memory ran out"},
        };

        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (result && streq(texts[i].result, result))
                        return texts[i].text;
        return "the log has the reason";
}

static void explain_failure(struct ctl *c, const struct pending *p)
{
        CLEANUP(free) char *path = client_unit_path(p->unit);
        CLEANUP(free)
        char *result =
                path ? client_get_string(c, path, client_type_interface(p->unit), "Result") : NULL;

        fprintf(stderr,
                "Job for %s failed: %s.\nSee \"usherctl status %s\" and the log for details.\n",
                p->unit, jobs_why_failed(result), p->unit);
}

static int report(struct ctl *c, const struct pending *p)
{
        static const struct {
                const char *result, *before, *after;
        } texts[] = {
                {"canceled", "Job for ", " was canceled."},
                {"timeout", "Job for ", " timed out."},
                {"dependency", "A unit that ", " requires could not be started: see the log."},
                {"invalid", "", " is not active, cannot reload."},
                {"assert", "An assertion of ", " does not hold."},
                {"unsupported", "", " is of a type that cannot do this."},
                {"collected", "The job for ", " is gone with its unit."},
        };

        if (streq(p->result, "done") || streq(p->result, "skipped"))
                return CTL_OK;
        if (c->quiet)
                return CTL_FAILED;
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                if (streq(texts[i].result, p->result)) {
                        fprintf(stderr, "%s%s%s\n", texts[i].before, shown(p->unit),
                                texts[i].after);
                        return CTL_FAILED;
                }
        explain_failure(c, p);
        return CTL_FAILED;
}

// ---- --wait

static bool is_down(struct ctl *c, const char *unit)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        CLEANUP(free)
        char *state = path ? client_get_string(c, path, BUS_UNIT, "ActiveState") : NULL;

        return !state || streq(state, "inactive") || streq(state, "failed");
}

static int wait_until_down(struct ctl *c, const struct waiting *w)
{
        int r = 0;

        for (size_t i = 0; r == 0 && i < w->n; i++)
                while (r == 0 && !is_down(c, w->items[i].unit))
                        r = turn(c);
        if (r < 0)
                return client_complain(NULL, r, "Failed to wait");
        for (size_t i = 0; i < w->n; i++) {
                CLEANUP(free) char *path = client_unit_path(w->items[i].unit);
                CLEANUP(free)
                char *state = path ? client_get_string(c, path, BUS_UNIT, "ActiveState") : NULL;

                if (state && streq(state, "failed"))
                        return CTL_FAILED;
        }
        return CTL_OK;
}

// ---- requests

static int request(struct ctl *c, struct waiting *w, const char *method, const char *what,
                   const char *unit)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path;
        int r = client_call(c, method, &error, &reply, "ss", unit, c->job_mode), code = CTL_OK;

        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = add_pending(w, path, unit);
        if (r < 0) {
                code = client_complain(&error, r, "Failed to %s %s", what, unit);
                if (!sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) && !c->quiet &&
                    code != CTL_NOT_INSTALLED)
                        fprintf(stderr, "See the log and \"usherctl status %s\".\n", unit);
        }
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return code;
}

// Warns after a stop if active sockets can start the service again.
static void warn_triggers(struct ctl *c, const char *unit)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        CLEANUP(strv)
        char **triggers = path ? client_get_strv(c, path, BUS_UNIT, "TriggeredBy") : NULL;
        CLEANUP(strv) char **active = NULL;

        STRV_FOREACH (name, triggers)
                if (!is_down(c, *name) && strv_push(&active, *name) < 0)
                        return;
        CLEANUP(free) char *names = active ? strv_join(active, " ") : NULL;

        if (names)
                fprintf(stderr, "Stopped %s, but it can still be activated by: %s\n", shown(unit),
                        shown(names));
}

static int watch(struct ctl *c, struct waiting *w, sd_bus_slot **ret)
{
        int r = client_connect(c);

        if (r != 0 || c->no_block)
                return r;
        r = sd_bus_match_signal(c->bus, ret, NULL, NULL, BUS_MANAGER, "JobRemoved", on_job_removed,
                                w);
        if (r >= 0)
                r = client_call(c, "Subscribe", NULL, NULL, NULL);
        return r < 0 ? client_complain(NULL, r, "Failed to watch jobs") : CTL_OK;
}

// Waits for all jobs and reports those that failed. code: the exit code of the requests so far.
static int finish(struct ctl *c, struct waiting *w, const char *method, int code)
{
        int r = 0;

        if (c->no_block)
                return code;
        while (r >= 0 && !is_over(w))
                r = turn(c);
        if (r < 0)
                return client_complain(NULL, r, "Failed to wait for jobs");
        for (size_t i = 0; i < w->n; i++) {
                int one = report(c, &w->items[i]);

                code = code ? code : one;
                if (one == CTL_OK && streq(method, "StopUnit") && !c->quiet)
                        warn_triggers(c, w->items[i].unit);
        }
        if (code == CTL_OK && c->wait && !streq(method, "StopUnit"))
                code = wait_until_down(c, w);
        return code;
}

int jobs_run(struct ctl *c, const char *method, const char *what, char *const *units)
{
        struct waiting w = {.c = c};
        sd_bus_slot *slot = NULL;
        int code = watch(c, &w, &slot);

        if (code == CTL_OK) {
                STRV_FOREACH (unit, units) {
                        int one = request(c, &w, method, what, *unit);

                        code = code ? code : one;
                }
                code = finish(c, &w, method, code);
        }
        sd_bus_slot_unref(slot);
        waiting_done(&w);
        return code;
}

int jobs_run_marked(struct ctl *c)
{
        struct waiting w = {.c = c};
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        sd_bus_slot *slot = NULL;
        int code = watch(c, &w, &slot), r;

        if (code == CTL_OK) {
                r = client_call(c, "EnqueueMarkedJobs", &error, &reply, NULL);
                if (r >= 0)
                        r = sd_bus_message_enter_container(reply, 'a', "o");
                for (const char *path; r >= 0 && (r = sd_bus_message_read(reply, "o", &path)) > 0;)
                        r = add_pending(&w, path, "");
                code = r < 0 ? client_complain(&error, r, "Failed to enqueue marked jobs")
                             : finish(c, &w, "EnqueueMarkedJobs", CTL_OK);
        }
        sd_bus_error_free(&error);
        sd_bus_message_unref(reply);
        sd_bus_slot_unref(slot);
        waiting_done(&w);
        return code;
}
