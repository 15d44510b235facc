// OpenFile=: files opened for a service before it starts, with the supervisor's rights.
#include "base/fd.h"
#include "base/fs_node.h"
#include "base/log.h"
#include "base/strv.h"
#include "core/service/service_priv.h"

#include <fcntl.h>
#include <sys/socket.h>

// The listener may be a socket of any type. Returns the descriptor or -errno.
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
        // No file that the supervisor opens may block it.
        int fd = fs_open(f->path, flags | O_NOCTTY | O_NONBLOCK, 0, why);

        return fd == -ENXIO ? connect_to(f->path, why) : fd; // it is a socket
}

// For each file: its error or 0, and its subject. Runs in a separate process, or in this one if it
// cannot block.
void service_open_files(struct inquiry_answer *answer, const void *question)
{
        const struct open_files *files = question;

        for (size_t i = 0; i < files->n; i++) {
                const struct open_file *f = &files->items[i];
                struct fail why = {0};
                int fd = open_one(f, &why);

                inquiry_put_number(answer, MIN(fd, 0));
                inquiry_put_field(answer, why.error ? why.detail : f->path);
                if (fd < 0)
                        continue;
                (void)fd_set_nonblock(fd, false);
                inquiry_put_fd(answer, fd);
        }
}

int service_take_files(const struct run *run, struct inquiry *opened, int *fds, size_t *n,
                       char ***names)
{
        const struct open_files *files = &run_conf(run)->open_file;

        for (size_t i = 0; i < files->n; i++) {
                const struct open_file *f = &files->items[i];
                const char *detail = NULL;
                int64_t error = 0;
                int r = inquiry_next_number(opened, &error);

                if (r == 0)
                        detail = inquiry_next_field(opened);
                int fd = r == 0 && error == 0 ? inquiry_next_fd(opened) : -1;

                if (!detail || (error == 0 && fd < 0))
                        return -EBADMSG;
                if (fd < 0 && (f->flags & OPEN_FILE_GRACEFUL)) {
                        run_log(run, LOG_DEBUG, (int)-error, "Cannot open %s, going on without it",
                                detail);
                        continue;
                }
                if (fd < 0) {
                        run_log(run, LOG_ERR, (int)-error, "Cannot open %s", detail);
                        return (int)error;
                }
                fds[(*n)++] = fd;
                if (strv_push(names, f->name) < 0)
                        return -ENOMEM;
        }
        return 0;
}
