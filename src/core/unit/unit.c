#include "core/unit/unit.h"

#include "base/clock.h"
#include "base/log.h"
#include "core/unit/collect.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "core/unit/propagate.h"
#include "core/unit/stop.h"

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

bool active_state_is_up_or_coming(enum active_state s)
{
        return active_state_is_up(s) || s == ACTIVE_ACTIVATING;
}

bool active_state_is_down_or_going(enum active_state s)
{
        return active_state_is_inactive_or_failed(s) || s == ACTIVE_DEACTIVATING;
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
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERS), other)
                return other;
        return NULL;
}

void unit_configure(struct unit *u)
{
        u->start_limit.interval = u->conf->unit->start_limit_interval_sec;
        u->start_limit.burst = u->conf->unit->start_limit_burst;
        u->conf_rt = clock_now_realtime();
        if (unit_is_checking(u)) { // drops tests of the old conf
                unit_forget_checks(u);
                job_look_again(u);
        }
}

void unit_replace_conf(struct unit *u, struct unit_conf *fresh)
{
        struct unit_conf *old = u->conf;

        log_unit(u->id, LOG_DEBUG, 0, "Its settings have changed.");
        u->conf = fresh;
        unit_configure(u);
        if (u->ops->reconfigure)
                u->ops->reconfigure(u, old);
        unit_changed(u);
        unit_conf_unref(old);
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
        stop_act_on_failure(u->manager, g->start_limit_action, -1, u->id, "hit its start limit");
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

bool unit_can_reload(const struct unit *u)
{
        if (u->ops->can_reload)
                return u->ops->can_reload(u);
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_PROPAGATES_RELOAD_TO), other)
                return true;
        return u->ops->reload != NULL;
}

// The consequences of a change for other units, except those that the unit's job asked for.
static uint32_t find_consequences(enum active_state old, enum active_state now,
                                  enum unit_notify_flags flags)
{
        bool will_restart = flags & UNIT_NOTIFY_WILL_RESTART;
        uint32_t steps = PROPAGATE_BIT(PROPAGATE_TRIGGER) | PROPAGATE_BIT(PROPAGATE_CHECK);

        if (now == ACTIVE_FAILED && old != ACTIVE_FAILED) {
                steps |= PROPAGATE_BIT(PROPAGATE_FAILURE_ACTION);
                if (!will_restart)
                        steps |= PROPAGATE_BIT(PROPAGATE_ON_FAILURE);
        } else if (now == ACTIVE_INACTIVE && old != ACTIVE_MAINTENANCE &&
                   !active_state_is_inactive_or_failed(old)) {
                steps |= PROPAGATE_BIT(PROPAGATE_SUCCESS_ACTION);
                if (!will_restart)
                        steps |= PROPAGATE_BIT(PROPAGATE_ON_SUCCESS);
        }
        return steps;
}

// The change was not requested.
static uint32_t find_unexpected(enum active_state old, enum active_state now)
{
        if (active_state_is_inactive_or_failed(old) && active_state_is_up_or_coming(now))
                return PROPAGATE_BIT(PROPAGATE_START_NEEDED);
        if (active_state_is_up_or_coming(old) && active_state_is_down_or_going(now))
                return PROPAGATE_BIT(PROPAGATE_STOP_BOUND);
        return 0;
}

// Units bound to it are stopped once it is known that it does not come back.
static uint32_t hold_stop(struct unit *u, enum active_state now, enum unit_notify_flags flags,
                          uint32_t steps)
{
        uint32_t stop = PROPAGATE_BIT(PROPAGATE_STOP_BOUND);

        if (steps & stop && flags & UNIT_NOTIFY_KEEPS_BOUND) {
                u->holds_stop = true;
                return steps & ~stop;
        }
        if (active_state_is_up(now))
                u->holds_stop = false;
        if (!u->holds_stop || flags & UNIT_NOTIFY_KEEPS_BOUND ||
            !active_state_is_inactive_or_failed(now))
                return steps;
        // The stop part of the restart is over.
        if (u->job && (u->job->type == JOB_START || u->job->type == JOB_RESTART))
                return steps;
        u->holds_stop = false;
        return steps | stop;
}

void unit_notify(struct unit *u, enum active_state old, enum active_state now,
                 enum unit_notify_flags flags)
{
        NOT_NESTED();
        uint32_t steps = find_consequences(old, now, flags);

        unit_changed(u);
        stamp(u, old, now);
        if (!u->job || job_on_unit_change(u, now, flags))
                steps |= find_unexpected(old, now);
        steps = hold_stop(u, now, flags, steps);
        propagate_later(u, steps);
        if (active_state_is_inactive_or_failed(now))
                collect_unit_later(u);
}
