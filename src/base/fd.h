// File descriptors: closing, moving above the low window, flags, reading with a bound.
#pragma once

#include "base/def.h"

// Numbers below this are the low window: they are kept for descriptors that a child is about to
// get. The supervisor's own long-lived descriptors are moved above it.
#define FD_LOW_WINDOW 64

// Closes fd if it is >= 0 and keeps errno; returns -1, so that `fd = fd_close(fd)` also clears fd.
int fd_close(int fd);
static inline void cleanup_fd(int *fd)
{
        fd_close(*fd);
}

// A copy of fd with a number >= FD_LOW_WINDOW, close-on-exec. New fd or -errno.
int fd_dup_up(int fd);
// Move fd to a number >= FD_LOW_WINDOW, close-on-exec. The old number is closed. New fd, or -errno
// (then the old one is closed, too). fd may be the -1 of a failed call: then -errno of that call.
int fd_move_up(int fd);
// The file's device and inode as the kernel knows them: no file system is asked. 0 or -errno.
int fd_get_node(int fd, dev_t *ret_dev, ino_t *ret_ino);
int fd_set_nonblock(int fd, bool on); // 0 or -errno
int fd_set_cloexec(int fd, bool on);  // the same; public for tests
// Close every descriptor from first on except those in keep[] (n entries, any order); uses
// close_range if the kernel has it, else /proc/self/fd (which allocates). 0 or -errno.
int fd_close_from(int first, const int *keep, size_t n);
// Read until end of file or limit bytes. *ret is NUL-terminated. -EFBIG if there is more than
// limit.
int fd_read_all(int fd, size_t limit, char **ret, size_t *ret_size);
// Write everything (EINTR handled, EAGAIN is an error). 0 or -errno.
int fd_write_all(int fd, const void *data, size_t size);
// Send / receive up to n descriptors and some bytes over an AF_UNIX socket. 0 or -errno;
// -E2BIG: too many, -EMSGSIZE: a full stream socket took only a part of the bytes.
int fd_send(int sock, const void *data, size_t size, const int *fds, size_t n);
// Count of open descriptors of this process (for tests and status); -errno.
int fd_count_open(void);
