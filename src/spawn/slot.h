// Launch slots: the resources of one start until its child has reached the exec. Each is a stack
// with a guard page, an arena for the strings of the start, and copies of the descriptors for the
// child. A child that hangs keeps its slot; nothing waits for it. Private to spawn.
#pragma once

#include "base/fd.h"
#include "spawn/spawn.h"
#include "spawn/step.h"

#define SLOTS_MAX 64
#define SLOT_STACK_SIZE (32u << 10)
#define SLOT_ARENA_SIZE (12u << 10) // larger blocks are allocated

struct arena {
        size_t used;
        struct arena_chunk *chunks; // allocated ones
        char data[SLOT_ARENA_SIZE];
};

// Memory that is valid until the slot is released, aligned for pointers; NULL: no memory.
void *arena_allocate(void *arena, size_t size);

struct slot {
        uint32_t busy_tid; // cleared by the kernel when the child stops using our memory
        bool is_taken;
        uint8_t n_held;
        int held[FD_LOW_WINDOW];      // -1: released
        int held_from[FD_LOW_WINDOW]; // the descriptor that each is a copy of, or itself
        struct spawn_plan *plan;      // reference
        struct launch launch;
        struct arena arena;
};

// A free slot for a child that shares our memory, or NULL: all are in use, or no memory.
struct slot *slot_take(void);
// For a child with its own memory, which is needed only until fork(2) has returned. There is always
// one; it has no stack.
struct slot *slot_take_for_fork(void);
// Top of its stack region, and the region's size.
void *slot_stack(struct slot *slot);
// Releases it: closes held descriptors, drops the plan, frees the arena's chunks.
void slot_release(struct slot *slot);
// Are so many children starting that the next start should let them run first?
bool slots_are_crowded(void);
// Closes the descriptors that it holds.
void slot_let_go(struct slot *slot);
bool slot_holds(const struct slot *slot, int fd);
// Releases the slots of children that are done, and the resources that others no longer need.
enum spawn_pending slots_reclaim(void);
// After a burst: frees the pages of all but the warm slots.
void slots_trim(void);
void slots_done(void);
