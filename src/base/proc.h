// What /proc tells about processes. All accept that the process may be gone (-ESRCH).
#pragma once

#include "base/proc_parse.h"

int proc_get_comm(pid_t pid, char **ret);
int proc_get_cmdline(pid_t pid, char **ret); // blanks between the words; "[comm]" if it has none
int proc_get_stat(pid_t pid, struct proc_stat *ret); // several fields at one look
int proc_get_parent(pid_t pid, pid_t *ret);
int proc_get_start_time(pid_t pid, uint64_t *ret_ticks); // field 22 of stat
int proc_get_environ(pid_t pid, const char *name,
                     char **ret); // value of one variable; -ENXIO: not set; -EAGAIN: there is no
                                  // environment (a kernel thread), or not yet (in its exec)
int proc_get_session(pid_t pid, pid_t *ret_pgrp, pid_t *ret_session);
// A mapped state letter ('R','S','Z',...), or -errno.
int proc_get_state(pid_t pid);
bool proc_is_alive(pid_t pid); // exists and is no zombie
