// The processes of a run: main, control, what descends from them, and their orphans with what
// descends from those. Called by core/service/service*, core/service/notify, the bus.
#pragma once

#include "core/service/run.h"
#include "core/start/orphans.h"

// Has it orphans? Without main and control these are all that is left of it.
enum orphans_state run_look_for_strays(struct run *run);

// f is called for each of its processes until it gives something else than 0, which is returned.
// The loop waits for that: of very many not all are found.
int run_foreach_process(const struct run *run, int (*f)(pid_t pid, void *data), void *data);

// Whose is the process? 1 and *ret, 0 nobody's (of a stranger, or of whom nobody knows who left
// him), -EAGAIN when it is not known yet (orphans_wait() tells).
int process_find_owner(struct manager *m, pid_t pid, struct orphan_facts *ret);
// The run as the owner of its processes; and back, NULL: that is no run.
struct owner run_as_owner(struct run *run);
struct run *run_of_owner(const struct owner *owner);
// Could a process of these users be one of the run's? It is of the run's user, or root's; who runs
// as root may have processes of any user.
bool run_may_own(const struct run *run, const struct proc_uids *uids);
// The run whose main or control process it is, or was until its end has been told. NULL: none.
struct run *run_by_pid(struct manager *m, pid_t pid);
// A life that is not over. NULL: it is. Goes through all runs.
struct run *run_by_invocation_id(struct manager *m, sd_id128_t id);
// UID and GID that its processes get by the plan; UINT32_MAX: none, or no plan yet.
uint32_t run_uid_gid(const struct run *run, bool want_gid);

void processes_open(struct manager *m); // the reaper can ask for owners from now on
