#include "base/proc.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/parse.h"
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

static int copy_text(const char *text, char **ret)
{
        char *copy = strdup(text);

        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
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
        while (size > 0 && text[size - 1] == '\0')
                size--;
        if (size == 0) { // a kernel thread, or a zombie
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
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
        text[size] = '\0';
        *ret = TAKE(text);
        return 0;
}

// The fields of stat behind the command name, which may hold blanks and parentheses itself.
static int read_stat(pid_t pid, char **ret_buffer, const char **ret_fields)
{
        int r = read_proc(pid, "stat", ret_buffer, NULL);

        if (r < 0)
                return r;
        const char *end = strrchr(*ret_buffer, ')');

        if (!end || end[1] != ' ') {
                free(TAKE(*ret_buffer));
                return -EIO;
        }
        *ret_fields = end + 2;
        return 0;
}

int proc_get_state(pid_t pid)
{
        CLEANUP(free) char *buffer = NULL;
        const char *fields;
        int r = read_stat(pid, &buffer, &fields);

        return r < 0 ? r : fields[0];
}

bool proc_is_alive(pid_t pid)
{
        int state = proc_get_state(pid);

        return state > 0 && state != 'Z' && state != 'X';
}

int proc_get_parent(pid_t pid, pid_t *ret)
{
        CLEANUP(free) char *buffer = NULL;
        const char *fields;
        int parent, r = read_stat(pid, &buffer, &fields);

        if (r < 0)
                return r;
        if (sscanf(fields, "%*c %d", &parent) != 1)
                return -EIO;
        *ret = parent;
        return 0;
}

int proc_get_session(pid_t pid, pid_t *ret_pgrp, pid_t *ret_session)
{
        CLEANUP(free) char *buffer = NULL;
        const char *fields;
        int pgrp, session, r = read_stat(pid, &buffer, &fields);

        if (r < 0)
                return r;
        if (sscanf(fields, "%*c %*d %d %d", &pgrp, &session) != 2)
                return -EIO;
        if (ret_pgrp)
                *ret_pgrp = pgrp;
        if (ret_session)
                *ret_session = session;
        return 0;
}

int proc_get_start_time(pid_t pid, uint64_t *ret_ticks)
{
        CLEANUP(free) char *buffer = NULL;
        const char *fields;
        unsigned long long ticks;
        int r = read_stat(pid, &buffer, &fields);

        if (r < 0)
                return r;
        if (sscanf(fields,
                   "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
                   &ticks) != 1)
                return -EIO;
        *ret_ticks = ticks;
        return 0;
}

int proc_get_environ(pid_t pid, const char *name, char **ret)
{
        CLEANUP(free) char *text = NULL;
        size_t size = 0, n = strlen(name);
        int r = read_proc(pid, "environ", &text, &size);

        if (r < 0)
                return r;
        if (size == 0)
                return -EAGAIN;
        for (const char *p = text; p < text + size; p += strlen(p) + 1)
                if (strncmp(p, name, n) == 0 && p[n] == '=')
                        return copy_text(p + n + 1, ret);
        return -ENXIO;
}

int proc_cmdline_get(const char *key, char **ret)
{
        enum parse_word_flags flags = PARSE_WORD_UNQUOTE | PARSE_WORD_NO_BACKSLASH;
        CLEANUP(free) char *text = NULL;
        const char *p;
        size_t n = strlen(key);
        CLEANUP(fd) int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        int r = fd_read_all(fd, PROC_FILE_MAX, &text, NULL);

        if (r < 0)
                return r;
        p = text;
        for (;;) {
                CLEANUP(free) char *word = NULL;

                r = parse_word(&p, " \t\n", flags, &word);
                if (r == -EINVAL) { // a quote without its partner is an ordinary character
                        flags = PARSE_WORD_NO_BACKSLASH;
                        continue;
                }
                if (r <= 0)
                        return r;
                if (strncmp(word, key, n) != 0 || (word[n] != '\0' && word[n] != '='))
                        continue;
                return copy_text(word + n + (word[n] == '='), ret) < 0 ? -ENOMEM : 1;
        }
}
