// The processes of a run: main, control, and those that they left behind. Without a cgroup they are
// told apart by session, process group and the INVOCATION_ID in their environment.
// Called by core/service_kill, core/service_pid, the bus.
#pragma once

#include "core/run.h"
#include "spawn/kill.h"

// All of them, main and control included. 0 or -errno. *ret is empty where there is none.
int run_find_processes(const struct run *run, struct kill_pids *ret);
// Are there any besides main and control? Looks first where it costs nothing.
bool run_has_strays(struct run *run);
// f is called for each pid until it gives something else than 0, which is returned.
int run_foreach_process(const struct run *run, int (*f)(pid_t pid, void *data), void *data);
bool run_has_process(const struct run *run, pid_t pid);
// The run whose main or control process it is, or was until its end has been told. NULL: none.
struct run *run_by_pid(struct manager *m, pid_t pid);
// The run that a process belongs to: a known child, or by session, parents, INVOCATION_ID. NULL.
struct run *run_by_process(struct manager *m, pid_t pid);
// User or group id that its processes have; UINT32_MAX: nobody's (not started, or the
// supervisor's).
uint32_t run_uid_gid(const struct run *run, bool want_gid);
