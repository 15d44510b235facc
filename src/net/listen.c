#include "net/listen.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "net/listen_priv.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

void listen_make_parents(const struct net_listen_params *params, const char *path)
{
        (void)fs_mkdir_parents(path, params->socket->directory_mode);
}

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
        case PORT_NAME: // its addresses are ports of their own
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
                (void)unlink(port->path);
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

static bool is_link_to(const char *link, const char *target)
{
        CLEANUP(free) char *old = NULL;

        return fs_readlink(link, &old) == 0 && streq(old, target);
}

static int make_link(const struct net_listen_params *params, const char *target, const char *link,
                     struct fail *fail)
{
        listen_make_parents(params, link);
        if (symlink(target, link) == 0)
                return 0;
        if (errno == EEXIST && is_link_to(link, target))
                return 0;
        if (errno == EEXIST && params->socket->remove_on_stop && unlink(link) == 0 &&
            symlink(target, link) == 0)
                return 0;
        return fail_set(fail, errno, "symlink", "%s", link);
}

int net_symlinks_make(const struct net_listen_params *params, struct fail *fail)
{
        const char *target = node_of(params->socket);
        int result = 0;

        if (!target)
                return 0;
        STRV_FOREACH (link, params->socket->symlinks) {
                int r = make_link(params, target, *link, result == 0 ? fail : NULL);

                if (result == 0)
                        result = r;
        }
        return result;
}

void net_symlinks_remove(const struct socket_group *group)
{
        const char *target = node_of(group);

        STRV_FOREACH (link, group->symlinks)
                if (target && is_link_to(*link, target))
                        (void)unlink(*link);
}
