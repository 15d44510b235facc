// How the messages of a service (notify protocol) change its run.
#include "base/clock.h"
#include "base/log.h"
#include "base/nowait.h"
#include "base/parse.h"
#include "base/str.h"
#include "core/service/notify.h"
#include "core/service/processes.h"
#include "core/service/service_priv.h"

#include <sys/socket.h>

enum notify_access run_notify_access(const struct run *run)
{
        if (run->cold && run->cold->notify_access_override != NOTIFY_ACCESS_UNSET)
                return (enum notify_access)run->cold->notify_access_override;

        const struct service_group *g = run_conf(run);

        if (g->notify_access != NOTIFY_NONE)
                return (enum notify_access)g->notify_access;
        // A service of these kinds has to notify, so it is allowed to.
        return g->type == SERVICE_NOTIFY || g->type == SERVICE_NOTIFY_RELOAD ||
                               g->watchdog_sec > 0 || g->file_descriptor_store_max > 0
                       ? NOTIFY_MAIN
                       : NOTIFY_NONE;
}

bool run_takes_fds(const struct run *run)
{
        return run_conf(run)->file_descriptor_store_max > 0 &&
               run_notify_access(run) != NOTIFY_NONE;
}

static bool may_notify(struct run *run, pid_t pid)
{
        switch (run_notify_access(run)) {
        case NOTIFY_NONE:
                run_log(run, LOG_WARNING, 0,
                        "Got notification message from PID %d, but reception is disabled.",
                        (int)pid);
                return false;
        case NOTIFY_MAIN:
                if (pid == run->main.pid)
                        return true;
                run_log(run, LOG_WARNING, 0,
                        "Got notification message from PID %d, but reception only permitted for "
                        "main PID %d",
                        (int)pid, (int)run->main.pid);
                return false;
        case NOTIFY_EXEC:
                if (pid == run->main.pid || pid == run->control.pid)
                        return true;
                run_log(run, LOG_WARNING, 0,
                        "Got notification message from PID %d, but reception only permitted for "
                        "main PID %d and control PID %d",
                        (int)pid, (int)run->main.pid, (int)run->control.pid);
                return false;
        case NOTIFY_ALL:
                break;
        }
        return true;
}

static bool is_up(enum service_state s)
{
        return s == SERVICE_RUNNING || s == SERVICE_RELOAD_SIGNAL || s == SERVICE_RELOAD_NOTIFY;
}

static void on_main_pid(struct run *run, const struct ucred *sender, const char *text)
{
        pid_t pid;

        if (run->state != SERVICE_START && run->state != SERVICE_START_POST &&
            run->state != SERVICE_RUNNING && !service_state_is_reloading(run->state))
                return;
        if (parse_pid(text, &pid) < 0) {
                run_log(run, LOG_WARNING, 0, "Failed to parse MAINPID= in notification message");
                return;
        }
        if (run->main_pid_known && pid == run->main.pid)
                return;
        CLEANUP(free) char *buffer = NULL;
        const char *owner;
        int r = run_main_pid_is_suitable(run, pid, &owner, &buffer);

        if (r == -EBUSY) {
                run_log(run, LOG_WARNING, 0, "New main PID %d belongs to %s, refusing.", (int)pid,
                        owner);
                return;
        }
        if (r == 0 && sender->uid == 0) {
                run_log(run, LOG_DEBUG, 0,
                        "New main PID %d does not belong to service, but we'll accept it as the "
                        "request to change it came from a privileged process.",
                        (int)pid);
                r = 1;
        }
        if (r <= 0) {
                run_log(run, LOG_WARNING, -r,
                        "New main PID %d does not belong to service, refusing.", (int)pid);
                return;
        }
        r = run_set_main_pid(run, pid, sender->uid == 0);
        if (r < 0)
                run_log(run, LOG_WARNING, -r, "Cannot watch its new main PID %d", (int)pid);
}

// STOPPING= takes precedence over READY=, and READY= over RELOADING=.
static void on_state(struct run *run, const struct notify_message *m)
{
        struct run_cold *cold = run->cold;
        int type = run_conf(run)->type;
        bool is_reload_answer =
                m->reloading && m->monotonic != USEC_INFINITY && m->monotonic >= cold->reload_begin;

        if (m->stopping) {
                cold->notify_state = NOTIFY_STATE_STOPPING;
                if (is_up(run->state))
                        service_enter_stop_by_notify(run);
        } else if (m->ready) {
                cold->notify_state = NOTIFY_STATE_READY;
                if (run->state == SERVICE_START &&
                    (type == SERVICE_NOTIFY || type == SERVICE_NOTIFY_RELOAD))
                        service_enter_start_post(run);
                else if (run->state == SERVICE_RELOAD_NOTIFY ||
                         (run->state == SERVICE_RELOAD_SIGNAL && is_reload_answer))
                        service_enter_running(run, SERVICE_SUCCESS);
        } else if (m->reloading) {
                cold->notify_state = NOTIFY_STATE_RELOADING;
                if (run->state == SERVICE_RUNNING ||
                    (run->state == SERVICE_RELOAD_SIGNAL && is_reload_answer))
                        service_enter_reload_by_notify(run);
        }
}

