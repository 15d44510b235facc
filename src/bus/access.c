// Who may look and who may act, by the credentials of the peer (SO_PEERCRED, SO_PEERGROUPS:
// socket(7), unix(7)). Names in the settings are found in the local files alone: the loop must not
// wait for a name service.
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

enum bus_access bus_access_of(const struct settings *settings, int fd, uid_t *ret_uid)
{
        struct peer peer = {.cred = {.uid = (uid_t)-1, .gid = (gid_t)-1}};
        socklen_t size = sizeof(peer.cred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer.cred, &size) < 0)
                return BUS_ACCESS_NONE;
        size = sizeof(peer.groups);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups, &size) == 0)
                peer.n_groups = size / sizeof(gid_t);
        *ret_uid = peer.cred.uid;
        if (peer.cred.uid == 0 || peer.cred.uid == geteuid())
                return BUS_ACCESS_OWNER;
        if (is_listed(&peer, settings->allow_control))
                return BUS_ACCESS_CONTROL;
        if (settings->is_read_denied)
                return BUS_ACCESS_NONE;
        return !settings->allow_read || is_listed(&peer, settings->allow_read) ? BUS_ACCESS_READ
                                                                               : BUS_ACCESS_NONE;
}
