// Which process has a socket, as /proc shows it by the socket's inode. Best effort: /proc may hide
// the processes of other users.
#pragma once

#include "conf/types.h"

#include <sys/types.h>

struct net_holder {
        uint64_t inode; // of the socket to find
        pid_t pid;      // the process that has it; 0: not found
        int fd; // its number there; -1 with pid 0: the socket exists, but its process was not found
};

// Finds all of them in one pass over all processes; sorts holders by inode. The process except and
// its descendants do not count; 0: all processes count.
void net_holders_find(struct net_holder *holders, size_t n, pid_t except);
// For the sockets whose process was not found: which of them exist, according to /proc/net? holders
// must be sorted by inode.
void net_holders_look_for_unseen(struct net_holder *holders, size_t n);
// Does the process (still) have the socket at that number?
bool net_holder_has(const struct net_holder *holder);
// Identifies a socket until the machine reboots: by its inode, which is unique while it is open,
// and by a cookie, which is never reused (SO_COOKIE, Linux 4.12; 0: the kernel has none). 0 or
// -errno.
int net_socket_identity(int fd, uint64_t *ret_inode, uint64_t *ret_cookie);
// A descriptor of the same socket (pidfd_getfd(2), Linux 5.6; requires permission to trace the
// process), close-on-exec and above the low window; -ESTALE: that number is another socket by now;
// -errno.
int net_holder_take(const struct net_holder *holder, int pidfd, uint64_t cookie);

// Writes the holder of the address into text: "PID (NAME)", or "" if it is not known.
#define NET_HOLDER_MAX 96
void net_holder_of_address(const struct port *port, char text[NET_HOLDER_MAX]);
// The inode of the socket with this address in the text of a table of /proc/net; 0: there is none.
// Users choose the names of AF_UNIX sockets freely, so that the result is for messages only.
// Public for tests.
unsigned long net_holder_find_inode(const char *text, const struct port *port);
