#include "base/proc.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define LOADAVG_MAX 256
#define PIDS_A_TICK 16384 // more than can be created within 10 ms
#define NSEC_PER_SEC 1000000000L

// The kernel's limit for arguments and environment (3/4 of an 8 MiB stack), and a little more.
#define PROC_FILE_MAX ((size_t)6 * 1024 * 1024 + 4096)

// /proc files have no size; if the process ends meanwhile, the error is ENOENT or ESRCH.
static int read_proc(pid_t pid, const char *name, char **ret, size_t *ret_size)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        return fd_read_all(fd, PROC_FILE_MAX, ret, ret_size);
}

int proc_get_comm(pid_t pid, char **ret)
{
        int r = read_proc(pid, "comm", ret, NULL);

        if (r == 0)
                (*ret)[strcspn(*ret, "\n")] = '\0';
        return r;
}

int proc_get_cmdline(pid_t pid, char **ret)
{
        CLEANUP(free) char *text = NULL;
        size_t size = 0;
        int r = read_proc(pid, "cmdline", &text, &size);

        if (r < 0)
                return r;
        if (!proc_parse_cmdline(text, size)) { // a kernel thread, or a zombie
                CLEANUP(free) char *comm = NULL;

                r = proc_get_comm(pid, &comm);
                if (r < 0)
                        return r;
                char *name = str_printf("[%s]", comm);

                if (!name)
                        return -ENOMEM;
                *ret = name;
                return 0;
        }
        *ret = TAKE(text);
        return 0;
}

// ---- without the memory of the process

#define STAT_MAX 2048   // 52 numbers and a name
#define STATUS_MAX 1024 // the first lines

// Reads the beginning of a file, which the kernel gives in one read.
static int read_begin(pid_t pid, const char *name, char *text, size_t size)
{
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
        CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        ssize_t n = read(fd, text, size - 1);

        if (n < 0)
                return -errno;
        text[n] = '\0';
        return 0;
}

int proc_get_stat(pid_t pid, struct proc_stat *ret)
{
        char text[STAT_MAX];
        int r = read_begin(pid, "stat", text, sizeof(text));

        return r < 0 ? r : proc_parse_stat(text, ret);
}

int proc_get_uids(pid_t pid, struct proc_uids *ret)
{
        char text[STATUS_MAX];
        int r = read_begin(pid, "status", text, sizeof(text));

        return r < 0 ? r : proc_parse_uids(text, ret);
}

int proc_get_start_time(pid_t pid, uint64_t *ret_ticks)
{
        struct proc_stat s;
        int r = proc_get_stat(pid, &s);

        if (r == 0)
                *ret_ticks = s.start_ticks;
        return r;
}

void proc_moment_now(struct proc_moment *ret)
{
        CLEANUP(free) char *load = NULL;
        struct timespec now = {0};
        long hz = sysconf(_SC_CLK_TCK);

        // The newest pid is the last word of /proc/loadavg.
        bool is_read = fs_read_file("/proc/loadavg", LOADAVG_MAX, &load, NULL) == 0;
        const char *word = is_read ? strrchr(load, ' ') : NULL;

        ret->last = word ? (pid_t)strtol(word, NULL, 10) : 0;
        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        ret->ticks = (uint64_t)now.tv_sec * (uint64_t)hz +
                     (uint64_t)now.tv_nsec / (uint64_t)(NSEC_PER_SEC / hz);
}

bool proc_is_before(pid_t pid, const struct proc_moment *moment)
{
        uint64_t ticks;

        if (proc_get_start_time(pid, &ticks) < 0 || ticks > moment->ticks)
                return false;
        // A pid far above the newest one was given before the numbers began again at the bottom.
        return ticks < moment->ticks || moment->last <= 0 || pid <= moment->last ||
               pid - moment->last > PIDS_A_TICK;
}

bool proc_is_alive(pid_t pid)
{
        struct proc_stat s;

        return proc_get_stat(pid, &s) == 0 && proc_stat_is_alive(&s);
}

// ---- children

// The kernel stops only when its page is full: a read that gives less than this was the last one.
#define CHILDREN_FULL 2048

static void forget_text(struct proc_children *c)
{
        c->text[0] = '\0';
        c->next = c->text;
        c->is_last = false;
        c->position = 0;
}

int proc_children_open(struct proc_children *c, pid_t pid, pid_t thread)
{
        char path[64] = "/proc/thread-self/children";

        if (thread > 0)
                snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, thread);
        c->fd = open(path, O_RDONLY | O_CLOEXEC);
        if (c->fd < 0 && errno == ENOENT) {
                // Is the thread missing, or only the file?
                path[strlen(path) - strlen("/children")] = '\0';
                return access(path, F_OK) == 0 ? -EOPNOTSUPP : -ESRCH;
        }
        if (c->fd < 0)
                return -errno;
        forget_text(c);
        return 0;
}

void proc_children_rewind(struct proc_children *c)
{
        forget_text(c);
}

int proc_children_next(struct proc_children *c, pid_t *ret)
{
        pid_t pid;

        while (!(pid = proc_parse_child(&c->next))) {
                if (c->is_last)
                        return 0;
                ssize_t n = pread(c->fd, c->text, sizeof(c->text) - 1, c->position);

                if (n < 0)
                        return -errno;
                c->position += n;
                c->text[n] = '\0';
                c->next = c->text;
                c->is_last = n < CHILDREN_FULL;
        }
        *ret = pid;
        return 1;
}

void proc_children_close(struct proc_children *c)
{
        c->fd = fd_close(c->fd);
}

// ---- from the memory of the process

int proc_get_environ(pid_t pid, const char *name, char **ret)
{
        CLEANUP(free) char *text = NULL;
        size_t size = 0;
        int r = read_proc(pid, "environ", &text, &size);

        if (r < 0)
                return r;
        if (size == 0)
                return -EAGAIN;
        const char *value = proc_parse_environ(text, size, name);

        if (!value)
                return -ENXIO;
        char *copy = strdup(value);

        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
