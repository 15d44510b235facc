// SocketUser= and SocketGroup=: the owners of a socket's nodes. They are looked up before a node is
// made, so that none lets others in before it has its owner; while one does not exist, its nodes
// are not made.
#include "base/log.h"
#include "base/str.h"
#include "core/socket/owners.h"
#include "core/socket/sock_priv.h"

#include <unistd.h>

struct sock_owner {
        struct sock *sock;
        struct owner_waiter waiter;
        struct unit_conf *conf; // reference: what is asked for, or was last
        enum absence absence;   // what is not there; ABSENT_NOTHING: all is known
        bool has_user;          // absence is about the group
};

void sock_owner_init(struct sock *s)
{
        s->node_uid = (uid_t)-1;
        s->node_gid = (gid_t)-1;
}

static bool has_owner(const struct sock *s)
{
        return sock_conf(s)->socket_user || sock_conf(s)->socket_group;
}

static bool has_node(const struct sock *s)
{
        const struct port_list *ports = &sock_conf(s)->ports;

        for (size_t i = 0; i < ports->n; i++)
                if (net_port_has_node(&ports->items[i]) && ports->items[i].kind != PORT_SPECIAL)
                        return true;
        return false;
}

static bool is_same(const struct socket_group *a, const struct socket_group *b)
{
        return str_eq_ptr(a->socket_user, b->socket_user) &&
               str_eq_ptr(a->socket_group, b->socket_group);
}

enum absence sock_owner_missing(const struct sock *s)
{
        if (sock_owner_is_asked(s) && s->owner->absence == ABSENT_NOTHING)
                return ABSENT_NAME_SERVICE;
        return s->owner ? s->owner->absence : ABSENT_NOTHING;
}

const char *sock_owner_name(const struct sock *s)
{
        const struct socket_group *conf = s->owner->conf->socket;

        return s->owner->has_user || !conf->socket_user ? conf->socket_group : conf->socket_user;
}

bool sock_owner_is_asked(const struct sock *s)
{
        return s->owner && s->owner->waiter.question;
}

const char *sock_owner_text(const struct sock *s)
{
        return sock_owner_is_asked(s) && s->state == SOCK_START_PRE ? "Waiting for name services"
                                                                    : NULL;
}

// Logs what was not found, if this is news. is_final: the start fails for it.
static void complain(struct sock *s, enum absence absence, int error, bool is_final)
{
        const char *key =
                s->owner->has_user || !sock_conf(s)->socket_user ? "SocketGroup" : "SocketUser";
        const char *name = sock_owner_name(s);
        char what[ABSENCE_TEXT_MAX];

        if (is_final && error == -ESRCH)
                log_unit(s->unit.id, LOG_ERR, 0, "There is no %s named %s (%s=)",
                         absence == ABSENT_GROUP ? "group" : "user", name, key);
        else if (is_final)
                log_unit(s->unit.id, LOG_ERR, -error, "Cannot find %s=%s", key, name);
        else
                log_unit(
                        s->unit.id, absence == s->owner->absence ? LOG_DEBUG : LOG_WARNING, 0,
                        "Waiting for %s (%s=); what it listens on in the file system is made then.",
                        absence_format(absence, name, what, sizeof(what)), key);
        if (is_final)
                sock_set_failure(s, str_printf("%s=%s was not found", key, name));
}

static void on_known(struct owner_waiter *w, const struct owner_answer *answer)
{
        struct sock *s = CONTAINER_OF(w, struct sock_owner, waiter)->sock;

        sock_owner_settle(s, answer);
}

