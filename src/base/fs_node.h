// AF_UNIX sockets as files. bind(2) and connect(2) take only a path, which others may change
// meanwhile (base/fs_open.h), so that the node is checked afterwards, or beforehand.
#pragma once

#include "base/fs_open.h"

// bind(2) to path, with this mode (the umask does not count) and missing parents made with
// make_mode. If somebody replaces a folder of the path, so that the node is made elsewhere, it is
// removed if possible, and the result is -EPERM. 0, -ENAMETOOLONG, or -errno; *why as
// fs_open() fills it.
int fs_bind(int fd, const char *path, mode_t mode, mode_t make_mode, struct fail *why);
// connect(2) to the socket that path leads to by the rules of fs_open(). 0; -ENXIO: it is
// no socket; -errno.
int fs_connect(int fd, const char *path, struct fail *why);

// The node of a socket that is bound to path, as an O_PATH descriptor: the kernel's answer,
// wherever the node is now, if the kernel gives one; else the file at path, if it is a socket with
// one name. -errno.
int fs_node_open(int fd, const char *path, struct fail *why);
// Is the node of that socket at path, according to the kernel, without asking a file system? Also
// false if the path contains links, or if the kernel cannot tell.
bool fs_node_is_at(int fd, const char *path);
int fs_node_set_owner(int node, uid_t uid, gid_t gid); // of an O_PATH descriptor; 0 or -errno
int fs_node_set_mode(int node, mode_t mode);           // the same
