#include "net/listen.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_node.h"
#include "base/local.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/listen_priv.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

int net_listen_open(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                    struct fail *fail)
{
        int fd = -1, r;

        switch (port->kind) {
        case PORT_SOCKET:
        case PORT_NETLINK:
                r = listen_socket(params, port, &fd, fail);
                break;
        case PORT_FIFO:
                r = listen_fifo(params, port, &fd, fail);
                break;
        case PORT_SPECIAL:
                r = listen_special(params, port, &fd, fail);
                break;
        case PORT_MQUEUE:
                r = listen_mqueue(params, port, &fd, fail);
                break;
        case PORT_NAME: // each of its addresses is a separate port
        case _PORT_KIND_MAX:
        default:
                r = fail_set(fail, EOPNOTSUPP, "listen", "%s", port->text);
                break;
        }
        if (r < 0)
                return r;
        fd = fd_move_up(fd);
        if (fd < 0)
                return fail_set(fail, fd, "dup", "%s", port->text);
        *ret_fd = fd;
        return 0;
}

void net_port_unlink(const struct port *port)
{
        if (!port->path || port->kind == PORT_SPECIAL)
                return;
        if (port->kind == PORT_MQUEUE)
                (void)mq_unlink(port->path);
        else
                (void)fs_unlink(port->path, NULL);
}

bool net_port_has_node(const struct port *port)
{
        return port->path && port->kind != PORT_MQUEUE;
}

// Where the file of a descriptor lies.
static int check(int fd)
{
        uint64_t mount = 0;

        return local_check(fd, &mount);
}

int net_port_chmod(const struct net_listen_params *params, const struct port *port, int fd,
                   struct fail *fail)
{
        mode_t mode = params->socket->socket_mode;
        int r;

        if (port->kind == PORT_FIFO) {
                r = check(fd);
                if (r == 0 && fchmod(fd, mode & ~params->umask) < 0)
                        r = -errno;
        } else if (port->kind == PORT_SOCKET && port->path) {
                CLEANUP(fd) int node = fs_node_open(fd, port->path, fail);

                r = node < 0 ? node : fs_node_set_mode(node, mode);
        } else {
                return 0;
        }
        return fail_set_default(fail, r, "chmod", port->path);
}

int net_port_chown(const struct port *port, int fd, uid_t uid, gid_t gid, struct fail *fail)
{
        int r;

        if (port->kind == PORT_FIFO) {
                r = check(fd);
                if (r == 0 && fchown(fd, uid, gid) < 0)
                        r = -errno;
        } else if (port->kind == PORT_SOCKET && port->path) {
                CLEANUP(fd) int node = fs_node_open(fd, port->path, fail);

                r = node < 0 ? node : fs_node_set_owner(node, uid, gid);
        } else {
                return 0;
        }
        return fail_set_default(fail, r, "chown", port->path);
}

// ---- further names

static const char *node_of(const struct socket_group *group)
{
        for (size_t i = 0; i < group->ports.n; i++) {
                const struct port *port = &group->ports.items[i];

                if (port->path && (port->kind == PORT_SOCKET || port->kind == PORT_FIFO))
                        return port->path;
        }
        return NULL;
}

int net_symlinks_make(const struct net_listen_params *params, struct fail *fail)
{
        const struct socket_group *g = params->socket;
        const char *target = node_of(g);
        int result = 0;

        if (!target)
                return 0;
        STRV_FOREACH (link, g->symlinks) {
                struct fail *first = result == 0 ? fail : NULL;
                int r = fs_symlink(target, *link, g->directory_mode, g->remove_on_stop, first);

                (void)fail_set_default(first, r, "symlink", *link);
                if (result == 0)
                        result = r;
        }
        return result;
}

void net_symlinks_remove(const struct socket_group *group)
{
        const char *target = node_of(group);

        STRV_FOREACH (link, group->symlinks)
                if (target)
                        (void)fs_unlink_symlink(*link, target);
}
