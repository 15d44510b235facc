// Information about processes from /proc. Each function returns -ESRCH if the process is gone.
//
// The command line and the environment are read from the process's memory, for which the kernel
// takes a lock that a process can hold while a disk hangs. They are for programs that may wait, not
// for the supervisor's loop. All other information needs no such lock.
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

// A moment in the order in which processes are created. /proc has start times in units of 10 ms;
// within one of them the pids tell, since the kernel gives them in ascending order.
struct proc_moment {
        uint64_t ticks; // since the boot, as start times are
        pid_t last;     // the newest pid; 0: not known
};
void proc_moment_now(struct proc_moment *ret);
// Was the process created before that moment? Where that is not known: yes, if it may have been.
bool proc_is_before(pid_t pid, const struct proc_moment *moment);

// The children of one thread, with zombies, in the order in which they became its children. If none
// of them is reaped meanwhile, the list is complete.
struct proc_children {
        int fd; // -1: closed
        char text[4096 + 1];
        const char *next;
        off_t position; // in the file
        bool is_last;   // nothing follows what is in text
};
// thread 0: the calling thread. 0; -EOPNOTSUPP: not in this kernel (it was built without
// CONFIG_PROC_CHILDREN); other -errno.
int proc_children_open(struct proc_children *c, pid_t pid, pid_t thread);
// 1, 0 at the end, -errno. The file is read in steps: no call takes longer than one walk over all
// children.
int proc_children_next(struct proc_children *c, pid_t *ret);
void proc_children_rewind(struct proc_children *c); // read again from the beginning
void proc_children_close(struct proc_children *c);
