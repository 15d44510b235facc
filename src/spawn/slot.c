#include "spawn/slot.h"

#include <stdatomic.h>
#include <sys/mman.h>

#define GUARD_SIZE 4096u
#define MEMORY_SIZE ((sizeof(struct slot) + 4095u) & ~4095u)
#define MAP_SIZE (GUARD_SIZE + SLOT_STACK_SIZE + MEMORY_SIZE)
#define SLOTS_CROWDED 16
#define SLOTS_WARM 2 // these keep their pages while no child is starting

struct arena_chunk {
        struct arena_chunk *next;
        size_t size;
        _Alignas(16) char data[];
};

// [guard][stack][struct slot] each, mapped at first need; low indices are used first, so that a
// quiet supervisor touches few pages.
static struct slot *slots[SLOTS_MAX];
static size_t n_slots;
static struct slot slot_for_fork;
static size_t n_pending;   // taken slots
static size_t n_cold_used; // slots beyond the warm ones that may have pages

void *arena_allocate(void *data, size_t size)
{
        struct arena *arena = data;
        struct arena_chunk *chunk;
        size_t need = (size + 15) & ~(size_t)15;

        if (need < size)
                return NULL;
        if (need <= sizeof(arena->data) - arena->used) {
                void *p = arena->data + arena->used;

                arena->used += need;
                return p;
        }
        chunk = malloc(sizeof(*chunk) + need);
        if (!chunk)
                return NULL;
        chunk->next = arena->chunks;
        chunk->size = need;
        arena->chunks = chunk;
        return chunk->data;
}

static struct slot *map_slot(void)
{
        char *p = mmap(NULL, MAP_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

        if (p == MAP_FAILED)
                return NULL;
        if (mprotect(p, GUARD_SIZE, PROT_NONE) < 0) {
                munmap(p, MAP_SIZE);
                return NULL;
        }
        return (struct slot *)(void *)(p + GUARD_SIZE + SLOT_STACK_SIZE);
}

void *slot_stack(struct slot *slot)
{
        return (char *)slot - SLOT_STACK_SIZE;
}

static struct slot *begin(struct slot *slot)
{
        slot->is_taken = true;
        slot->busy_tid = 0;
        slot->n_held = 0;
        slot->plan = NULL;
        slot->arena.used = 0;
        slot->arena.chunks = NULL;
        return slot;
}

struct slot *slot_take(void)
{
        struct slot *slot = NULL;
        size_t i;

        for (i = 0; i < n_slots && !slot; i++)
                if (!slots[i]->is_taken)
                        slot = slots[i];
        if (!slot && n_slots < SLOTS_MAX) {
                slot = map_slot();
                if (!slot)
                        return NULL;
                i = ++n_slots;
                slots[i - 1] = slot;
        }
        if (!slot)
                return NULL;
        if (i > SLOTS_WARM)
                n_cold_used = MAX(n_cold_used, i);
        n_pending++;
        return begin(slot);
}

struct slot *slot_take_for_fork(void)
{
        return begin(&slot_for_fork);
}

void slot_let_go(struct slot *slot)
{
        while (slot->n_held > 0)
                fd_close(slot->held[--slot->n_held]);
}

bool slot_holds(const struct slot *slot, int fd)
{
        for (size_t i = 0; i < slot->n_held; i++)
                if (slot->held[i] == fd)
                        return true;
        return false;
}

void slot_release(struct slot *slot)
{
        if (!slot || !slot->is_taken)
                return;
        slot_let_go(slot);
        while (slot->arena.chunks) {
                struct arena_chunk *chunk = slot->arena.chunks;

                slot->arena.chunks = chunk->next;
                free(chunk);
        }
        spawn_plan_unref(slot->plan);
        slot->plan = NULL;
        slot->is_taken = false;
        if (slot != &slot_for_fork)
                n_pending--;
}

static bool is_done(const struct slot *slot)
{
        return __atomic_load_n(&slot->busy_tid, __ATOMIC_ACQUIRE) == 0;
}

bool slots_are_crowded(void)
{
        return n_pending >= SLOTS_CROWDED;
}

void slots_trim(void)
{
        for (size_t i = SLOTS_WARM; i < n_cold_used; i++)
                if (!slots[i]->is_taken)
                        (void)madvise(slot_stack(slots[i]), SLOT_STACK_SIZE + MEMORY_SIZE,
                                      MADV_DONTNEED);
        if (n_pending == 0)
                n_cold_used = 0;
}

enum spawn_pending slots_reclaim(void)
{
        bool is_holding = false;

        for (size_t i = 0, seen = 0, n = n_pending; seen < n; i++) {
                struct slot *slot = slots[i];

                if (!slot->is_taken)
                        continue;
                seen++;
                if (is_done(slot))
                        slot_release(slot);
                else if (__atomic_load_n(&slot->launch.has_own_fds, __ATOMIC_ACQUIRE))
                        slot_let_go(slot);
                is_holding = is_holding || slot->n_held > 0;
        }
        return is_holding      ? SPAWN_HOLDS_FDS
               : n_pending > 0 ? SPAWN_HOLDS_MEMORY
                               : SPAWN_HOLDS_NOTHING;
}

void slots_done(void)
{
        // This cannot wait for a child that still runs in our memory: its pages stay mapped.
        slots_reclaim();
        for (size_t i = 0; i < n_slots; i++)
                if (!slots[i]->is_taken)
                        munmap((char *)slot_stack(slots[i]) - GUARD_SIZE, MAP_SIZE);
        n_slots = 0;
        n_pending = 0;
        n_cold_used = 0;
}
