// The change from one state to the next: what it stops, and which observers it notifies.
#include "base/clock.h"
#include "base/log.h"
#include "core/service/client.h"
#include "core/service/service_priv.h"
#include "core/unit/collect.h"

#define OVER_RETRY (50 * USEC_PER_MSEC)

static bool has_timeout(enum service_state s)
{
        return !service_state_is_over(s) && s != SERVICE_EXITED &&
               s != SERVICE_AUTO_RESTART_QUEUED && s != SERVICE_DEAD_BEFORE_AUTO_RESTART &&
               s != SERVICE_FAILED_BEFORE_AUTO_RESTART;
}

static void on_over(struct work *w);

static void on_over_timer(struct timer *t, usec_t now UNUSED)
{
        on_over(&CONTAINER_OF(t, struct run, timer)->work);
}

// The life of a connection's run is over; the run keeps serving its client while its unit has a
// job.
static void on_over(struct work *w)
{
        struct run *run = CONTAINER_OF(w, struct run, work);

        if (!service_state_is_over(run->state))
                return;
        if (run_job(run)) {
                if (timer_set(run->manager->events, &run->timer, usec_add(clock_now(), OVER_RETRY),
                              on_over_timer) == 0)
                        return;
        }
        struct unit *u = run_unit(run);

        run->client->ops->on_end(run->client);
        if (u)
                collect_unit_later(u);
}

void service_set_state(struct run *run, enum service_state state)
{
        struct manager *m = run->manager;
        enum service_state old = run->state;
        enum active_state was = run_state_to_active(run, old),
                          now = run_state_to_active(run, state);

        run->state = state;
        if (state != run->waits_in) {
                work_cancel(&run->work);
                run_prepare_end(run);
        }
        if (state != SERVICE_START && state != SERVICE_START_POST && state != SERVICE_RUNNING &&
            !service_state_is_reloading(state))
                run_forget_pid_file(run);
        if (!has_timeout(state))
                timer_stop(m->events, &run->timer);
        if (run->cold) {
                run->cold->extend_until = 0;
                if (state != SERVICE_START_POST && state != SERVICE_RUNNING &&
                    !service_state_is_reloading(state))
                        run_watchdog_stop(run);
        }
        run_forget_strays(run);
        if (old != state)
                run_log(run, LOG_DEBUG, 0, "Changed %s -> %s", service_state_name(old),
                        service_state_name(state));
        if (run->client)
                run_let_go_of_connection(run);
        if (service_state_is_over(state) && run->client)
                work_queue(m->events, WORK_STATE, &run->work, on_over);
        if (!run->service)
                return;
        enum unit_notify_flags flags = 0;

        if (service_state_is_reloading(old) && run->cold &&
            run->cold->reload_result != SERVICE_SUCCESS)
                flags |= UNIT_NOTIFY_RELOAD_FAILURE;
        if (state == SERVICE_AUTO_RESTART || state == SERVICE_AUTO_RESTART_QUEUED)
                flags |= UNIT_NOTIFY_WILL_RESTART;
        if (run->result == SERVICE_SKIP_CONDITION)
                flags |= UNIT_NOTIFY_SKIPPED;
        if (manager_differs(m, DIFFERENCE_RESTART_NO_STOP) && service_comes_back(run))
                flags |= UNIT_NOTIFY_KEEPS_BOUND;
        unit_notify(&run->service->unit, was, now, flags);
}
