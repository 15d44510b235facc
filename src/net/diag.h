// What the kernel knows about TCP connections (sock_diag(7)).
#pragma once

#include "net/peer.h"

struct net_diag_connection {
        struct address local, remote;
        const char *state;       // "ESTAB", "CLOSE-WAIT", ...: as in ss(8)
        bool has_traffic;        // are the next four known?
        uint64_t received, sent; // bytes; sent: only acknowledged ones
        uint64_t segments_received, segments_sent;
        uint32_t inode; // of the socket; 0: its process has closed it
};

typedef int (*net_diag_fn)(const struct net_diag_connection *connection, void *data);

// All TCP connections of both families that are not over. 0, -errno, or the
// negative number that the callback returned.
int net_diag_walk(net_diag_fn cb, void *data);
// Parses one datagram of the kernel's answer, aligned as malloc() aligns. 1: more follow, 0: it was
// the last one; -EBADMSG: it is no such answer; else as above. Public for tests.
int net_diag_parse(const void *answer, size_t size, net_diag_fn cb, void *data);
