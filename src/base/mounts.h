// The mounts of this process's namespace, from /proc/self/mountinfo, and one question about
// each: does its file system always answer? Local disks and the kernel's own file systems do. A
// network server may be down, and a FUSE server is a process, perhaps another user's: a look-up, an
// open or an unlink there may wait for ever, and no signal ends the wait.
//
// Nothing here touches a mounted file system. The table is read again when the kernel reports a
// change: one poll() for each question. The state belongs to the process; base/local uses it.
#pragma once

#include "base/def.h"

#define MOUNT_TYPE_MAX 32

// A mount that may not answer.
struct mount_remote {
        uint64_t id;               // 0: none
        char type[MOUNT_TYPE_MAX]; // "nfs4", "fuse.sshfs"
};

// Does the mount with this id (STATX_MNT_ID) always answer? The caller holds a descriptor on it, so
// that the id cannot be reused. 1; 0 and *ret (with id 0 and no type if the table lacks the mount,
// or cannot be read); -ENOMEM. If the table lacks the root folder's mount, as in a plain chroot,
// that mount answers.
int mounts_answers(uint64_t id, struct mount_remote *ret);
// By the table as of the last mounts_answers(): is there any mount that may not answer; is one of
// them on exactly this path (absolute, without links, "." and "..")? *ret: that mount.
bool mounts_has_remote(void);
bool mounts_is_remote_point(const char *path, struct mount_remote *ret);
// For tests: use this text instead of the kernel's table; NULL: the kernel's again. 0 or -ENOMEM.
int mounts_set_table(const char *text);
// Forget the table and close its descriptor.
void mounts_done(void);
