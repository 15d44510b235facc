// AF_UNIX nodes: their mode, their folders, and what is found in their place.
#include "net/listen_priv.h"

#include "base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_bind(int fd, const struct net_listen_params *params, const struct port *port)
{
        // The mode goes through the umask, so that there is no moment with another one.
        mode_t old = umask(~params->socket->socket_mode & 0777);
        int r = bind(fd, &port->address.addr.sa, port->address.size) < 0 ? -errno : 0;

        umask(old);
        return r;
}

// Does somebody listen there? 1, 0, or -errno where it cannot be told.
static int probe(const struct port *port)
{
        CLEANUP(fd) int fd = socket(AF_UNIX, port->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (connect(fd, &port->address.addr.sa, port->address.size) == 0 || errno == EAGAIN)
                return 1;
        if (errno == EPROTOTYPE) // alive, with another type of socket
                return 1;
        return errno == ECONNREFUSED ? 0 : -errno;
}

// Clear the way. 0, or why not.
static int remove_stale(const struct port *port, struct fail *fail)
{
        char holder[LISTEN_HOLDER_MAX] = "";
        struct stat st;

        if (lstat(port->path, &st) < 0)
                return errno == ENOENT ? 0 : fail_set(fail, errno, "stat", "%s", port->path);
        if (!S_ISSOCK(st.st_mode))
                return fail_set(fail, S_ISDIR(st.st_mode) ? EISDIR : EEXIST, "bind",
                                "%s (not a socket: it is not removed)", port->path);
        int r = probe(port);

        if (r < 0)
                return fail_set(fail, -r, "connect", "%s (to see whether it is in use)",
                                port->path);
        if (r > 0) {
                listen_find_holder(port, holder);
                return fail_set(fail, EADDRINUSE, "bind",
                                holder[0] ? "%s (in use by %s)" : "%s (somebody listens there)%s",
                                port->path, holder);
        }
        if (unlink(port->path) < 0 && errno != ENOENT)
                return fail_set(fail, errno, "unlink", "%s", port->path);
        return 0;
}

int listen_unix_bind(int fd, const struct net_listen_params *params, const struct port *port,
                     struct fail *fail)
{
        listen_make_parents(params, port->path);
        int r = try_bind(fd, params, port);

        if (r == -EADDRINUSE) {
                if (params->unlink_blindly)
                        (void)unlink(port->path);
                else if ((r = remove_stale(port, fail)) < 0)
                        return r;
                r = try_bind(fd, params, port);
        }
        if (r < 0)
                return fail_set(fail, r, "bind", "%s", port->path);
        // Whoever watches the folder sees that something new is there.
        (void)utimensat(AT_FDCWD, port->path, NULL, 0);
        return 0;
}
