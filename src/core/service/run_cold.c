#include "core/service/run_cold.h"
#include "core/service/folders.h"

#include "base/fd.h"
#include "base/strv.h"
#include "core/unit/manager.h"

struct run_cold *run_cold_get(struct run *run)
{
        if (run->cold)
                return run->cold;
        struct run_cold *cold = calloc(1, sizeof(*cold));

        if (!cold)
                return NULL;
        cold->run = run;
        cold->exec_watch.fd = -1;
        cold->notify_access_override = NOTIFY_ACCESS_UNSET;
        cold->watchdog_override = USEC_INFINITY;
        fdstore_init(&cold->fdstore);
        return run->cold = cold;
}

void run_cold_free(struct run *run)
{
        folders_release(run);
        struct run_cold *cold = TAKE(run->cold);

        if (!cold)
                return;
        struct events *e = run->manager->events;

        timer_stop(e, &cold->watchdog_timer);
        timer_stop(e, &cold->idle_timer);
        orphans_wait_stop(&cold->strays_wait);
        timer_stop(e, &cold->pid_file_timer);
        watch_remove(e, &cold->exec_watch);
        fd_close(cold->exec_watch.fd);
        command_wait_end(&cold->wait);
        inquiry_free(cold->opened);
        unit_conf_unref(cold->opened_conf);
        bus_name_unwatch(&cold->bus_name);
        fdstore_clear(&cold->fdstore);
        strv_free(cold->monitored);
        strv_free(cold->monitored_next);
        free(cold->status_text);
        free(cold);
}
