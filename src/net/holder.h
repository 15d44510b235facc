// Which process has a socket, as /proc shows it by the socket's inode. Best effort: what other
// users run is not shown to everybody.
#pragma once

#include "conf/types.h"

#include <sys/types.h>

struct net_holder {
        uint64_t inode; // of the socket that is looked for
        pid_t pid;      // the process that has it; 0: none was found
        int fd;         // its number there; with pid 0: -1, it is there all the same
};

// Looks for all of them in one pass over all processes; holders are sorted by inode afterwards.
// except: its descendants, and the process itself, do not count; 0: all do.
void net_holders_find(struct net_holder *holders, size_t n, pid_t except);
// Which of those that nobody was found for are there, by the tables of /proc/net? holders are
// sorted by inode.
void net_holders_look_for_unseen(struct net_holder *holders, size_t n);
// Has the process that socket at that number (still)?
bool net_holder_has(const struct net_holder *holder);
// What tells a socket from all others as long as the machine runs: its inode while it is open, and
// a cookie, which is never used again (SO_COOKIE, Linux 4.12; 0: the kernel has none). 0 or -errno.
int net_socket_identity(int fd, uint64_t *ret_inode, uint64_t *ret_cookie);
// A descriptor of the very socket (pidfd_getfd(2), Linux 5.6, where one may trace the process),
// close-on-exec and above the low window; -ESTALE: that number is another one by now; -errno.
int net_holder_take(const struct net_holder *holder, int pidfd, uint64_t cookie);

// Writes the holder of the address into text: "PID (NAME)", or "" if it is not known.
#define NET_HOLDER_MAX 96
void net_holder_of_address(const struct port *port, char text[NET_HOLDER_MAX]);
// The inode of the socket that has the address, in the text of a table of /proc/net; 0: there is
// none. Names of AF_UNIX sockets are of their owners' making: this is good for a message only.
// Public for tests.
unsigned long net_holder_find_inode(const char *text, const struct port *port);
