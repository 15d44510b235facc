// The last log lines, of usher and of what services print, in memory: for `usherctl status` and
// `usherctl logs` where there is no journal to ask. Bounded in bytes. When it is full, the oldest
// line goes of the unit that has most in it, so that none that prints much takes away what others
// have said; what usherd says of a unit counts as another's than what the unit prints, and the
// instances of a template are one.
#pragma once

#include "base/clock.h"
#include "base/list.h"

struct log_ring;
struct log_ring_group;

struct log_ring_line {
        struct list_node node, group_node;
        struct log_ring_group *group;
        uint64_t number; // counts from 1; one that was too long is a gap
        usec_t time;     // realtime
        int level;
        pid_t pid;        // of the service that printed it; 0: usher's own line
        const char *unit; // "" for lines about none
        const char *text;
        size_t size; // of the allocation
};

// limit: bytes, 0: keep nothing. 0 or -ENOMEM.
int log_ring_new(size_t limit, struct log_ring **ret);
void log_ring_free(struct log_ring *ring); // detaches it; NULL is fine
DEFINE_CLEANUP(log_ring, struct log_ring *, log_ring_free)
void log_ring_set_limit(struct log_ring *ring, size_t limit);
// From now on every line that is logged is kept here. One ring at a time.
void log_ring_attach(struct log_ring *ring);

// The oldest of the last n lines whose unit matches a pattern (fnmatch(3); "" : all) and that are
// younger than number `after`; NULL: none.
const struct log_ring_line *log_ring_find(const struct log_ring *ring, const char *pattern,
                                          uint64_t after, size_t n);
// The next that matches, or NULL.
const struct log_ring_line *log_ring_next(const struct log_ring *ring, const char *pattern,
                                          const struct log_ring_line *line);