void sock_owner_settle(struct sock *s, const struct owner_answer *answer)
{
        struct sock_owner *o = s->owner;

        owners_forget(&o->waiter);
        if (!s->unit.conf->socket)
                return; // its file is gone
        if (!is_same(sock_conf(s), o->conf->socket)) {
                int r = sock_owner_ask(s); // a reload came in between

                if (r <= 0)
                        sock_on_owner_known(s, r);
                return;
        }
        enum absence absence = answer->r == 0              ? ABSENT_NOTHING
                               : answer->r != -ESRCH       ? ABSENT_NAME_SERVICE
                               : answer->has_user          ? ABSENT_GROUP
                               : sock_conf(s)->socket_user ? ABSENT_USER
                                                           : ABSENT_GROUP;

        o->has_user = answer->has_user;
        if (absence != ABSENT_NOTHING)
                complain(s, absence, answer->r, !sock_may_wait(s, absence));
        o->absence = absence;
        if (absence == ABSENT_NOTHING) {
                s->node_uid = answer->uid;
                s->node_gid = answer->gid;
        }
        sock_on_owner_known(s, answer->r);
}

// In compatibility a start fails for a missing owner, whatever it listens on.
int sock_owner_ask(struct sock *s)
{
        struct sock_owner *o = s->owner;

        if (!has_owner(s) || (!has_node(s) && sock_may_wait(s, ABSENT_GROUP))) {
                sock_owner_done(s);
                sock_owner_init(s);
                return 0;
        }
        if (!o && !(o = s->owner = calloc(1, sizeof(*o))))
                return -ENOMEM;
        o->sock = s;
        o->waiter.on_known = on_known;
        unit_conf_unref(o->conf);
        o->conf = unit_conf_ref(s->unit.conf);
        int r = owners_ask(s->unit.manager, &o->waiter, sock_conf(s)->socket_user,
                           sock_conf(s)->socket_group);

        return r < 0 ? r : 1;
}

void sock_owner_done(struct sock *s)
{
        struct sock_owner *o = TAKE(s->owner);

        if (!o)
                return;
        owners_forget(&o->waiter);
        unit_conf_unref(o->conf);
        free(o);
}

// ---- nodes that are there already

void sock_log_give_failure(const struct listener *l, const struct node_result *result)
{
        if (result->r < 0)
                log_unit(l->sock->unit.id, LOG_ERR, 0, "Cannot give %s to its owner: %s",
                         l->port->path, result->why);
}

// 0, 1: waiting, -errno.
static int give_nodes(struct sock *s)
{
        struct node_result result;

        for (; s->n_started < s->n_listeners; s->n_started++) {
                struct listener *l = &s->listeners[s->n_started];

                if (l->has_owner)
                        continue;
                if (sock_node_give(l, false, &result) > 0)
                        return 1;
                sock_log_give_failure(l, &result);
                if (result.r < 0)
                        return result.r;
        }
        return 0;
}

void sock_on_given(struct sock *s, int r)
{
        s->n_started++;
        if (r == 0)
                r = give_nodes(s);
        if (r <= 0)
                sock_on_commands_done(s, r == -ETIMEDOUT ? SOCK_FAILURE_TIMEOUT
                                         : r < 0         ? SOCK_FAILURE_EXIT_CODE
                                                         : SOCK_SUCCESS);
}

int sock_give_all(struct sock *s)
{
        s->n_started = 0;
        return give_nodes(s);
}

void sock_owner_reloaded(struct sock *s, const struct socket_group *old)
{
        if (is_same(sock_conf(s), old))
                return;
        if (!has_owner(s)) { // as the supervisor makes it
                sock_owner_done(s);
                s->node_uid = geteuid();
                s->node_gid = getegid();
                sock_own_all(s);
        } else if (sock_owner_ask(s) < 0) {
                log_unit(s->unit.id, LOG_ERR, ENOMEM,
                         "Its nodes keep their owner until it is restarted");
        }
}

void sock_own_all(struct sock *s)
{
        for (size_t i = 0; i < s->n_listeners; i++) {
                struct listener *l = &s->listeners[i];

                if (l->watch.fd >= 0)
                        sock_node_give_later(l, false);
                else if (l->absence != ABSENT_NOTHING && sock_open_later(l) == 0)
                        sock_note_there(l);
        }
}
