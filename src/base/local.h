// Work that must not wait for a file system. The supervisor is one loop, and a look-up where nobody
// answers (a server that is down, a FUSE process that sleeps) stops all of it: no signal ends such
// a wait. While local_only_set() is on, who follows a path goes only as far as the kernel or a
// local disk answers (base/mounts), and -EREMOTE says that the rest has to be done in a process of
// its own: base/inquiry tries a piece of work like that first, and does the same again in a process
// when it gave -EREMOTE.
//
// For walks (base/fs_open): folder by folder with O_PATH | O_NOFOLLOW, asking before and after.
// The descriptor of a file that answers stays one; its path may lead elsewhere a moment later, so
// the work itself goes by descriptor. State of the process.
#pragma once

#include "base/def.h"

bool local_only_set(bool is_on); // returns how it was
bool local_is_only(void);
// Was anything refused since it was switched on last?
bool local_was_refused(void);

// Before name is opened in dir (O_PATH is enough): not even a root of a mount that may not answer
// is touched, since some file systems look at it again when it is come to. 0, -EREMOTE, -ENOMEM.
int local_check_name(int dir, const char *name);
// After fd was opened with O_PATH, which asks no file system but that of its folder. *mount: the id
// of that folder's mount (the folder being open still), or 0; then that of fd. 0, -EREMOTE,
// -ENOMEM. All of these: 0 while local_only_set() is off.
int local_check(int fd, uint64_t *mount);
// What is to be opened by its path (bind(2) takes no descriptor) would be safe only where nobody
// but root and ourselves can change the way: the folder at fd is one where somebody else can.
// 0, -EREMOTE.
int local_check_fixed(int fd);

// Before a name service is asked, which may wait for a daemon of its own. 0, -EREMOTE.
int local_check_service(void);

// The n-th step of a piece of work on path: -EREMOTE where it takes so many that others would
// notice that they wait. 0, -EREMOTE.
#define LOCAL_STEPS_MAX 500
int local_check_steps(size_t n, const char *path);

// The last -EREMOTE: where, in words for a log line or a status ("/srv/data (nfs4)"), and the id of
// the mount, 0: none. Valid until the next one.
const char *local_refusal(uint64_t *ret_mount);
