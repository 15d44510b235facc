// Decides who may read and who may control by the credentials of the peer (SO_PEERCRED,
// SO_PEERGROUPS: socket(7), unix(7)). Names in the settings are looked up in the local files only,
// since the loop must not wait for a name service.
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "spawn/ids.h"

#include <sys/socket.h>

struct peer {
        struct ucred cred;
        gid_t groups[IDS_GROUPS_MAX];
        size_t n_groups;
};

static bool is_in_group(const struct peer *peer, gid_t gid)
{
        for (size_t i = 0; i < peer->n_groups; i++)
                if (peer->groups[i] == gid)
                        return true;
        return peer->cred.gid == gid;
}

static bool matches(const struct peer *peer, const char *name)
{
        if (streq(name, "all"))
                return true;
        if (streq(name, "none"))
                return false;
        if (name[0] == '@') {
                gid_t gid;

                return ids_get_group(name + 1, NULL, &gid) == IDS_FOUND && is_in_group(peer, gid);
        }
        CLEANUP(ids_user) struct ids_user user = {0};

        return ids_get_user(name, NULL, &user) == IDS_FOUND && user.uid == peer->cred.uid;
}

static bool is_listed(const struct peer *peer, char *const *names)
{
        STRV_FOREACH (name, names)
                if (matches(peer, *name))
                        return true;
        return false;
}

static int get_peer(int fd, struct peer *ret)
{
        socklen_t size = sizeof(ret->cred);

        ret->n_groups = 0;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ret->cred, &size) < 0)
                return -errno;
        size = sizeof(ret->groups);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret->groups, &size) == 0)
                ret->n_groups = size / sizeof(gid_t);
        return 0;
}

enum bus_access bus_access_of(const struct settings *settings, int fd, uid_t *ret_uid)
{
        struct peer peer;

        if (get_peer(fd, &peer) < 0)
                return BUS_ACCESS_NONE;
        *ret_uid = peer.cred.uid;
        if (peer.cred.uid == 0 || peer.cred.uid == geteuid())
                return BUS_ACCESS_OWNER;
        if (is_listed(&peer, settings->allow_control))
                return BUS_ACCESS_CONTROL;
        return !settings->allow_read || is_listed(&peer, settings->allow_read) ? BUS_ACCESS_READ
                                                                               : BUS_ACCESS_NONE;
}

// Those who may read the journal of a machine that has one.
static char *const log_readers[] = {(char *)"@systemd-journal", NULL};

bool bus_may_read_logs(const struct bus_client *c)
{
        const struct settings *settings = c->server->manager->settings;
        struct peer peer;

        return bus_client_is_trusted(c) ||
               (get_peer(c->fd, &peer) == 0 &&
                is_listed(&peer, settings->allow_logs ? settings->allow_logs : log_readers));
}
