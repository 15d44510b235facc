// The processes of a run: main, control and their descendants, and its orphans with their
// descendants. Called by core/service/service*, core/service/notify, the bus.
#pragma once

#include "core/service/run.h"
#include "core/start/orphans.h"

// Does it have orphans? Without main and control, these are all processes that remain.
enum orphans_state run_look_for_strays(struct run *run);

// Calls f for each of its processes until f returns something other than 0, which is then returned.
// The loop waits for this, so the search is bounded: of very many processes, some are missed.
int run_foreach_process(const struct run *run, int (*f)(pid_t pid, void *data), void *data);

// Which run owns the process? 1 and *ret; 0: none (it is unrelated, or its owner cannot be
// determined); -EAGAIN: not known yet (orphans_wait() reports).
int process_find_owner(struct manager *m, pid_t pid, struct orphan_facts *ret);
// The run as an owner of processes; and the reverse, NULL: the owner is no run.
struct owner run_as_owner(struct run *run);
struct run *run_of_owner(const struct owner *owner);
// Could a process of these users belong to the run? It must run as the run's user, or as root; a
// run of root may have processes of any user.
bool run_may_own(const struct run *run, const struct proc_uids *uids);
// The run with this invocation id, if it is not over; NULL otherwise. Walks all runs.
struct run *run_by_invocation_id(struct manager *m, sd_id128_t id);
// The UID and GID that the plan gives its processes; UINT32_MAX: none, or no plan yet.
uint32_t run_uid_gid(const struct run *run, bool want_gid);

void processes_open(struct manager *m); // from now on the reaper can ask for owners
