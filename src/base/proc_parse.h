// The texts of /proc, taken apart (proc(5)). Pure: base/proc reads the files, and a test can give
// any text.
#pragma once

#include "base/def.h"

#include <sys/types.h>

// The fields of /proc/PID/stat that anybody here asks for.
struct proc_stat {
        char state; // 'R', 'S', 'Z', ...
        pid_t parent, group, session;
        uint64_t start_ticks; // since the boot, in units of sysconf(_SC_CLK_TCK)
};
// The command in parentheses may hold blanks and parentheses itself. 0, or -EIO: not such a text.
int proc_parse_stat(const char *text, struct proc_stat *ret);
// The value of a variable in /proc/PID/environ (size bytes and a NUL behind them), borrowed from
// the text; NULL: not set.
const char *proc_parse_environ(const char *text, size_t size, const char *name);
// Makes /proc/PID/cmdline (size bytes and a NUL behind them) one line, in place: a blank for each
// NUL between the words. False: there is no word.
bool proc_parse_cmdline(char *text, size_t size);
// Does the kernel's command line have a parameter? "word" asks also for "word=...", "word=value"
// for just that. 1, 0, -ENOMEM.
int proc_parse_boot_parameter(const char *text, const char *wanted);
// The place in the cgroup v2 tree that /proc/PID/cgroup gives ("/user.slice"), new string. 0;
// -ENOENT: there is none; -ENOMEM.
int proc_parse_cgroup(const char *text, char **ret);
