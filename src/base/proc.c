#include "base/proc.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>

// The kernel's own bound on what a process is started with (3/4 of an 8 MiB stack), and a little.
#define PROC_FILE_MAX ((size_t)6 * 1024 * 1024 + 4096)

// /proc files have no size; a process that goes meanwhile shows as ENOENT or ESRCH.
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

int proc_get_stat(pid_t pid, struct proc_stat *ret)
{
        CLEANUP(free) char *text = NULL;
        int r = read_proc(pid, "stat", &text, NULL);

        return r < 0 ? r : proc_parse_stat(text, ret);
}

int proc_get_state(pid_t pid)
{
        struct proc_stat s;
        int r = proc_get_stat(pid, &s);

        return r < 0 ? r : s.state;
}

bool proc_is_alive(pid_t pid)
{
        int state = proc_get_state(pid);

        return state > 0 && state != 'Z' && state != 'X';
}

int proc_get_parent(pid_t pid, pid_t *ret)
{
        struct proc_stat s;
        int r = proc_get_stat(pid, &s);

        if (r == 0)
                *ret = s.parent;
        return r;
}

int proc_get_session(pid_t pid, pid_t *ret_pgrp, pid_t *ret_session)
{
        struct proc_stat s;
        int r = proc_get_stat(pid, &s);

        if (r < 0)
                return r;
        if (ret_pgrp)
                *ret_pgrp = s.group;
        if (ret_session)
                *ret_session = s.session;
        return 0;
}

int proc_get_start_time(pid_t pid, uint64_t *ret_ticks)
{
        struct proc_stat s;
        int r = proc_get_stat(pid, &s);

        if (r == 0)
                *ret_ticks = s.start_ticks;
        return r;
}

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
