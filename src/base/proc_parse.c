#include "base/proc_parse.h"

#include "base/parse.h"
#include "base/str.h"

#include <limits.h>

// The fields of stat, counted from 1; the command is the second.
enum { FIELD_AFTER_SESSION = 7, FIELD_N_THREADS = 20, FIELD_START_TIME = 22, FIELD_ENV_END = 51 };

// A number and the blank after it.
static bool take_number(const char **p, long long *ret)
{
        char *end;

        errno = 0;
        long long n = strtoll(*p, &end, 10);

        if (errno != 0 || end == *p || *end != ' ')
                return false;
        *p = end + 1;
        *ret = n;
        return true;
}

static bool take_pid(const char **p, pid_t *ret)
{
        long long n;

        if (!take_number(p, &n) || n != (pid_t)n)
                return false;
        *ret = (pid_t)n;
        return true;
}

// Skips to the beginning of a later field. Fields in between may not fit into a number.
static const char *skip_fields(const char *p, int from, int to)
{
        for (; p && from < to; from++) {
                p = strchr(p, ' ');
                if (p)
                        p++;
        }
        return p;
}

int proc_parse_stat(const char *text, struct proc_stat *ret)
{
        struct proc_stat s = {0};
        const char *p = strrchr(text, ')');
        char *end;

        if (!p || p[1] != ' ' || !p[2] || p[3] != ' ')
                return -EIO;
        s.state = p[2];
        p += 4;
        if (!take_pid(&p, &s.parent) || !take_pid(&p, &s.group) || !take_pid(&p, &s.session))
                return -EIO;
        p = skip_fields(p, FIELD_AFTER_SESSION, FIELD_N_THREADS);
        if (!p || !take_pid(&p, &s.n_threads))
                return -EIO;
        p = skip_fields(p, FIELD_N_THREADS + 1, FIELD_START_TIME);
        if (!p)
                return -EIO;
        errno = 0;
        s.start_ticks = strtoull(p, &end, 10);
        if (errno != 0 || *p < '0' || *p > '9' || !strchr(" \n", *end))
                return -EIO;
        p = skip_fields(p, FIELD_START_TIME, FIELD_ENV_END);
        s.has_environment = p && *p > '0' && *p <= '9';
        *ret = s;
        return 0;
}

bool proc_stat_is_alive(const struct proc_stat *stat)
{
        return (stat->state != 'Z' && stat->state != 'X') || stat->n_threads > 1;
}

int proc_parse_uids(const char *text, struct proc_uids *ret)
{
        // In a command's name a newline is written as an escape.
        const char *p = strstr(text, "\nUid:\t");
        uid_t ids[3];

        if (!p)
                return -EIO;
        p += strlen("\nUid:\t");
        for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
                char *end;

                errno = 0;
                unsigned long long id = strtoull(p, &end, 10);

                if (errno != 0 || *p < '0' || *p > '9' || id != (uid_t)id || *end != '\t')
                        return -EIO;
                ids[i] = (uid_t)id;
                p = end + 1;
        }
        *ret = (struct proc_uids){.real = ids[0], .effective = ids[1], .saved = ids[2]};
        return 0;
}

pid_t proc_parse_child(const char **p)
{
        char *end;
        unsigned long pid = strtoul(*p, &end, 10);

        if (end == *p || **p < '0' || **p > '9' || pid == 0 || pid > INT_MAX)
                return 0;
        *p = end + (*end == ' ');
        return (pid_t)pid;
}

const char *proc_parse_environ(const char *text, size_t size, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = text; p < text + size; p += strlen(p) + 1)
                if (strncmp(p, name, n) == 0 && p[n] == '=')
                        return p + n + 1;
        return NULL;
}

bool proc_parse_cmdline(char *text, size_t size)
{
        while (size > 0 && text[size - 1] == '\0')
                size--;
        for (size_t i = 0; i < size; i++)
                if (text[i] == '\0')
                        text[i] = ' ';
        return size > 0;
}

int proc_parse_boot_parameter(const char *text, const char *wanted)
{
        enum parse_word_flags flags = PARSE_WORD_UNQUOTE | PARSE_WORD_NO_BACKSLASH;
        bool has_value = strchr(wanted, '=');

        for (;;) {
                CLEANUP(free) char *word = NULL;
                int r = parse_word(&text, " \t\n", flags, &word);

                if (r == -EINVAL) { // an unbalanced quote is an ordinary character
                        flags = PARSE_WORD_NO_BACKSLASH;
                        continue;
                }
                if (r <= 0)
                        return r;
                const char *rest = str_after_prefix(word, wanted);

                if (rest && (*rest == '\0' || (!has_value && *rest == '=')))
                        return 1;
        }
}

int proc_parse_cgroup(const char *text, char **ret)
{
        const char *path = NULL;

        // The line of version 2 has the number 0, and names no controller.
        for (const char *line = text; !path && *line; line += *line == '\n') {
                path = str_after_prefix(line, "0::");
                line += strcspn(line, "\n");
        }
        if (!path)
                return -ENOENT;
        char *copy = str_ndup(path, strcspn(path, "\n"));

        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
