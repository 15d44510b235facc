// Opening paths in which users other than the administrator may change a component: a service's
// user owns its RuntimeDirectory=, or the folder of its socket or PID file. Root works there only
// with descriptors from these functions, and never uses the path again.
//
// The path itself is the administrator's, so that real folders and files are simply opened. The
// rules are for what another user may have put into the path:
//
// * A symbolic link is followed if its owner is trusted (base/owner.h). A link of another user is
//   followed only if that user also owns its target, and all folders and links after it in the
//   path. (A file there may be root's, such as a log: the owner of its folder could have moved it
//   to another path anyway.) No file is made at the end of such a link, and no folder after it.
// * ".." leaves a folder of another user only if the folder above has the same owner, since that
//   user may have moved the folder.
// * A file with several names, in a folder whose owner does not own it, may have been planted
//   (owner_may_be_planted()). It is not opened, unless the kernel itself prevents this.
// * The magic links of /proc (/proc/self/fd/1, and thus /dev/stdout) are followed like others, but
//   never after a link of an untrusted user.
//
// A refusal is -EPERM, with the reason in *why (which may be NULL; other errors do not change it).
// The rule for links is that of systemd's CHASE_SAFE, less strict in two points: an absolute link
// to its owner's own files is allowed, and so is root's folder inside a user's, which is what
// `StateDirectory=a a/b` makes.
#pragma once

#include "base/fail.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

// open(2), close-on-exec, with these rules. O_TRUNC empties a regular file after it has been
// checked. With O_NOFOLLOW the last component may not be a link (-ELOOP); with O_PATH, too, the
// link itself is opened. Descriptor or -errno.
//
// All functions here obey base/local.h: -EREMOTE if they would have to wait.
int fs_open(const char *path, int flags, mode_t mode, struct fail *why);

// The same for an existing file, with one more user whose links are followed as root's are. *ret,
// unless ret is NULL, becomes the status of what was opened.
#define FS_NOBODY ((uid_t)-1)
#define FS_EVERYBODY ((uid_t)-2) // the rules do not count
int fs_open_trusting(const char *path, int flags, uid_t owner, struct stat *ret, struct fail *why);

// For a file whose content is trusted only if nobody but its owner can have led the path to it:
// nothing is refused, but *ret_is_safe is false if one of the rules did not hold, or if any step
// leads from a stranger's folder or link to a file of another owner. Descriptor or -errno.
int fs_open_judged(const char *path, int flags, bool *ret_is_safe);

// A name in a folder: the arguments of unlinkat(2), renameat(2), mkdirat(2), ...
struct fs_entry {
        int dir; // O_PATH; -1: none
        char name[NAME_MAX + 1];
};

#define FS_ENTRY_NULL ((struct fs_entry){.dir = -1})

// The folder and name of path's last component, which need not exist and is not followed. Missing
// folders are made with make_mode (the umask does not count); if that is 0 they give -ENOENT.
// -EINVAL: path has no last component ("/", "a/..").
int fs_entry_open(const char *path, mode_t make_mode, struct fs_entry *ret, struct fail *why);
// Like stat(2) of the last component; a link is not followed. 0 or -errno.
int fs_entry_stat(const struct fs_entry *e, struct stat *ret);
// Opens the file of that name; a link is not followed (-ELOOP). Descriptor or -errno.
int fs_entry_open_file(const struct fs_entry *e, int flags);
void fs_entry_close(struct fs_entry *e);
static inline void cleanup_fs_entry(struct fs_entry *e)
{
        fs_entry_close(e);
}
