// Shared by the files of core/socket/earlier.
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "core/socket/earlier.h"
#include "net/holder.h"

struct inquiry;

struct held {
        struct earlier *earlier;
        struct net_holder holder; // pid 0: not known
        uint64_t cookie;
        struct watch watch; // pidfd of the holder, owned; -1: none
        bool is_searched;   // by the search in progress
        bool is_unseen;     // it is open, but we may not see in which process
        bool is_ours;       // we hold it, too
        char *holder_text;
        char port[]; // its key in the map
};

struct earlier {
        struct manager *manager;
        void (*on_gone)(struct manager *m, const struct held *held);
        char *path, *first_line;
        struct map *by_port;     // struct held, by "TYPE TEXT"
        struct u64map *by_inode; // the same entries
        struct {
                struct net_node node;
                char *path;
        } * fifos;
        size_t n_fifos;
        // The file.
        int fd;
        struct buf pending;
        struct work flush_work;
        size_t n_lines, n_lines_fresh; // n_lines_fresh: right after it was rewritten
        bool is_failure_told;
        // Who holds a socket after its holder has ended?
        struct inquiry *search;
        struct watch search_watch;
        struct timer search_timer;
        usec_t last_search;
};

// The next entry; NULL: there is none. It may be freed during the walk.
static inline struct held *earlier_next(const struct earlier *e, size_t *position)
{
        const char *key;
        void *value;

        return map_next(e->by_port, position, &key, &value) ? value : NULL;
}

// The first line of a file written now; "" if it cannot be determined, NULL: no memory.
char *earlier_make_first_line(void);
// The file's text, if no other user can have written it, new string. 0 or -errno.
int earlier_read(const struct earlier *e, char **ret);
// Frees everything. The file is removed with the last process that could hold a socket.
void earlier_close(struct earlier *e);
