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

// Moves a connection that found no room above the low window there, in the place of the reserve.
// New fd or -errno; the old one is closed.
int spawner_make_room(struct spawner *s, int fd);

// For spawn_plan_new().
const struct spawn_settings *spawner_settings(const struct spawner *s);
// spawn_start(), and later spawn_reclaim() as often as it asks for it.
int spawner_start(struct spawner *s, struct spawn_plan *plan, const struct spawn_params *params,
                  struct spawn_child *ret, struct fail *why);
