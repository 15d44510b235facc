#include "spawn/kill.h"

#include "base/array.h"
#include "base/clock.h"
#include "base/fd.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int kill_process(pid_t pid, int pidfd, int signo)
{
        int r = pidfd >= 0 ? (int)syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0)
                           : kill(pid, signo);

        if (r < 0 && errno == ENOSYS)
                r = kill(pid, signo);
        return r < 0 ? -errno : 0;
}

int kill_pidfd_open(pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);

        return fd < 0 ? -errno : fd_move_up(fd);
}

static bool is_still(const struct kill_found *f)
{
        uint64_t start;

        return proc_get_start_time(f->pid, &start) == 0 && start == f->start;
}

int kill_found(const struct kill_found *found, int signo)
{
        // The pidfd is opened first: then either the check below sees the process that it refers
        // to, or that process is gone and the signal reaches none.
        CLEANUP(fd) int pidfd = (int)syscall(SYS_pidfd_open, found->pid, 0);

        if (pidfd < 0 && errno == ESRCH)
                return -ESRCH;
        if (!is_still(found))
                return -ESRCH;
        // Without a pidfd (an old kernel, no free descriptor) the start time must suffice.
        return kill_process(found->pid, pidfd, signo);
}

// ---- the walk

struct row {
        pid_t pid, parent;
        uint64_t start;
};

struct kill_walk_state {
        size_t next;   // of items: the one whose children are being collected
        size_t before; // number of items before its children
        DIR *threads;  // of that process; NULL: it has one thread, or has not been begun
        bool is_begun;
        struct proc_children children;
        // Fallback if the kernel does not list children: all processes, read once.
        bool is_slow;
        DIR *all; // NULL: all have been read
        struct row *rows;
        size_t n_rows, rows_capacity;
};

static struct kill_walk_state *state_of(struct kill_walk *w)
{
        if (!w->state) {
                w->state = calloc(1, sizeof(*w->state));
                if (w->state)
                        w->state->children.fd = -1;
        }
        return w->state;
}

static void end_threads(struct kill_walk_state *s)
{
        proc_children_close(&s->children);
        if (s->threads)
                closedir(s->threads);
        s->threads = NULL;
}

void kill_walk_done(struct kill_walk *w)
{
        struct kill_walk_state *s = w->state;

        if (s) {
                end_threads(s);
                if (s->all)
                        closedir(s->all);
                free(s->rows);
                free(s);
        }
        free(w->items);
        *w = KILL_WALK_NULL;
}

static int add(struct kill_walk *w, pid_t pid, uint64_t start)
{
        if (w->n >= KILL_FOUND_MAX) {
                w->is_cut = true;
                return 0;
        }
        if (ARRAY_RESERVE(w->items, w->n, w->capacity, 4) < 0)
                return -ENOMEM;
        w->items[w->n++] = (struct kill_found){pid, start};
        return 0;
}

int kill_walk_add(struct kill_walk *w, pid_t pid)
{
        struct proc_stat stat;

        if (proc_get_stat(pid, &stat) < 0 || !proc_stat_is_alive(&stat))
                return 0;
        int r = add(w, pid, stat.start_ticks);

        w->n_roots = w->n;
        return r;
}

// The child is from its parent's list. By now its pid may belong to another process.
static int add_child(struct kill_walk *w, pid_t parent, pid_t pid)
{
        struct proc_stat stat;

        if (pid == getpid() || proc_get_stat(pid, &stat) < 0 || stat.parent != parent ||
            !proc_stat_is_alive(&stat))
                return 0;
        return add(w, pid, stat.start_ticks);
}

// Opens the list of the next thread. 1: open, 0: there is none, -EOPNOTSUPP.
static int open_next_thread(struct kill_walk_state *s, pid_t pid)
{
        struct proc_stat stat;
        char path[64];

        if (!s->is_begun) {
                s->is_begun = true;
                if (proc_get_stat(pid, &stat) < 0)
                        return 0;
                if (stat.n_threads <= 1) {
                        int r = proc_children_open(&s->children, pid, pid);

                        return r == 0 ? 1 : r == -EOPNOTSUPP ? r : 0;
                }
                snprintf(path, sizeof(path), "/proc/%d/task", pid);
                s->threads = opendir(path);
        }
        for (struct dirent *e; s->threads && (e = readdir(s->threads));) {
                pid_t thread = (pid_t)strtol(e->d_name, NULL, 10);
                int r = thread > 0 ? proc_children_open(&s->children, pid, thread) : -ESRCH;

                if (r == 0 || r == -EOPNOTSUPP)
                        return r == 0 ? 1 : r;
        }
        return 0;
}

// Does a small part of the work for the item. 1: more to do, 0: all its children are found.
static int expand_a_little(struct kill_walk *w, struct kill_walk_state *s)
{
        pid_t parent = w->items[s->next].pid, pid;

        if (s->children.fd < 0)
                return open_next_thread(s, parent);
        int r = proc_children_next(&s->children, &pid);

        if (r > 0) {
                r = add_child(w, parent, pid);
                return r < 0 ? r : 1;
        }
        proc_children_close(&s->children);
        return s->threads ? 1 : 0; // if a list cannot be read, its process is gone
}

// Reads all processes, in steps. 1: more to read, 0: done.
static int read_rows_a_little(struct kill_walk_state *s)
{
        struct dirent *e = readdir(s->all);
        struct proc_stat stat;

        if (!e) {
                closedir(s->all);
                s->all = NULL;
                return 0;
        }
        pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

        if (pid <= 0 || proc_get_stat(pid, &stat) < 0 || !proc_stat_is_alive(&stat))
                return 1;
        if (ARRAY_RESERVE(s->rows, s->n_rows, s->rows_capacity, 16) < 0)
                return -ENOMEM;
        s->rows[s->n_rows++] = (struct row){pid, stat.parent, stat.start_ticks};
        return 1;
}

static int begin_slow(struct kill_walk_state *s)
{
        end_threads(s);
        s->is_slow = true;
        s->all = opendir("/proc");
        return s->all ? 1 : -errno;
}

static int expand_slowly(struct kill_walk *w, struct kill_walk_state *s)
{
        if (s->all)
                return read_rows_a_little(s) < 0 ? -ENOMEM : 1;
        for (size_t i = 0; i < s->n_rows; i++) {
                const struct row *row = &s->rows[i];

                if (row->parent != w->items[s->next].pid || row->pid == getpid())
                        continue;
                int r = add(w, row->pid, row->start);

                if (r < 0)
                        return r;
        }
        return 0;
}

int kill_walk_step(struct kill_walk *w, usec_t until)
{
        struct kill_walk_state *s = w->n > 0 ? state_of(w) : NULL;

        if (!s)
                return w->n > 0 ? -ENOMEM : 0;
        while (s->next < w->n) {
                if (!s->is_begun)
                        s->before = w->n;
                int r = s->is_slow ? expand_slowly(w, s) : expand_a_little(w, s);

                if (r == -EOPNOTSUPP)
                        r = begin_slow(s);
                if (r < 0)
                        return r;
                if (r == 0) {
                        // Had the pid been reused, these would be a stranger's children. Its own
                        // are reparented to us when it ends.
                        if (!is_still(&w->items[s->next]))
                                w->n = s->before;
                        end_threads(s);
                        s->is_begun = false;
                        s->next++;
                }
                if (clock_now() >= until && s->next < w->n)
                        return 1;
        }
        return 0;
}
