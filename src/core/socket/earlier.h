// Sockets that live on when the supervisor is ended all at once: processes that it has started hold
// them. Each listener is written down in the runtime folder by what tells its socket from all
// others, in a file that nobody else can write. The next supervisor of the folder finds by it which
// sockets are still held, and by whom; those of strangers are none of them.
//
// Called by core/socket/sock_open and core/socket/sock_held; nothing of it with --compat=systemd.
#pragma once

#include "core/unit/manager.h"
#include "net/look.h"

struct earlier;
struct held; // such a socket

// Reads what the last supervisor wrote, and looks who holds it. on_gone: the last process that held
// one has ended; it is freed afterwards. 0 or -ENOMEM.
int earlier_new(struct manager *m, void (*on_gone)(struct manager *m, const struct held *held),
                struct earlier **ret);
void earlier_free(struct earlier *e); // NULL is fine

// The socket of a port; NULL: nobody holds one.
struct held *earlier_find(const struct earlier *e, const struct port *port);
// A descriptor of it, for whoever may trace its holder; -errno.
int held_take(struct held *h);
// "held by process 42 (python3) of an earlier usherd"
const char *held_text(const struct held *h);
// Was the FIFO made by the last supervisor? Then its owner is right, whoever it is.
bool earlier_made_node(const struct earlier *e, const struct port *port, struct net_node *ret);

// A listener was opened: it is written down soon.
void earlier_note(struct earlier *e, const struct port *port, int fd);
// Now: a process is about to get it.
void earlier_flush(struct earlier *e);

// ---- the file, for tests: a first line that tells of which boot and network namespace it is, and
// a line for each listener

struct earlier_record {
        uint64_t inode, cookie; // of a FIFO: its inode and device
        const char *type, *text;
};

// Called for each line of a file with this first line; what is no record is left out. text is taken
// apart. 0, -ESTALE: the file is of another boot, or none of ours; or what cb gave if it is not 0.
int earlier_parse(char *text, const char *first_line,
                  int (*cb)(const struct earlier_record *record, void *data), void *data);
