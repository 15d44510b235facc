// OpenFile=: what is opened for a service before it starts, with the supervisor's rights.
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "core/service_priv.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// Who listens there may be of any type. The descriptor or -errno.
static int connect_to(const char *path)
{
        static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int error = EPROTOTYPE;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);
        for (size_t i = 0; i < ARRAY_SIZE(types) && error == EPROTOTYPE; i++) {
                CLEANUP(fd)
                int fd = socket(AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                        return TAKE_FD(fd);
                error = errno;
        }
        return -error;
}

static int open_one(const struct open_file *f)
{
        int flags = f->flags & OPEN_FILE_READ_ONLY  ? O_RDONLY
                    : f->flags & OPEN_FILE_APPEND   ? O_RDWR | O_APPEND
                    : f->flags & OPEN_FILE_TRUNCATE ? O_RDWR | O_TRUNC
                                                    : O_RDWR;
        struct stat st;

        if (stat(f->path, &st) < 0)
                return -errno;
        if (S_ISSOCK(st.st_mode))
                return connect_to(f->path);
        // Nothing that the supervisor opens may make it wait.
        int fd = open(f->path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        return fd < 0 ? -errno : fd;
}

int service_open_files(const struct run *run, int *fds, size_t *n, char ***names)
{
        const struct open_files *files = &run_conf(run)->open_file;

        for (size_t i = 0; i < files->n; i++) {
                const struct open_file *f = &files->items[i];
                int fd = open_one(f);

                if (fd >= 0) {
                        (void)fd_set_nonblock(fd, false);
                        fd = fd_move_up(fd);
                }
                if (fd < 0 && (f->flags & OPEN_FILE_GRACEFUL)) {
                        run_log(run, LOG_DEBUG, -fd, "Cannot open %s, going on without it",
                                f->path);
                        continue;
                }
                if (fd < 0) {
                        run_log(run, LOG_ERR, -fd, "Cannot open %s", f->path);
                        return fd;
                }
                fds[(*n)++] = fd;
                if (strv_push(names, f->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}
