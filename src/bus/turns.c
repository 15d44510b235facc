// Readers of the control socket are served in turn: round robin over the users, and over the
// clients of each user, while their share of the loop's time lasts.
#include "base/clock.h"
#include "bus/bus_priv.h"

// The time that readers get in one turn of the loop.
#define AT_ONCE 16

static void on_turn(struct timer *t, usec_t now);

static int arm(struct bus_server *s)
{
        if (list_is_empty(&s->turn_users) || timer_is_set(&s->turn_timer))
                return 0;
        return timer_set(s->manager->events, &s->turn_timer, share_next(&s->share, clock_now()),
                         on_turn);
}

static struct bus_client *take_next(struct bus_server *s)
{
        struct bus_user *u = CONTAINER_OF(s->turn_users.next, struct bus_user, turn_node);
        struct bus_client *c = CONTAINER_OF(u->turns.next, struct bus_client, turn_node);

        list_remove(&c->turn_node);
        list_remove(&u->turn_node);
        if (!list_is_empty(&u->turns))
                list_append(&s->turn_users, &u->turn_node);
        return c;
}

static void on_turn(struct timer *t, usec_t now)
{
        struct bus_server *s = CONTAINER_OF(t, struct bus_server, turn_timer);

        for (int i = 0; i < AT_ONCE && !list_is_empty(&s->turn_users); i++) {
                if (!share_is_open(&s->share, now))
                        break;
                bus_client_step(take_next(s));
                usec_t begin = now;

                now = clock_now();
                share_spend(&s->share, now - begin);
        }
        if (arm(s) < 0) // out of memory: without a timer, waiting clients would never get a turn
                while (!list_is_empty(&s->turn_users))
                        bus_client_drop(take_next(s));
}

void bus_turn_queue(struct bus_client *c)
{
        struct bus_server *s = c->server;
        struct bus_user *u = c->user;

        if (list_is_linked(&c->turn_node))
                return;
        list_append(&u->turns, &c->turn_node);
        if (!list_is_linked(&u->turn_node))
                list_append(&s->turn_users, &u->turn_node);
        if (arm(s) < 0)
                bus_client_drop(c);
}

void bus_turn_cancel(struct bus_client *c)
{
        list_remove(&c->turn_node);
        if (list_is_empty(&c->user->turns))
                list_remove(&c->user->turn_node);
}
