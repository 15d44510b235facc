#include "core/unit/target.h"

#include "core/unit/manager.h"

struct target {
        struct unit unit;
        bool is_active;
};

static struct target *target_of(const struct unit *u)
{
        return CONTAINER_OF(u, struct target, unit);
}

static void set_active(struct unit *u, bool is_active)
{
        enum active_state old = u->ops->active_state(u);

        target_of(u)->is_active = is_active;
        unit_notify(u, old, u->ops->active_state(u), 0);
}

static enum unit_verdict target_start(struct unit *u)
{
        // A target only orders: it is active once everything before it is up.
        set_active(u, true);
        return UNIT_STARTED;
}

static enum unit_verdict target_stop(struct unit *u)
{
        set_active(u, false);
        return UNIT_STARTED;
}

static enum active_state target_active_state(const struct unit *u)
{
        return target_of(u)->is_active ? ACTIVE_ACTIVE : ACTIVE_INACTIVE;
}

static const char *target_sub_state(const struct unit *u)
{
        return target_of(u)->is_active ? "active" : "dead";
}

static int refuse_kill(struct unit *u UNUSED, const char *who UNUSED, int signo UNUSED)
{
        return -ESRCH;
}

const struct unit_ops target_ops = {
        .type = UNIT_TARGET,
        .size = sizeof(struct target),
        .start = target_start,
        .stop = target_stop,
        .kill = refuse_kill,
        .active_state = target_active_state,
        .sub_state = target_sub_state,
};

static enum active_state placeholder_active_state(const struct unit *u UNUSED)
{
        return ACTIVE_INACTIVE;
}

static const char *placeholder_sub_state(const struct unit *u UNUSED)
{
        return "dead";
}

const struct unit_ops placeholder_ops = {
        .type = UNIT_SLICE,
        .size = sizeof(struct unit),
        .kill = refuse_kill,
        .active_state = placeholder_active_state,
        .sub_state = placeholder_sub_state,
};
