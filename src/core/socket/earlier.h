// Sockets that stay open when the supervisor is killed, because processes that it has started hold
// them. Each listener is recorded in the runtime folder with what identifies its socket, in a file
// that no other user can write. The next supervisor with this folder uses it to find which sockets
// are still held, and by which processes; other programs' sockets are not affected.
//
// Called by core/socket/sock_open and core/socket/sock_held; unused with --compat=systemd.
#pragma once

#include "core/unit/manager.h"
#include "net/look.h"

struct earlier;
struct held; // a socket that is held

// Reads the record of the last supervisor, and searches for the holders. on_gone: the last process
// that held one has ended; the entry is freed afterwards. 0 or -ENOMEM.
int earlier_new(struct manager *m, void (*on_gone)(struct manager *m, const struct held *held),
                struct earlier **ret);
void earlier_free(struct earlier *e); // NULL is fine

// The entry for a port; NULL: no process holds its socket.
struct held *earlier_find(const struct earlier *e, const struct port *port);
// A descriptor of the socket, if we may trace its holder; -errno.
int held_take(struct held *h);
// "held by process 42 (python3) of an earlier usherd"
const char *held_text(const struct held *h);
// Was the FIFO made by the last supervisor? Then its owner is accepted, whichever it is.
bool earlier_made_node(const struct earlier *e, const struct port *port, struct net_node *ret);

// A listener was opened: the record is written soon.
void earlier_note(struct earlier *e, const struct port *port, int fd);
// Writes the record now: a process is about to get the listener.
void earlier_flush(struct earlier *e);

// ---- the file, for tests: a first line that identifies the boot and the network namespace, and a
// line for each listener

struct earlier_record {
        uint64_t inode, cookie; // of a FIFO: its inode and device
        const char *type, *text;
};

// Calls cb for each line of a file with this first line; invalid lines are skipped. Modifies text.
// 0, -ESTALE: the file is from another boot, or not ours; or cb's result if it is not 0.
int earlier_parse(char *text, const char *first_line,
                  int (*cb)(const struct earlier_record *record, void *data), void *data);
