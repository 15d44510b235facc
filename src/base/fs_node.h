// AF_UNIX sockets as files. bind(2) and connect(2) take nothing but a path, which others may change
// meanwhile (base/fs_open.h), so what they have found there is looked at afterwards, or beforehand.
#pragma once

#include "base/fs_open.h"

// bind(2) to path, with this mode (the umask does not count) and missing parents made with
// make_mode. A node that came to be in another folder, because somebody swapped one on the way, is
// removed where that can be done, and the result is -EPERM. 0, -ENAMETOOLONG, or -errno; *why as
// fs_open() fills it.
int fs_bind(int fd, const char *path, mode_t mode, mode_t make_mode, struct fail *why);
// connect(2) to the socket that path leads to by the rules of fs_open(). 0; -ENXIO: no socket
// stands there; -errno.
int fs_connect(int fd, const char *path, struct fail *why);

// The node of a socket that is bound to path, as an O_PATH descriptor: where the kernel tells,
// wherever it is now, else what stands at the path, if that is a socket with one name. -errno.
int fs_node_open(int fd, const char *path, struct fail *why);
// Does the kernel say, without asking a file system, that the node of that socket is at path? False
// where it is not, where the path leads through links, and where this cannot be told.
bool fs_node_is_at(int fd, const char *path);
int fs_node_set_owner(int node, uid_t uid, gid_t gid); // of an O_PATH descriptor; 0 or -errno
int fs_node_set_mode(int node, mode_t mode);           // the same
