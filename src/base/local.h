// Work that must not wait for a file system. The supervisor is one loop, and a look-up that gets no
// answer (from a server that is down, or a FUSE process that sleeps) stops all of it, as no signal
// ends such a wait. While local_only_set() is on, functions follow a path only as far as the kernel
// or a local disk answers (base/mounts), and return -EREMOTE if the rest needs a process of its
// own: base/inquiry first tries a piece of work this way, and after -EREMOTE repeats it in a
// process.
//
// Walks (base/fs_open) go folder by folder with O_PATH | O_NOFOLLOW, and check before and after
// each step. The descriptor of a file that answers remains safe, while its path may lead elsewhere
// a moment later, so that the work itself uses the descriptor. The state belongs to the process.
#pragma once

#include "base/def.h"

bool local_only_set(bool is_on); // returns the former value
bool local_is_only(void);
// Was anything refused since it was last switched on?
bool local_was_refused(void);

// Called before name is opened in dir (an O_PATH descriptor): not even the root of a mount that may
// not answer is opened, since some file systems ask their server about it. 0, -EREMOTE, -ENOMEM.
int local_check_name(int dir, const char *name);
// Called after fd was opened with O_PATH, which asks only the file system of its folder. *mount:
// the id of that folder's mount (the folder must still be open), or 0; afterwards that of fd's
// mount. 0, -EREMOTE, -ENOMEM. All of these: 0 while local_only_set() is off.
int local_check(int fd, uint64_t *mount);
// Called when a path must be used (bind(2) takes no descriptor) and users other than root and our
// own can change the folder at fd, so that the path may lead elsewhere. 0, -EREMOTE.
int local_check_fixed(int fd);

// Called before a name service is asked, which may wait for a daemon. 0, -EREMOTE.
int local_check_service(void);

// Called at the n-th step of work on path: -EREMOTE if there are so many steps that the loop would
// be delayed. 0, -EREMOTE.
#define LOCAL_STEPS_MAX 500
int local_check_steps(size_t n, const char *path);

// The place of the last -EREMOTE, in words for a log line or a status ("/srv/data (nfs4)"), and the
// id of the mount, 0: none. Valid until the next one.
const char *local_refusal(uint64_t *ret_mount);
