// For the tests of the job engine: a unit type that replaces services. The test decides when its
// units start, stop and fail.
#pragma once

#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "unit/harness.h"

struct fake {
        struct unit unit;
        enum active_state state;
        unsigned started; // when its start began and when it was up, as a count of such events
        unsigned up;
        unsigned n_triggers; // how often it was notified of a change of a unit that it triggers
        struct list_node moving_node;
};

static unsigned ticks;
static struct list_node fakes_moving = {&fakes_moving,
                                        &fakes_moving}; // units that start or stop, oldest first

static inline struct fake *fake_of(const struct unit *u)
{
        return CONTAINER_OF(u, struct fake, unit);
}

static inline void fake_set(struct fake *f, enum active_state state)
{
        enum active_state old = f->state;

        f->state = state;
        list_remove(&f->moving_node);
        if (state == ACTIVE_ACTIVATING || state == ACTIVE_DEACTIVATING)
                list_append(&fakes_moving, &f->moving_node);
        if (state == ACTIVE_ACTIVATING)
                f->started = ++ticks;
        if (state == ACTIVE_ACTIVE)
                f->up = ++ticks;
        unit_notify(&f->unit, old, state, 0);
}

static inline enum unit_verdict fake_start(struct unit *u)
{
        struct fake *f = fake_of(u);

        if (u->conf->load_state != LOAD_LOADED)
                return UNIT_NOT_LOADED;
        if (f->state == ACTIVE_ACTIVE)
                return UNIT_ALREADY;
        if (f->state == ACTIVE_DEACTIVATING)
                return UNIT_RETRY;
        if (f->state != ACTIVE_ACTIVATING)
                fake_set(f, ACTIVE_ACTIVATING);
        return UNIT_STARTED;
}

static inline enum unit_verdict fake_stop(struct unit *u)
{
        struct fake *f = fake_of(u);

        if (active_state_is_inactive_or_failed(f->state))
                return UNIT_ALREADY;
        if (f->state != ACTIVE_DEACTIVATING)
                fake_set(f, ACTIVE_DEACTIVATING);
        return UNIT_STARTED;
}

static inline enum active_state fake_active_state(const struct unit *u)
{
        return fake_of(u)->state;
}

static inline const char *fake_sub_state(const struct unit *u)
{
        return active_state_name(fake_of(u)->state);
}

static inline void fake_done(struct unit *u)
{
        list_remove(&fake_of(u)->moving_node);
}

static inline int fake_kill(struct unit *u UNUSED, const char *who UNUSED, int signo UNUSED)
{
        return -ESRCH;
}

static inline void fake_trigger_notify(struct unit *u, struct unit *other UNUSED)
{
        fake_of(u)->n_triggers++;
}

// The test holds pointers to it.
static bool fake_is_kept = true;

static inline bool fake_is_needed(const struct unit *u UNUSED)
{
        return fake_is_kept;
}

static const struct unit_ops fake_ops = {
        .type = UNIT_SERVICE,
        .size = sizeof(struct fake),
        .done = fake_done,
        .start = fake_start,
        .stop = fake_stop,
        .kill = fake_kill,
        .active_state = fake_active_state,
        .sub_state = fake_sub_state,
        .trigger_notify = fake_trigger_notify,
        .is_needed = fake_is_needed,
};