static void on_texts(struct run *run, const struct notify_message *m)
{
        struct run_cold *cold = run->cold;

        if (m->status) {
                if (!str_is_utf8(m->status))
                        run_log(run, LOG_WARNING, 0,
                                "Status message in notification message is not UTF-8 clean.");
                else if (str_set(&cold->status_text, m->status[0] ? m->status : NULL) < 0)
                        run_log(run, LOG_WARNING, ENOMEM, "Status text lost");
        }
        if (m->notify_access) {
                int access = choices_find(&choices_notify_access, m->notify_access);

                if (access < 0)
                        run_log(run, LOG_WARNING, 0,
                                "Failed to parse NOTIFYACCESS= field value '%s', ignoring.",
                                m->notify_access);
                else
                        cold->notify_access_override = access;
        }
        int number;

        if (m->status_errno && parse_i32(m->status_errno, &number) == 0 && number >= 0)
                cold->status_errno = number;
}

static void on_times(struct run *run, const struct notify_message *m)
{
        if (m->extend_timeout != USEC_INFINITY)
                run_extend_timeout(run, m->extend_timeout);
        if (m->watchdog_usec != USEC_INFINITY) {
                run->cold->watchdog_override = m->watchdog_usec;
                if (run->state >= SERVICE_START_POST && run->state <= SERVICE_RELOAD_NOTIFY)
                        run_watchdog_reset(run);
        }
        if (m->watchdog && run->state >= SERVICE_START && run->state <= SERVICE_RELOAD_NOTIFY)
                run_watchdog_reset(run);
        if (m->watchdog_trigger) {
                run_log(run, LOG_WARNING, 0, "Watchdog request (last status: %s)!",
                        run->cold->status_text ? run->cold->status_text : "<unset>");
                run_watchdog_trigger(run);
        }
}

static void on_store(struct run *run, const struct notify_message *m, int *fds, size_t n_fds)
{
        struct fdstore *store = &run->cold->fdstore;
        size_t max = run_conf(run)->file_descriptor_store_max;

        if (m->fdstore_remove) {
                if (!m->fdname || !fdstore_name_is_valid(m->fdname))
                        run_log(run, LOG_WARNING, 0,
                                "FDSTOREREMOVE=1 requested, but no valid file descriptor name "
                                "passed. Ignoring.");
                else
                        fdstore_remove(store, m->fdname);
        }
        for (size_t i = 0; i < n_fds; i++) {
                const char *name =
                        m->fdname && fdstore_name_is_valid(m->fdname) ? m->fdname : "stored";
                int r = -ECANCELED;

                if (m->fdstore)
                        r = fdstore_add(store, run->manager->events, fds[i], name, !m->fdpoll_off,
                                        max);
                else
                        nowait_close_file(fds[i]);
                if (r == -E2BIG)
                        run_log(run, LOG_WARNING, 0,
                                "Tried to store file descriptor, but the fd store is full (%zu).",
                                max);
                else if (r < 0 && m->fdstore)
                        run_log(run, LOG_WARNING, -r, "Cannot store a file descriptor");
        }
}

void service_on_notify(struct run *run, const struct ucred *sender, struct notify_message *m,
                       int *fds, size_t n_fds)
{
        if (!may_notify(run, sender->pid) || !run_cold_get(run)) {
                for (size_t i = 0; i < n_fds; i++)
                        nowait_close_file(fds[i]);
                return;
        }
        if (m->main_pid)
                on_main_pid(run, sender, m->main_pid);
        on_texts(run, m);
        on_store(run, m, fds, n_fds);
        if (m->restart_reset && run->service)
                run->service->n_restarts = 0;
        on_times(run, m);
        on_state(run, m);
        run_changed(run);
}

// ---- queries

const char *run_status_text(const struct run *run)
{
        if (run_waits_for_room(run))
                return "Waiting: there is no descriptor, memory or process left for its next command";
        if (run_is_preparing(run))
                return run_prepare_text(run);
        if (run_pid_file_text(run))
                return run_pid_file_text(run);
        return run->cold ? run->cold->status_text : NULL;
}

int run_status_errno(const struct run *run)
{
        return run->cold ? run->cold->status_errno : 0;
}

const char *run_reload_result(const struct run *run)
{
        return service_result_name(run->cold ? run->cold->reload_result : SERVICE_SUCCESS);
}

size_t run_fdstore_count(const struct run *run)
{
        return run->cold ? run->cold->fdstore.n : 0;
}
