// What all starts of a supervisor share: the settings behind every spawn plan, and giving back what
// a child on its way to its exec still holds. Called by core/service_command, core/sock_command.
#pragma once

#include "core/events.h"
#include "spawn/spawn.h"

struct manager;
struct spawner;

// Chooses the spawn method (options.spawn_method). 0 or -errno (logged).
int spawner_new(struct manager *m, struct spawner **ret);
void spawner_free(struct spawner *s); // NULL is fine
DEFINE_CLEANUP(spawner, struct spawner *, spawner_free)

// Descriptors kept back, so that what is accepted last can still be started. False: there are none
// left (any more), nothing should be taken in that needs a process.
bool spawner_has_reserve(struct spawner *s);

// For spawn_plan_new().
const struct spawn_settings *spawner_settings(const struct spawner *s);
// Nothing else waits to be done: until it is said otherwise a start may take a moment longer, and
// leaves nothing to be given back.
void spawner_set_calm(struct spawner *s, bool is_calm);
// spawn_start(), and later spawn_reclaim() as often as it asks for it.
int spawner_start(struct spawner *s, struct spawn_plan *plan, struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why);
