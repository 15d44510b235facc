// OpenFile=: what is opened for a service before it starts, with the supervisor's rights.
#include "base/fd.h"
#include "base/fs_node.h"
#include "base/log.h"
#include "base/strv.h"
#include "core/service_priv.h"

#include <fcntl.h>
#include <sys/socket.h>

// Who listens there may be of any type. The descriptor or -errno.
static int connect_to(const char *path, struct fail *why)
{
        static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
        int r = -EPROTOTYPE;

        for (size_t i = 0; i < ARRAY_SIZE(types) && r == -EPROTOTYPE; i++) {
                CLEANUP(fd)
                int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                r = fd < 0 ? -errno : fs_connect(fd, path, why);
                if (r == 0)
                        return TAKE_FD(fd);
        }
        return r;
}

static int open_one(const struct open_file *f, struct fail *why)
{
        int flags = f->flags & OPEN_FILE_READ_ONLY  ? O_RDONLY
                    : f->flags & OPEN_FILE_APPEND   ? O_RDWR | O_APPEND
                    : f->flags & OPEN_FILE_TRUNCATE ? O_RDWR | O_TRUNC
                                                    : O_RDWR;
        // Nothing that the supervisor opens may make it wait.
        int fd = fs_open(f->path, flags | O_NOCTTY | O_NONBLOCK, 0, why);

        return fd == -ENXIO ? connect_to(f->path, why) : fd; // a socket's node
}

int service_open_files(const struct run *run, int *fds, size_t *n, char ***names)
{
        const struct open_files *files = &run_conf(run)->open_file;

        for (size_t i = 0; i < files->n; i++) {
                const struct open_file *f = &files->items[i];
                struct fail why = {0};
                int fd = open_one(f, &why);

                if (fd >= 0) {
                        (void)fd_set_nonblock(fd, false);
                        fd = fd_move_up(fd);
                }
                if (fd < 0 && (f->flags & OPEN_FILE_GRACEFUL)) {
                        run_log(run, LOG_DEBUG, -fd, "Cannot open %s, going on without it",
                                why.error ? why.detail : f->path);
                        continue;
                }
                if (fd < 0) {
                        run_log(run, LOG_ERR, -fd, "Cannot open %s",
                                why.error ? why.detail : f->path);
                        return fd;
                }
                fds[(*n)++] = fd;
                if (strv_push(names, f->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}
