// Launch slots: what one start needs until its child has reached the exec. Each is a stack with a
// guard page, an arena for the strings of the start, and copies of the descriptors for the child.
// A child that hangs keeps its slot; nobody waits for it. Inside of spawn.
#pragma once

#include "base/fd.h"
#include "spawn/spawn.h"
#include "spawn/step.h"

#define SLOTS_MAX 64
#define SLOT_STACK_SIZE (32u << 10)
#define SLOT_ARENA_SIZE (12u << 10) // what is larger is allocated

struct arena {
        size_t used;
        struct arena_chunk *chunks; // allocated ones
        char data[SLOT_ARENA_SIZE];
};

// Memory until the slot is given back, aligned for pointers; NULL: no memory.
void *arena_allocate(void *arena, size_t size);

struct slot {
        uint32_t busy_tid; // cleared by the kernel when the child lets go of our memory
        bool is_taken;
        uint8_t n_held;
        int held[FD_LOW_WINDOW];      // -1: given back
        int held_from[FD_LOW_WINDOW]; // what each is a copy of, or it itself
        struct spawn_plan *plan;      // reference
        struct launch launch;
        struct arena arena;
};

// A free slot for a child that shares our memory, or NULL: all are on the way, or no memory.
struct slot *slot_take(void);
// For a child with memory of its own, which needs it no longer than until fork(2) has returned.
// There is always one; it has no stack.
struct slot *slot_take_for_fork(void);
// Top of its stack region, and the region's size.
void *slot_stack(struct slot *slot);
// Give it back: closes held descriptors, drops the plan, frees the arena's chunks.
void slot_release(struct slot *slot);
// Are so many on their way that the next had better let them run?
bool slots_are_crowded(void);
// Close the descriptors that it holds.
void slot_let_go(struct slot *slot);
bool slot_holds(const struct slot *slot, int fd);
// Give back those whose child is done, and what the others need no longer.
enum spawn_pending slots_reclaim(void);
// After a burst: the pages of all but the first slots go back.
void slots_trim(void);
void slots_done(void);
