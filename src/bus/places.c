// Limits on connected clients. Readers, those who control, and the owner have separate limits, and
// no user gets all places of a kind, so that held connections shut no other user out. The unread
// answers of readers are limited, too.
#include "base/clock.h"
#include "base/log.h"
#include "bus/bus_priv.h"

#include <limits.h>

static const struct {
        unsigned all, user; // limits: for all clients, for the clients of one user
} places[_BUS_ACCESS_MAX] = {
        [BUS_ACCESS_READ] = {96, 16},
        [BUS_ACCESS_CONTROL] = {96, 32},
        [BUS_ACCESS_OWNER] = {64, 48},
};
// Limits on answers that do not fit into the socket's buffer and wait to be read.
#define UNREAD_MAX 8
#define UNREAD_USER_MAX 2

// ---- users

static struct bus_user *find_user(struct bus_server *s, uid_t uid, enum bus_access access)
{
        LIST_FOREACH (&s->users, node) {
                struct bus_user *u = CONTAINER_OF(node, struct bus_user, node);

                if (u->uid == uid && u->access == access)
                        return u;
        }
        return NULL;
}

static struct bus_user *new_user(struct bus_server *s, uid_t uid, enum bus_access access)
{
        struct bus_user *u = calloc(1, sizeof(*u));

        if (!u)
                return NULL;
        u->uid = uid;
        u->access = access;
        list_init(&u->turns);
        list_append(&s->users, &u->node);
        return u;
}

void bus_place_drop(struct bus_user *u)
{
        if (--u->n_refs > 0)
                return;
        list_remove(&u->node);
        free(u);
}

// ---- connections

// Chooses the client to drop for a new one of user u. Clients that have not authenticated go first:
// those of u or, if u is below its limit, of any user of this kind. Otherwise the user with most
// clients loses the one that has been idle longest, if that user has more than u. NULL: none.
static struct bus_client *choose_victim(struct bus_server *s, const struct bus_user *u)
{
        bool is_user_full = u->n_clients >= places[u->access].user;
        struct bus_client *victim = NULL;
        unsigned most = is_user_full ? UINT_MAX : u->n_clients;

        BUS_FOREACH_CLIENT (s, c) {
                if (c->is_dropped || c->user->access != u->access || (is_user_full && c->user != u))
                        continue;
                if (!c->intake.is_running)
                        return c;
                if (c->user->n_clients > most) {
                        victim = c;
                        most = c->user->n_clients;
                }
        }
        return victim;
}

static bool make_room(struct bus_server *s, const struct bus_user *u)
{
        if (s->n_places[u->access] < places[u->access].all && u->n_clients < places[u->access].user)
                return true;
        struct bus_client *victim = choose_victim(s, u);

        if (victim) {
                bus_client_drop(victim);
                return true;
        }
        if (rate_below(&s->complaints, clock_now()))
                log_write(LOG_WARNING, "Control clients of user %u are refused: %u are connected",
                          u->uid, u->n_clients);
        return false;
}

struct bus_user *bus_place_take(struct bus_server *s, uid_t uid, enum bus_access access)
{
        struct bus_user *u = find_user(s, uid, access);

        if (!u)
                u = new_user(s, uid, access);
        if (!u)
                return NULL;
        u->n_refs++;
        if (make_room(s, u))
                return u;
        bus_place_drop(u);
        return NULL;
}

// ---- unread answers

// The user with most unread answers; a user above its limit always has most.
static void drop_unread(struct bus_server *s)
{
        struct bus_client *victim = NULL;

        LIST_FOREACH (&s->unread, node) {
                struct bus_client *c = CONTAINER_OF(node, struct bus_client, unread_node);

                if (!victim || c->user->n_unread > victim->user->n_unread)
                        victim = c;
        }
        if (!victim)
                return;
        log_write(LOG_DEBUG, "A control client of user %u does not read its answer",
                  victim->user->uid);
        bus_client_drop(victim);
}

void bus_place_touch_unread(struct bus_client *c)
{
        if (!list_is_linked(&c->unread_node))
                return;
        list_remove(&c->unread_node);
        list_append(&c->server->unread, &c->unread_node);
}

void bus_place_set_unread(struct bus_client *c, bool is_unread)
{
        struct bus_server *s = c->server;

        if (is_unread == list_is_linked(&c->unread_node))
                return;
        if (!is_unread) {
                list_remove(&c->unread_node);
                s->n_unread--;
                c->user->n_unread--;
                return;
        }
        list_append(&s->unread, &c->unread_node);
        s->n_unread++;
        if (++c->user->n_unread > UNREAD_USER_MAX || s->n_unread > UNREAD_MAX)
                drop_unread(s);
}
