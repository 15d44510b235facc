// The mounts of this process's namespace, as /proc/self/mountinfo has them, and one question about
// each: does its file system answer by itself? Local disks and what the kernel makes up do. A
// network's server may be down, and a FUSE server is another process, perhaps another user's: a
// look-up, an open or an unlink there may wait for ever, and no signal ends the wait.
//
// Nothing here touches a mounted file system. The table is read again when the kernel says that it
// has changed: one poll() a question. State of the process, used by base/local.
#pragma once

#include "base/def.h"

#define MOUNT_TYPE_MAX 32

// A mount that may not answer.
struct mount_remote {
        uint64_t id;               // 0: none
        char type[MOUNT_TYPE_MAX]; // "nfs4", "fuse.sshfs"
};

// Does the mount with this id (STATX_MNT_ID) answer by itself? The caller holds a descriptor on it,
// so that the id cannot have become another mount's. 1; 0 and *ret (id 0, and no type, where the
// table does not have it, or cannot be read); -ENOMEM. What the root folder is on answers where the
// table does not have it, as in a plain chroot.
int mounts_answers(uint64_t id, struct mount_remote *ret);
// As far as the table was known at the last mounts_answers(): is there any mount that may not
// answer; is one of them on exactly this path (absolute, without links, "." and "..")? *ret: which.
bool mounts_has_remote(void);
bool mounts_is_remote_point(const char *path, struct mount_remote *ret);
// The text of another table than the kernel's (tests); NULL: the kernel's again. 0 or -ENOMEM.
int mounts_set_table(const char *text);
// Forget the table and close its descriptor.
void mounts_done(void);
