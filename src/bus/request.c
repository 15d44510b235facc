// Turns method calls into jobs, and refusals into systemd's error names, on which the exit codes of
// systemctl depend.
#include "bus/bus_priv.h"

#include "base/str.h"
#include "base/strv.h"

#define READER_WORDS_MAX 64
#define WORD_SIZE_MAX 1024 // longer than any unit name

static const char *const error_names[] = {
        [REQUEST_NO_SUCH_UNIT] = "org.freedesktop.systemd1.NoSuchUnit",
        [REQUEST_LOAD_FAILED] = "System.Error.EBADMSG",
        [REQUEST_BAD_UNIT_SETTING] = "org.freedesktop.systemd1.BadUnitSetting",
        [REQUEST_MASKED] = "org.freedesktop.systemd1.UnitMasked",
        [REQUEST_ONLY_BY_DEPENDENCY] = "org.freedesktop.systemd1.OnlyByDependency",
        [REQUEST_CONFLICTING] = "org.freedesktop.systemd1.TransactionJobsConflicting",
        [REQUEST_DESTRUCTIVE] = "org.freedesktop.systemd1.TransactionIsDestructive",
        [REQUEST_CYCLIC] = "org.freedesktop.systemd1.TransactionOrderIsCyclic",
        [REQUEST_NOT_APPLICABLE] = "org.freedesktop.systemd1.JobTypeNotApplicable",
        [REQUEST_NO_ISOLATION] = "org.freedesktop.systemd1.NoIsolation",
        [REQUEST_SHUTTING_DOWN] = "org.freedesktop.systemd1.ShuttingDown",
        [REQUEST_FAILED] = "org.freedesktop.DBus.Error.Failed",
};

// An error reply for a refused request. Negative errno, as sd-bus wants it.
static int bus_request_error(sd_bus_error *error, const struct request_failure *why)
{
        return sd_bus_error_set(error, error_names[why->error], why->text);
}

int bus_read_words(sd_bus_message *message, const struct bus_client *c, char ***ret,
                   sd_bus_error *error)
{
        CLEANUP(strv) char **words = NULL;
        int r = sd_bus_message_read_strv(message, &words);

        if (r < 0)
                return r;
        if (!bus_client_is_trusted(c) && strv_length(words) > READER_WORDS_MAX)
                return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "Too many names or patterns, at most %d are allowed.",
                                         READER_WORDS_MAX);
        STRV_FOREACH (word, words)
                if (strlen(*word) > WORD_SIZE_MAX)
                        return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                                "A name or pattern is too long.");
        *ret = TAKE(words);
        return 0;
}

static int parse_mode(const char *mode, enum job_mode *ret, sd_bus_error *error)
{
        enum job_mode m = job_mode_from_name(mode);

        if ((int)m < 0)
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS, "Job mode %s invalid",
                                         mode);
        *ret = m;
        return 0;
}

static int bus_queue_job(sd_bus_message *message, struct bus_client *c, struct unit *u,
                         enum job_type type, const char *mode, sd_bus_error *error)
{
        struct request_failure why = {0};
        struct job *job = NULL;
        enum job_mode job_mode = JOB_REPLACE;
        int r = bus_check_trusted(c, error);

        if (r < 0 || (r = parse_mode(mode, &job_mode, error)) < 0)
                return r;
        if (job_request_manual(u->manager, type, u, job_mode, &job, &why) != REQUEST_OK)
                return bus_request_error(error, &why);
        CLEANUP(free) char *path = bus_job_path(job ? job->id : 0);

        if (!path)
                return -ENOMEM;
        return sd_bus_reply_method_return(message, "o", path);
}

// A connection cannot be started again, so only a stop is possible.
static int queue_for_connection(sd_bus_message *message, struct bus_client *c, struct run *run,
                                enum job_type type, const char *mode, sd_bus_error *error)
{
        enum job_mode job_mode;
        int r = parse_mode(mode, &job_mode, error);

        if (r < 0)
                return r;
        if (type != JOB_STOP)
                return sd_bus_error_set(error, error_names[REQUEST_NOT_APPLICABLE],
                                        "A connection's service can only be stopped.");
        return bus_stop_connection(message, c->server, run);
}

int bus_queue_job_by_name(sd_bus_message *message, struct bus_client *c, const char *name,
                          enum job_type type, const char *mode, sd_bus_error *error)
{
        struct bus_view v;
        void *object = NULL;
        int r = bus_check_trusted(c, error);

        if (r < 0 || (r = bus_find_object(c, name, true, &object, error)) < 0)
                return r;
        r = bus_view_get(object, &v);
        if (r < 0)
                return r;
        r = v.unit ? bus_queue_job(message, c, v.unit, type, mode, error)
                   : queue_for_connection(message, c, v.run, type, mode, error);
        cleanup_bus_view(&v);
        return r;
}
