// System calls that must not wait although they could: on a file description that others have, too,
// and may set to blocking at any moment, where there is no flag like MSG_DONTWAIT (accept(2),
// read(2)). A timer's signal ends them.
#pragma once

#include "base/def.h"

// Until nowait_end() a system call that would wait ends with EINTR after a moment (about a
// millisecond; the loop has to bear that). Not nested. Sets the disposition of SIGALRM and
// ITIMER_REAL, which nobody else uses.
void nowait_begin(void);
void nowait_end(void);
// Close a descriptor that others have made, or have had: a socket with SO_LINGER makes its last
// close() wait until its peer has read. What is left to be sent is sent all the same. Gives -1.
int nowait_close(int fd);
// The same for any file of others. close(2) asks a file system that has a say in it, and one that
// does not answer holds its caller for ever; a file there is closed by a process that shares our
// descriptors. A number of such processes may be under way; what comes then is closed after one of
// them. (One that waits for ever keeps our descriptors open after our end: docs of clone(2).)
int nowait_close_file(int fd);
// As fd_move_up().
int nowait_move_up(int fd);
// Are so many under way that no more files should be taken from others?
bool nowait_is_full(void);
// Is it a file or folder of a file system that may not answer? No file system is asked.
bool nowait_is_file(int fd);
static inline void cleanup_nowait_file(int *fd)
{
        (void)nowait_close_file(*fd);
}
