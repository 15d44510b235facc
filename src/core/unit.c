#include "core/unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/job.h"
#include "core/manager.h"
#include "core/propagate.h"
#include "core/stop.h"

const char *active_state_name(enum active_state state)
{
        static const char *const names[_ACTIVE_STATE_MAX] = {
                [ACTIVE_INACTIVE] = "inactive",       [ACTIVE_ACTIVE] = "active",
                [ACTIVE_RELOADING] = "reloading",     [ACTIVE_FAILED] = "failed",
                [ACTIVE_ACTIVATING] = "activating",   [ACTIVE_DEACTIVATING] = "deactivating",
                [ACTIVE_MAINTENANCE] = "maintenance",
        };
        return names[state];
}

const char *load_state_name(enum load_state state)
{
        static const char *const names[_LOAD_STATE_MAX] = {
                [LOAD_STUB] = "stub",           [LOAD_LOADED] = "loaded",
                [LOAD_NOT_FOUND] = "not-found", [LOAD_BAD_SETTING] = "bad-setting",
                [LOAD_ERROR] = "error",         [LOAD_MERGED] = "merged",
                [LOAD_MASKED] = "masked",
        };
        return names[state];
}

bool active_state_is_up(enum active_state s)
{
        return s == ACTIVE_ACTIVE || s == ACTIVE_RELOADING;
}

bool active_state_is_inactive_or_failed(enum active_state s)
{
        return s == ACTIVE_INACTIVE || s == ACTIVE_FAILED;
}

const char *unit_description(const struct unit *u)
{
        const char *text = u->conf->unit ? u->conf->unit->description : NULL;

        return text && *text ? text : u->id;
}

struct unit *unit_triggered(const struct unit *u)
{
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_TRIGGERS), other)
        return other;
        return NULL;
}

void unit_configure(struct unit *u)
{
        u->start_limit.interval = u->conf->unit->start_limit_interval_sec;
        u->start_limit.burst = u->conf->unit->start_limit_burst;
        u->conf_rt = clock_now_realtime();
}

bool unit_start_limit_test(struct unit *u)
{
        const struct unit_group *g = u->conf->unit;

        if (rate_below(&u->start_limit, clock_now())) {
                u->start_limit_hit = false;
                return true;
        }
        log_unit(u->id, LOG_WARNING, 0, "Start request repeated too quickly.");
        u->start_limit_hit = true;
        manager_act(u->manager, g->start_limit_action, -1, u->id, "hit its start limit");
        return false;
}

// ---- observers

static void on_notify(struct work *w)
{
        struct unit *u = CONTAINER_OF(w, struct unit, notify_work);

        for (struct core_observer *o = u->manager->observers; o; o = o->next)
                if (o->on_unit_changed)
                        o->on_unit_changed(o, u);
}

void unit_changed(struct unit *u)
{
        if (u->manager->observers)
                work_queue(u->manager->events, WORK_NOTIFY, &u->notify_work, on_notify);
}

void unit_flush_changes(struct unit *u)
{
        if (list_is_linked(&u->notify_work.node)) {
                work_cancel(&u->notify_work);
                on_notify(&u->notify_work);
        }
}

// ---- state changes

static void stamp(struct unit *u, enum active_state old, enum active_state now)
{
        usec_t t = clock_now(), rt = clock_now_realtime();
        bool was_off = active_state_is_inactive_or_failed(old);
        bool is_off = active_state_is_inactive_or_failed(now);

        u->state_change = t;
        u->state_change_rt = rt;
        if (was_off && !is_off) {
                u->inactive_exit = t;
                u->inactive_exit_rt = rt;
        } else if (!was_off && is_off) {
                u->inactive_enter = t;
                u->inactive_enter_rt = rt;
        }
        if (!active_state_is_up(old) && active_state_is_up(now)) {
                u->active_enter = t;
                u->active_enter_rt = rt;
        } else if (active_state_is_up(old) && !active_state_is_up(now)) {
                u->active_exit = t;
                u->active_exit_rt = rt;
        }
}

static void act_on_end(struct unit *u, enum active_state old, enum active_state now)
{
        const struct unit_group *g = u->conf->unit;
        bool failed = now == ACTIVE_FAILED;
        int status = failed ? g->failure_action_exit_status : g->success_action_exit_status;

        if (old == now || !active_state_is_inactive_or_failed(now) ||
            (!failed && active_state_is_inactive_or_failed(old)))
                return;
        if (status < 0 && u->ops->exit_status)
                status = u->ops->exit_status(u);
        if (status < 0)
                status = failed ? EXIT_FAILURE : EXIT_SUCCESS;
        manager_act(u->manager, failed ? g->failure_action : g->success_action, status, u->id,
                    failed ? "failed" : "ended");
}

bool unit_can_reload(const struct unit *u)
{
        if (u->ops->can_reload)
                return u->ops->can_reload(u);
        UNIT_FOREACH_DEPENDENCY(u, DEP_BIT(DEP_PROPAGATES_RELOAD_TO), other)
        return true;
        return u->ops->reload != NULL;
}

void unit_notify(struct unit *u, enum active_state old, enum active_state now,
                 enum unit_notify_flags flags)
{
        bool will_restart = flags & UNIT_NOTIFY_WILL_RESTART;

        unit_changed(u);
        stamp(u, old, now);
        if (u->job ? job_on_unit_change(u, now, flags) : true)
                propagate_unexpected(u, old, now);
        if (now == ACTIVE_FAILED && old != ACTIVE_FAILED && !will_restart)
                propagate_outcome(u, DEP_ON_FAILURE);
        else if (now == ACTIVE_INACTIVE && !active_state_is_inactive_or_failed(old) &&
                 !will_restart)
                propagate_outcome(u, DEP_ON_SUCCESS);
        propagate_trigger(u);
        act_on_end(u, old, now);
        propagate_check_later(u, now);
        if (active_state_is_inactive_or_failed(now))
                manager_collect_unit(u);
}
