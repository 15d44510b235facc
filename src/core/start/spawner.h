// What all starts of a supervisor share: the settings behind every spawn plan, reclaiming what a
// child still holds before its exec, and the queue of callers that wait for descriptors, memory or
// processes (fail_is_exhaustion()). Called by core/service/service_command,
// core/socket/sock_command, core/socket/sock_run.
#pragma once

#include "core/loop/events.h"
#include "spawn/spawn.h"

struct spawner;
struct trim;

struct spawner_options {
        struct events *events;
        struct trim *trim;
        const char *method; // of spawning; NULL: the best one that works here
        bool is_user;
        const struct spawn_environment *environment; // outlives the spawner
        // RLIMIT_* for children whose unit sets none.
        const struct rlimit_value *limits;
};

// 0 or -errno (logged).
int spawner_new(const struct spawner_options *options, struct spawner **ret);
void spawner_free(struct spawner *s); // NULL is fine
DEFINE_CLEANUP(spawner, struct spawner *, spawner_free)

// Descriptors kept in reserve, so that the connection accepted last can still be started. False:
// the reserve is used up, so nothing should be accepted that needs a process.
bool spawner_has_reserve(struct spawner *s);

// ---- exhaustion (difference `exhaustion`)

enum spawner_queue {
        SPAWNER_STARTS, // starts of what has been accepted: they come first, in order
        SPAWNER_INTAKE, // callers that would accept more
        _SPAWNER_QUEUE_MAX,
};

// run is called once resources may be free: soon at first, then after pauses that grow up to a
// second, and when a connection ends. It may wait again. error: which resource is exhausted.
// work_cancel() ends the wait.
void spawner_wait(struct spawner *s, enum spawner_queue queue, struct work *w,
                  void (*run)(struct work *w), int error);
// What the waiting starts are short of (positive errno); 0: none waits. While it is not 0, nothing
// should be accepted that needs a process.
int spawner_exhaustion(const struct spawner *s);
// A process has ended: the waiting callers are tried now.
void spawner_try_again(struct spawner *s);
// Exhaustion is reported at most once per interval, however often it occurs: may it be reported
// now?
bool spawner_may_complain(struct spawner *s);

// ---- starting

// For spawn_plan_new().
const struct spawn_settings *spawner_settings(const struct spawner *s);
// Calls spawn_start(), and later spawn_reclaim() for as long as it asks for that. params->is_calm
// counts for a descriptor that is handed over, if no descriptor copies remain from before.
int spawner_start(struct spawner *s, struct spawn_plan *plan, struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why);
