#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define SEND_FDS_MAX 253 // SCM_MAX_FD

int fd_close(int fd)
{
        if (fd >= 0) {
                int saved = errno;

                (void)close(fd); // a failure changes nothing: the number is gone anyway
                errno = saved;
        }
        return -1;
}

int fd_dup_up(int fd)
{
        int up = fcntl(fd, F_DUPFD_CLOEXEC, FD_LOW_WINDOW);
        struct rlimit limit;

        // If the limit is below the window, half of the limit is the window.
        if (up < 0 && errno == EINVAL && getrlimit(RLIMIT_NOFILE, &limit) == 0)
                up = fcntl(fd, F_DUPFD_CLOEXEC, (int)(limit.rlim_cur / 2));
        return up < 0 ? -errno : up;
}

int fd_move_up(int fd)
{
        int up;

        if (fd < 0) // the result of a failed call: return its errno, so that calls can be nested
                return errno > 0 ? -errno : -EBADF;
        if (fd >= FD_LOW_WINDOW) {
                int r = fd_set_cloexec(fd, true);

                if (r < 0)
                        fd_close(fd);
                return r < 0 ? r : fd;
        }
        up = fd_dup_up(fd);
        fd_close(fd);
        return up;
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
        int flags = fcntl(fd, get, 0);

        if (flags < 0)
                return -errno;
        if (((flags & flag) != 0) == on)
                return 0;
        return fcntl(fd, set, on ? flags | flag : flags & ~flag) < 0 ? -errno : 0;
}

int fd_get_node(int fd, dev_t *ret_dev, ino_t *ret_ino)
{
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &st) < 0)
                return -errno;
        *ret_dev = makedev(st.stx_dev_major, st.stx_dev_minor);
        *ret_ino = st.stx_ino;
        return 0;
}

int fd_set_nonblock(int fd, bool on)
{
        return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
        return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

// The smallest number >= first in keep[]; -1: none.
static int next_kept(int first, const int *keep, size_t n)
{
        int next = -1;

        for (size_t i = 0; i < n; i++)
                if (keep[i] >= first && (next < 0 || keep[i] < next))
                        next = keep[i];
        return next;
}

// For kernels before 5.9 and filters that refuse close_range. procfs lists descriptors by number,
// so that closing them while reading skips none.
static int close_from_listed(int first, const int *keep, size_t n)
{
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;

        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                int fd = atoi(entry->d_name);

                if (entry->d_name[0] != '.' && fd >= first && fd != dirfd(dir) &&
                    next_kept(fd, keep, n) != fd)
                        fd_close(fd);
        }
        closedir(dir);
        return 0;
}

int fd_close_from(int first, const int *keep, size_t n)
{
        int from = first;

        for (;;) {
                int kept = next_kept(from, keep, n);
                unsigned last = kept < 0 ? UINT_MAX : (unsigned)kept - 1;

                if (kept != from && syscall(SYS_close_range, (unsigned)from, last, 0) < 0)
                        return close_from_listed(first, keep, n);
                if (kept < 0 || kept == INT_MAX)
                        return 0;
                from = kept + 1;
        }
}

int fd_read_all(int fd, size_t limit, char **ret, size_t *ret_size)
{
        size_t size = 0, capacity = 4096;
        char *data = malloc(capacity + 1);

        if (!data)
                return -ENOMEM;
        for (;;) {
                if (size == capacity) {
                        char *more = realloc(data, capacity * 2 + 1);

                        if (!more) {
                                free(data);
                                return -ENOMEM;
                        }
                        data = more;
                        capacity *= 2;
                }
                ssize_t n = read(fd, data + size, capacity - size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        int error = errno;

                        free(data);
                        return -error;
                }
                if (n == 0)
                        break;
                size += (size_t)n;
                if (size > limit) {
                        free(data);
                        return -EFBIG;
                }
        }
        data[size] = '\0';
        *ret = data;
        if (ret_size)
                *ret_size = size;
        return 0;
}

int fd_write_all(int fd, const void *data, size_t size)
{
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                p += n;
                size -= (size_t)n;
        }
        return 0;
}

int fd_send(int sock, const void *data, size_t size, const int *fds, size_t n)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(SEND_FDS_MAX * sizeof(int))];
        } control;
        struct iovec iov = {.iov_base = (void *)data, .iov_len = size};
        struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

        if (n > SEND_FDS_MAX)
                return -E2BIG;
        if (n > 0) {
                memset(&control, 0, sizeof(control));
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(n * sizeof(int));
                struct cmsghdr *c = CMSG_FIRSTHDR(&message);

                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(n * sizeof(int));
                memcpy(CMSG_DATA(c), fds, n * sizeof(int));
        }
        ssize_t sent;

        do
                sent = sendmsg(sock, &message, MSG_NOSIGNAL);
        while (sent < 0 && errno == EINTR);
        if (sent < 0)
                return -errno;
        return (size_t)sent == size ? 0 : -EMSGSIZE;
}

int fd_count_open(void)
{
        DIR *dir = opendir("/proc/self/fd");
        struct dirent *entry;
        int n = 0;

        if (!dir)
                return -errno;
        while ((entry = readdir(dir)))
                n += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir);
        closedir(dir);
        return n;
}
