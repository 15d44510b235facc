// Listeners other than sockets: FIFOs, special files, message queues.
#include "net/listen_priv.h"

#include "base/fd.h"
#include "base/fs_open.h"

#include <fcntl.h>
#include <mqueue.h>
#include <sys/stat.h>
#include <unistd.h>

// An existing node is used only if it is like the one that would be made, and has only this name:
// the owner of the folder may have linked another FIFO to it.
static bool is_as_wanted(const struct stat *st, const struct net_listen_params *params, mode_t type,
                         mode_t mode)
{
        return (st->st_mode & S_IFMT) == type && st->st_nlink == 1 &&
               (st->st_mode & 0777) == (mode & ~params->umask & 0777) &&
               ((st->st_uid == getuid() && st->st_gid == getgid()) ||
                (st->st_dev == params->known.dev && st->st_ino == params->known.ino));
}

// A FIFO that was made is open to others only once it has its owner, and is removed if it cannot be
// given; one that was there stays.
static int give(int fd, const struct net_listen_params *params, const struct fs_entry *e,
                bool is_new)
{
        mode_t mode = params->socket->socket_mode & ~params->umask & 0777;

        if (!params->has_owner ||
            (fchown(fd, params->uid, params->gid) == 0 && (!is_new || fchmod(fd, mode) == 0)))
                return 0;
        int r = -errno;

        if (is_new)
                (void)unlinkat(e->dir, e->name, 0);
        return r;
}

int listen_fifo(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                struct fail *fail)
{
        struct stat st;

        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int r = fs_entry_open(port->path, params->socket->directory_mode, &e, fail);
        mode_t mode = params->socket->socket_mode, old = umask(params->umask & 0777);
        mode_t first = params->has_owner ? mode & 0700 : mode;
        bool is_new = r == 0 && mkfifoat(e.dir, e.name, first) == 0;

        if (r == 0 && !is_new && errno != EEXIST)
                r = -errno;
        umask(old);
        if (r < 0)
                return fail_set_default(fail, r, "mkfifo", port->path);
        CLEANUP(fd)
        int fd = fs_entry_open_file(&e, O_RDWR | O_NOCTTY | O_NONBLOCK);

        if (fd < 0)
                return fail_set(fail, fd, "open", "%s", port->path);
        if (fstat(fd, &st) < 0)
                return fail_set(fail, errno, "fstat", "%s", port->path);
        if (!is_as_wanted(&st, params, S_IFIFO, is_new ? first : mode))
                return fail_set(fail, EEXIST, "mkfifo", "%s (not a FIFO of this owner and mode)",
                                port->path);
        r = give(fd, params, &e, is_new);
        if (r < 0)
                return fail_set(fail, r, "chown", "%s", port->path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int listen_special(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                   struct fail *fail)
{
        int mode = params->socket->writable ? O_RDWR : O_RDONLY;
        struct stat st;
        CLEANUP(fd)
        int fd = fs_open(port->path, mode | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW, 0, fail);

        if (fd < 0)
                return fail_set_default(fail, fd, "open", port->path);
        if (fstat(fd, &st) < 0)
                return fail_set(fail, errno, "fstat", "%s", port->path);
        if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode))
                return fail_set(fail, EEXIST, "open",
                                "%s (neither a character device nor a regular file)", port->path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int listen_mqueue(const struct net_listen_params *params, const struct port *port, int *ret_fd,
                  struct fail *fail)
{
        const struct socket_group *g = params->socket;
        struct mq_attr attr = {.mq_maxmsg = (long)g->message_queue_max_messages,
                               .mq_msgsize = (long)g->message_queue_message_size};
        bool has_attr = attr.mq_maxmsg > 0 && attr.mq_msgsize > 0;
        struct stat st;
        mode_t old = umask(params->umask & 0777);
        CLEANUP(fd)
        int fd = mq_open(port->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_CREAT, g->socket_mode,
                         has_attr ? &attr : NULL);
        int error = errno;

        umask(old);
        if (fd < 0)
                return fail_set(fail, error, "mq_open", "%s", port->path);
        if (fstat(fd, &st) < 0)
                return fail_set(fail, errno, "fstat", "%s", port->path);
        if (!is_as_wanted(&st, params, S_IFREG, g->socket_mode))
                return fail_set(fail, EEXIST, "mq_open", "%s (not of this owner and mode)",
                                port->path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}
