// What a start has to know before it opens anything: nodes of the last run are gone, names have
// addresses, owners are known. Each step may wait; in state start-pre.
#include "core/socket/sock_priv.h"
#include "core/start/removal.h"

// Before there is a node that could have another one.
static void find_owner(struct sock *s)
{
        int r = sock_owner_ask(s);

        if (r > 0)
                sock_command_arm_timeout(s);
        else if (r == 0)
                sock_open(s);
        else
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
}

static void on_removed(void *data)
{
        sock_enter_open(data);
}

void sock_enter_open(struct sock *s)
{
        if (s->removal) { // a removal must not delete new nodes
                removal_await(s->removal, on_removed, s);
                sock_command_arm_timeout(s);
                unit_changed(&s->unit);
                return;
        }
        int r = sock_names_ask(s);

        assert(s->state == SOCK_START_PRE);
        if (r > 0)
                sock_command_arm_timeout(s);
        else if (r == 0)
                find_owner(s);
        else
                (void)sock_on_names_known(s, r); // nothing is listened on yet
}

int sock_on_names_known(struct sock *s, int r)
{
        if (s->state == SOCK_START_PRE && (r < 0 || sock_names_missing(s)) &&
            !sock_may_wait(s, ABSENT_NAME)) {
                sock_enter_stop_pre(s, SOCK_FAILURE_RESOURCES);
                return sock_reopen(s, s->unit.conf);
        }
        int reopened = sock_reopen(s, s->unit.conf);

        if (s->state == SOCK_START_PRE)
                find_owner(s);
        else
                sock_update_watch(s);
        return reopened;
}

void sock_on_owner_known(struct sock *s, int r)
{
        enum absence absence = sock_owner_missing(s);

        if (s->state == SOCK_START_PRE) {
                if (absence == ABSENT_NOTHING || sock_may_wait(s, absence))
                        sock_open(s);
                else
                        sock_enter_stop_pre(s, r == -ETIMEDOUT ? SOCK_FAILURE_TIMEOUT
                                                               : SOCK_FAILURE_EXIT_CODE);
                return;
        }
        if (!sock_state_is_open(s->state) || !sock_state_is_up(s->state))
                return;
        if (absence == ABSENT_NOTHING)
                sock_own_all(s);
        sock_retry_update(s);
        sock_update_watch(s);
}

static void on_start_again(struct work *w)
{
        struct sock *s = CONTAINER_OF(w, struct sock, start_work);

        if (!list_is_empty(&s->nodes))
                return; // the start continues already
        if (s->state == SOCK_START_PRE) {
                sock_enter_open(s);
                return;
        }
        int r = sock_give_all(s);

        if (r <= 0)
                sock_on_commands_done(s, r < 0 ? SOCK_FAILURE_EXIT_CODE : SOCK_SUCCESS);
}

void sock_start_again_later(struct sock *s)
{
        work_queue(s->unit.manager->events, WORK_STATE, &s->start_work, on_start_again);
}
