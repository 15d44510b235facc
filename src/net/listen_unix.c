// AF_UNIX nodes: their mode, their folders, and files that occupy their path.
#include "net/listen_priv.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_node.h"
#include "net/holder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

// Does a process listen there? 1, 0, or -errno if it cannot be determined.
static int probe(const struct port *port)
{
        CLEANUP(fd) int fd = socket(AF_UNIX, port->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        int r = fs_connect(fd, port->path, NULL);

        // EPROTOTYPE: in use, by another type of socket
        return r == 0 || r == -EAGAIN || r == -EPROTOTYPE ? 1 : r == -ECONNREFUSED ? 0 : r;
}

// Removes a stale node. 0, or the reason why it stays.
static int remove_stale(const struct net_listen_params *params, const struct port *port,
                        struct fail *fail)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        char holder[NET_HOLDER_MAX] = "";
        struct stat st;
        int r = fs_entry_open(port->path, 0, &e, fail);

        if (r == 0)
                r = fs_entry_stat(&e, &st);
        if (r < 0)
                return r == -ENOENT ? 0 : fail_set_default(fail, r, "stat", port->path);
        if (!S_ISSOCK(st.st_mode))
                return fail_set(fail, S_ISDIR(st.st_mode) ? EISDIR : EEXIST, "bind",
                                "%s (not a socket: it is not removed)", port->path);
        r = probe(port);
        if (r < 0)
                return fail_set(fail, -r, "connect", "%s (to see whether it is in use)",
                                port->path);
        if (r > 0) {
                if (!params->is_retry)
                        net_holder_of_address(port, holder);
                return fail_set(fail, EADDRINUSE, "bind",
                                holder[0] ? "%s (in use by %s)" : "%s (somebody listens there)%s",
                                port->path, holder);
        }
        if (unlinkat(e.dir, e.name, 0) < 0 && errno != ENOENT)
                return fail_set(fail, errno, "unlink", "%s", port->path);
        return 0;
}

// Its owner, and only then the mode that lets others in. The node of a failure is removed.
static int give(int fd, const struct net_listen_params *params, const struct port *port,
                struct fail *fail)
{
        CLEANUP(fd) int node = fs_node_open(fd, port->path, fail);
        int r = node < 0 ? node : fs_node_set_owner(node, params->uid, params->gid);

        (void)fail_set_default(fail, r, "chown", port->path);
        if (r == 0)
                r = fs_node_set_mode(node, params->socket->socket_mode);
        if (r < 0)
                (void)fs_unlink(port->path, NULL);
        return fail_set_default(fail, r, "chmod", port->path);
}

int listen_unix_bind(int fd, const struct net_listen_params *params, const struct port *port,
                     struct fail *fail)
{
        mode_t mode = params->socket->socket_mode & (params->has_owner ? 0700 : 07777),
               folders = params->socket->directory_mode;
        int r = fs_bind(fd, port->path, mode, folders, fail);

        if (r == -EADDRINUSE) {
                if (params->unlink_blindly)
                        (void)fs_unlink(port->path, NULL);
                else if ((r = remove_stale(params, port, fail)) < 0)
                        return r;
                r = fs_bind(fd, port->path, mode, folders, fail);
        }
        if (r == 0 && params->has_owner)
                return give(fd, params, port, fail);
        return fail_set_default(fail, r, "bind", port->path);
}
