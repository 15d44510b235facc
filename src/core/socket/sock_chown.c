// SocketUser= and SocketGroup=: the owners of a socket's nodes.
#include "base/log.h"
#include "base/str.h"
#include "core/socket/sock_priv.h"
#include "spawn/ids.h"

#include <unistd.h>

void sock_chown_init(struct sock *s)
{
        s->node_uid = (uid_t)-1;
        s->node_gid = (gid_t)-1;
}

static void on_ids_known(struct sock *s)
{
        int r = sock_chown(s);

        if (r <= 0)
                sock_on_commands_done(s, r < 0 ? SOCK_FAILURE_EXIT_CODE : SOCK_SUCCESS);
}

// Logs what was not found. Returns error.
static int complain_ids(struct sock *s, int error, bool has_user)
{
        const struct socket_group *conf = sock_conf(s);
        const char *key = has_user ? "SocketGroup" : "SocketUser";
        const char *name = has_user ? conf->socket_group : conf->socket_user;

        if (error == -ESRCH)
                log_unit(s->unit.id, LOG_ERR, 0, "There is no %s named %s (%s=)",
                         has_user ? "group" : "user", name, key);
        else
                log_unit(s->unit.id, LOG_ERR, -error, "Cannot find %s=%s", key, name);
        sock_set_failure(s, str_printf("%s=%s was not found", key, name));
        return error;
}

// 0, 1: waiting, -errno (logged).
static int find_ids(struct sock *s, uid_t *ret_uid, gid_t *ret_gid)
{
        const struct socket_group *conf = sock_conf(s);
        const struct sock_command *c = s->command;
        struct ids_lookup *lookup = c && c->on_ids == on_ids_known ? c->ids : NULL;
        CLEANUP(ids_user) struct ids_user user = {.uid = (uid_t)-1, .gid = (gid_t)-1};
        gid_t gid = (gid_t)-1;
        int r = 0;

        if (conf->socket_user)
                r = ids_get_user(conf->socket_user, lookup, &user);
        bool has_user = r == IDS_FOUND;

        if (has_user && conf->socket_group)
                r = ids_get_group(conf->socket_group, lookup, &gid);
        else if (has_user)
                gid = user.gid;
        if (r == IDS_NEEDS_LOOKUP && lookup)
                r = -ESRCH; // the look-up is over, without an answer
        if (r == IDS_NEEDS_LOOKUP) {
                char *groups[] = {conf->socket_group, NULL};

                r = ids_lookup_new(conf->socket_user, groups, &lookup);
                if (r == 0)
                        return sock_command_await(s, lookup, on_ids_known);
        }
        if (r < 0)
                return complain_ids(s, r, has_user);
        *ret_uid = user.uid;
        *ret_gid = gid;
        return 0;
}

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

int sock_chown(struct sock *s)
{
        const struct socket_group *conf = sock_conf(s);
        uid_t uid = (uid_t)-1;
        gid_t gid = (gid_t)-1;

        s->node_uid = uid;
        s->node_gid = gid;
        if (!conf->socket_user && !conf->socket_group)
                return 0;
        int r = find_ids(s, &uid, &gid);

        if (r != 0)
                return r;
        s->node_uid = uid;
        s->node_gid = gid;
        s->n_started = 0;
        return give_nodes(s);
}

void sock_chown_again(struct sock *s, const struct socket_group *old)
{
        const struct socket_group *conf = sock_conf(s);
        CLEANUP(ids_user) struct ids_user user = {.uid = geteuid(), .gid = getegid()};
        int r = IDS_FOUND;

        if (str_eq_ptr(conf->socket_user, old->socket_user) &&
            str_eq_ptr(conf->socket_group, old->socket_group))
                return;
        if (conf->socket_user)
                r = ids_get_user(conf->socket_user, NULL, &user);
        if (r == IDS_FOUND && conf->socket_group)
                r = ids_get_group(conf->socket_group, NULL, &user.gid);
        if (r != IDS_FOUND) {
                log_unit(
                        s->unit.id, LOG_WARNING, r < 0 ? -r : 0,
                        "Its nodes change hands when it is restarted: the new owner is not known here");
                return;
        }
        s->node_uid = user.uid;
        s->node_gid = user.gid;
        for (size_t i = 0; i < s->n_listeners; i++)
                sock_node_give_later(&s->listeners[i], false);
}
