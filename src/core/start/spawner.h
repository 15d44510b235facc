// What all starts of a supervisor share: the settings behind every spawn plan, giving back what a
// child on its way to its exec still holds, and the queue of those who wait for descriptors, memory
// or processes (fail_is_exhaustion()). Called by core/service/service_command,
// core/socket/sock_command, core/socket/sock_run.
#pragma once

#include "core/loop/events.h"
#include "spawn/spawn.h"

struct spawner;
struct trim;

struct spawner_options {
        struct events *events;
        struct trim *trim;
        const char *method; // of spawning; NULL: the best that works here
        bool is_user;
        bool passes_environment;  // services start from the whole of it
        char *const *environment; // the supervisor's own; outlives the spawner
        // RLIMIT_* for children that set none.
        const struct rlimit_value *limits;
};

// 0 or -errno (logged).
int spawner_new(const struct spawner_options *options, struct spawner **ret);
void spawner_free(struct spawner *s); // NULL is fine
DEFINE_CLEANUP(spawner, struct spawner *, spawner_free)

// Descriptors kept back, so that what is accepted last can still be started. False: there are none
// left (any more), nothing should be taken in that needs a process.
bool spawner_has_reserve(struct spawner *s);

// ---- exhaustion (difference `exhaustion`)

enum spawner_queue {
        SPAWNER_STARTS, // of what was taken in already: they come first, in their order
        SPAWNER_INTAKE, // of those who would take in more
        _SPAWNER_QUEUE_MAX,
};

// run is called once there may be room: soon at first, then after pauses that grow up to a second,
// and when a connection ends. It may wait again. error: what is lacking. work_cancel() ends the
// wait.
void spawner_wait(struct spawner *s, enum spawner_queue queue, struct work *w,
                  void (*run)(struct work *w), int error);
// What the starts that wait are short of (positive errno); 0: none waits. Then nothing should be
// taken in that needs a process.
int spawner_exhaustion(const struct spawner *s);
// A process has ended: those who wait try it now.
void spawner_try_again(struct spawner *s);
// However many meet with it, exhaustion is told once in a while: now?
bool spawner_may_complain(struct spawner *s);

// ---- starting

// For spawn_plan_new().
const struct spawn_settings *spawner_settings(const struct spawner *s);
// Nothing else waits to be done: until it is said otherwise a start may take a moment longer, and
// leaves nothing to be given back.
void spawner_set_calm(struct spawner *s, bool is_calm);
// spawn_start(), and later spawn_reclaim() as often as it asks for it.
int spawner_start(struct spawner *s, struct spawn_plan *plan, struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why);
