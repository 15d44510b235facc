// Parsers for the texts of /proc (proc(5)). They are pure: base/proc reads the files, and tests can
// pass any text.
#pragma once

#include "base/def.h"

#include <sys/types.h>

// The fields of /proc/PID/stat that usher uses. A pid of 0 stands for a process outside
// of our pid namespace.
struct proc_stat {
        char state; // 'R', 'S', 'Z', ...
        pid_t parent, group, session;
        uint64_t start_ticks; // since the boot, in units of sysconf(_SC_CLK_TCK)
        pid_t n_threads;
        bool has_environment; // false before its exec, and if it is not readable
};
// The command in parentheses may contain blanks and parentheses. 0, or -EIO: not such a text.
int proc_parse_stat(const char *text, struct proc_stat *ret);
// A process whose main thread has ended shows as a zombie while other threads of it go on.
bool proc_stat_is_alive(const struct proc_stat *stat);

struct proc_uids {
        uid_t real, effective, saved;
};
// Of /proc/PID/status, of which the beginning suffices. 0, or -EIO: not such a text.
int proc_parse_uids(const char *text, struct proc_uids *ret);
// The next pid of /proc/PID/task/TID/children ("12 13 "), *p moves on. 0: there is none.
pid_t proc_parse_child(const char **p);
// The value of a variable in /proc/PID/environ (size bytes, then a NUL), borrowed from
// the text; NULL: not set.
const char *proc_parse_environ(const char *text, size_t size, const char *name);
// Makes /proc/PID/cmdline (size bytes, then a NUL) one line, in place: a blank for each
// NUL between the words. False: there is no word.
bool proc_parse_cmdline(char *text, size_t size);
// Does the kernel's command line have a parameter? "word" also matches "word=...", "word=value"
// only itself. 1, 0, -ENOMEM.
int proc_parse_boot_parameter(const char *text, const char *wanted);
// The place in the cgroup v2 tree that /proc/PID/cgroup gives ("/user.slice"), new string. 0;
// -ENOENT: there is none; -ENOMEM.
int proc_parse_cgroup(const char *text, char **ret);
