// The last log lines, of usher and of what services print, in memory: for `usherctl status` and
// `usherctl logs` where there is no journal to ask. Bounded in bytes. When it is full, the oldest
// line of the unit that occupies most memory is dropped, so that a unit that prints much does not
// displace the lines of others. Lines of usherd about a unit and lines that the unit prints are
// counted separately; the instances of a template are counted together.
#pragma once

#include "base/clock.h"
#include "base/list.h"

struct log_ring;
struct log_ring_group;

struct log_ring_line {
        struct list_node node, group_node;
        struct log_ring_group *group;
        uint64_t number; // counts from 1; a line that was too long leaves a gap
        usec_t time;     // realtime
        int level;
        pid_t pid;        // of the service that printed it; 0: usher's own line
        const char *unit; // "" for lines about no unit
        const char *text;
        size_t size; // of the allocation
};

// limit: bytes, 0: keep nothing. 0 or -ENOMEM.
int log_ring_new(size_t limit, struct log_ring **ret);
void log_ring_free(struct log_ring *ring); // detaches it; NULL is fine
DEFINE_CLEANUP(log_ring, struct log_ring *, log_ring_free)
void log_ring_set_limit(struct log_ring *ring, size_t limit);
// From now on every logged line is kept in this ring. Only one ring can be attached.
void log_ring_attach(struct log_ring *ring);

// The oldest of the last n lines whose unit matches a pattern (fnmatch(3); several with
// newlines between them; "": all) and whose
// number is above `after`; NULL: none.
const struct log_ring_line *log_ring_find(const struct log_ring *ring, const char *pattern,
                                          uint64_t after, size_t n);
// The next that matches, or NULL.
const struct log_ring_line *log_ring_next(const struct log_ring *ring, const char *pattern,
                                          const struct log_ring_line *line);
