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
static inline void cleanup_nowait_fd(int *fd)
{
        (void)nowait_close(*fd);
}
