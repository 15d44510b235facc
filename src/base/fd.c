#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define SEND_FDS_MAX 253 // SCM_MAX_FD

int fd_close(int fd)
{
        if (fd >= 0) {
                int saved = errno;

                (void)close(
                        fd); // nothing can be done about a failure, and the number is gone anyway
                errno = saved;
        }
        return -1;
}

int fd_move_up(int fd)
{
        int up, error;

        if (fd < 0)
                return fd < -1 ? fd : -errno;
        if (fd >= FD_LOW_WINDOW) {
                int r = fd_set_cloexec(fd, true);

                if (r < 0)
                        fd_close(fd);
                return r < 0 ? r : fd;
        }
        up = fcntl(fd, F_DUPFD_CLOEXEC, FD_LOW_WINDOW);
        error = errno;
        fd_close(fd);
        return up < 0 ? -error : up;
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

int fd_set_nonblock(int fd, bool on)
{
        return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, on);
}

int fd_set_cloexec(int fd, bool on)
{
        return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, on);
}

static int compare_int(const void *a, const void *b)
{
        int x = *(const int *)a, y = *(const int *)b;

        return (x > y) - (x < y);
}

static bool is_kept(int fd, const int *keep, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (keep[i] == fd)
                        return true;
        return false;
}

// Without close_range: what /proc lists. The numbers are collected first, since closing changes the
// list.
static int close_from_listed(int first, const int *keep, size_t n)
{
        DIR *dir = opendir("/proc/self/fd");
        int *fds = NULL;
        size_t n_fds = 0;
        struct dirent *entry;
        int r = 0;

        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                int fd = atoi(entry->d_name);
                int *more;

                if (entry->d_name[0] == '.' || fd < first || fd == dirfd(dir) ||
                    is_kept(fd, keep, n))
                        continue;
                more = realloc(fds, (n_fds + 1) * sizeof(int));
                if (!more) {
                        r = -ENOMEM;
                        break;
                }
                fds = more;
                fds[n_fds++] = fd;
        }
        closedir(dir);
        for (size_t i = 0; i < n_fds; i++)
                fd_close(fds[i]);
        free(fds);
        return r;
}

int fd_close_from(int first, const int *keep, size_t n)
{
        int *sorted = NULL;
        int r = 0;

        if (n > 0) {
                sorted = malloc(n * sizeof(int));
                if (!sorted)
                        return -ENOMEM;
                memcpy(sorted, keep, n * sizeof(int));
                qsort(sorted, n, sizeof(int), compare_int);
        }
        for (size_t i = 0; i <= n && r == 0; i++) {
                unsigned last = i < n ? (unsigned)sorted[i] - 1 : UINT_MAX;

                if (i < n && sorted[i] < first)
                        continue;
                if ((i == n || sorted[i] > first) &&
                    syscall(SYS_close_range, (unsigned)first, last, 0) < 0)
                        r = -errno;
                if (i < n)
                        first = sorted[i] + 1;
        }
        free(sorted);
        return r < 0 ? close_from_listed(first, keep, n) : 0;
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
                if (n < 0)
                        return -errno;
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
        return sendmsg(sock, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
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
