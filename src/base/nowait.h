// System calls that must not block although they could: on a file description that other processes
// share, and may set to blocking mode at any moment, if the call has no flag like MSG_DONTWAIT
// (accept(2), read(2)). The signal of a timer ends them.
#pragma once

#include "base/def.h"

// Until nowait_end() a system call that blocks ends with EINTR after about a millisecond, which the
// loop can afford. Not nested. Sets the disposition of SIGALRM and ITIMER_REAL, which nothing else
// uses.
void nowait_begin(void);
void nowait_end(void);
// Closes a descriptor that other processes made or shared: the last close() of a socket with
// SO_LINGER waits until its peer has read. Pending data is sent nevertheless. Returns -1.
int nowait_close(int fd);
// The same for any file that others made. close(2) may ask the file system, and never returns if
// that does not answer, so that a process that shares our descriptors closes files on such file
// systems. If CLOSERS_MAX processes do so already, the file is closed after one of them has ended.
// (A process that waits for ever keeps our descriptors open after our end: clone(2), CLONE_FILES.)
int nowait_close_file(int fd);
// As fd_move_up().
int nowait_move_up(int fd);
// Are so many files waiting that no more should be accepted from others?
bool nowait_is_full(void);
// Is fd a file or folder of a file system that may not answer? No file system is asked.
bool nowait_is_file(int fd);
static inline void cleanup_nowait_file(int *fd)
{
        (void)nowait_close_file(*fd);
}
