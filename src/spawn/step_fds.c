// Steps that arrange the child's descriptors: 0, 1, 2, the passed ones from 3 on, and nothing else.
#include "spawn/step.h"
#include "spawn/sys.h"

// Moved above the numbers to be filled, so that none is overwritten before it is copied.
CHILD_CODE static int gather_one(int *fd, int first_free)
{
        int up;

        if (*fd < 0 || *fd >= first_free)
                return 0;
        up = sys_fcntl(*fd, F_DUPFD_CLOEXEC, first_free);
        if (up < 0)
                return up;
        *fd = up;
        return 0;
}

CHILD_CODE int step_gather_fds(struct launch *l)
{
        int first_free = 3 + (int)l->n_fds, r;

        for (size_t i = 0; i < 3; i++) {
                r = gather_one(&l->stdio_fds[i], first_free);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < l->n_fds; i++) {
                r = gather_one(&l->fds[i], first_free);
                if (r < 0)
                        return r;
        }
        return gather_one(&l->exec_fd, first_free);
}

struct kernel_dirent {
        uint64_t ino;
        int64_t offset;
        unsigned short length;
        unsigned char type;
        char name[];
};

// The number in a name of /proc/self/fd; -1: not a number.
CHILD_CODE static int read_number(const char *s)
{
        int n = 0;

        if (*s < '0' || *s > '9')
                return -1;
        for (; *s >= '0' && *s <= '9'; s++)
                n = n * 10 + (*s - '0');
        return n;
}

// For kernels before 5.9 and filters that refuse close_range. procfs lists descriptors by number,
// so closing them during the walk skips none.
CHILD_CODE static int close_listed(int first, int keep)
{
        char data[2048] __attribute__((aligned(8)));
        int dir = sys_openat(AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        long n;

        if (dir < 0)
                return dir;
        while ((n = SYS_CALL(SYS_getdents64, dir, data, sizeof(data))) > 0)
                for (long at = 0; at < n;) {
                        struct kernel_dirent *entry = (void *)(data + at);
                        int fd = read_number(entry->name);

                        at += entry->length;
                        if (fd >= first && fd != keep && fd != dir)
                                sys_close(fd);
                }
        sys_close(dir);
        return n < 0 ? (int)n : 0;
}

CHILD_CODE static int close_numbers(unsigned first, unsigned last)
{
        return first > last ? 0 : (int)SYS_CALL(SYS_close_range, first, last, 0);
}

CHILD_CODE static int close_others(const struct launch *l, int first)
{
        int r = -ENOSYS;

        if (l->has_close_range && l->exec_fd >= first) {
                r = close_numbers((unsigned)first, (unsigned)l->exec_fd - 1);
                if (r == 0)
                        r = close_numbers((unsigned)l->exec_fd + 1, ~0U);
        } else if (l->has_close_range)
                r = close_numbers((unsigned)first, ~0U);
        return r < 0 ? close_listed(first, l->exec_fd) : r;
}

CHILD_CODE int step_pass_fds(struct launch *l)
{
        for (size_t i = 0; i < l->n_fds; i++) {
                int r = sys_place_fd(l->fds[i], 3 + (int)i), flags;

                if (r < 0)
                        return r;
                if (i >= l->n_sockets)
                        continue;
                flags = sys_fcntl(3 + (int)i, F_GETFL, 0);
                if (flags >= 0 && ((flags & O_NONBLOCK) != 0) != l->nonblocking)
                        (void)sys_fcntl(3 + (int)i, F_SETFL, flags ^ O_NONBLOCK);
        }
        return close_others(l, 3 + (int)l->n_fds);
}
