// Information about processes from /proc. Each function gives -ESRCH if the process is gone.
//
// The command line and the environment are read from the process's memory: the kernel takes its
// memory lock for that, which a process can hold for as long as a disk hangs. They are for programs
// that may wait, not for the supervisor's loop. All else is told without that lock.
#pragma once

#include "base/proc_parse.h"

int proc_get_comm(pid_t pid, char **ret);
int proc_get_cmdline(pid_t pid, char **ret); // blanks between the words; "[comm]" if it has none
int proc_get_stat(pid_t pid, struct proc_stat *ret);
int proc_get_uids(pid_t pid, struct proc_uids *ret);
int proc_get_start_time(pid_t pid, uint64_t *ret_ticks);
int proc_get_environ(pid_t pid, const char *name,
                     char **ret); // value of one variable; -ENXIO: not set; -EAGAIN: there is no
                                  // environment (a kernel thread), or not yet (in its exec)
bool proc_is_alive(pid_t pid);    // exists and is no zombie

// The children of one thread, zombies too, in the order in which they came to it. As long as none
// of them is waited for meanwhile, none is left out.
struct proc_children {
        int fd; // -1: closed
        char text[4096 + 1];
        const char *next;
        off_t position; // in the file
        bool is_last;   // nothing follows what is in text
};
// thread 0: the calling thread. 0; -EOPNOTSUPP: this kernel does not tell (it was built without
// CONFIG_PROC_CHILDREN); other -errno.
int proc_children_open(struct proc_children *c, pid_t pid, pid_t thread);
// 1, 0 at the end, -errno. The file is read in steps: no call takes longer than to go through all
// children once.
int proc_children_next(struct proc_children *c, pid_t *ret);
void proc_children_rewind(struct proc_children *c); // from the begin again, and afresh
void proc_children_close(struct proc_children *c);
