// Opening paths of which others than the administrator may change a component: a service's user
// owns its RuntimeDirectory=, the folder of its socket or of its PID file. Whatever root does
// there goes by a descriptor that one of these functions gave, never by the path again.
//
// The path itself is the administrator's, so real folders and files are opened as they are. What
// somebody else may have put in the way is looked at:
//
// * A symbolic link is followed if its owner is trusted (base/owner.h). A link of somebody else is
//   followed only if its owner also owns what it leads to, and then the folders and links behind it
//   on the path have to be that owner's, too. (A file there may be root's, such as a log: its
//   folder's owner could just as well have moved it to another path.) Nothing is made at the end of
//   such a link, and no folder behind it.
// * ".." is followed out of a folder of somebody else only if the folder above has the same owner:
//   its owner can have moved it.
// * A file with several names, in a folder whose owner does not own it, may be a planted one
//   (owner_may_be_planted()). It is not opened, unless the kernel itself prevents this.
// * The links of /proc that are no texts (/proc/self/fd/1, so /dev/stdout) are followed like
//   others, but never behind a link of somebody who is not trusted.
//
// What is refused gives -EPERM, and *why (which may be NULL, and is left alone by other errors)
// says what was in the way. The rule for links is that of systemd's CHASE_SAFE, less strict in two
// points: an absolute link to its owner's own files is fine, and so is a folder of root in one of a
// user, which is what `StateDirectory=a a/b` makes.
#pragma once

#include "base/fail.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>

// open(2), close-on-exec, with these rules. O_TRUNC empties a regular file after it has been looked
// at. With O_NOFOLLOW the last component may not be a link (-ELOOP); with O_PATH, too, the link
// itself is opened. Descriptor or -errno.
//
// All functions here heed base/local.h: -EREMOTE where it would have to be waited.
int fs_open(const char *path, int flags, mode_t mode, struct fail *why);

// The same, of something that is there, with one more owner whose links are followed as root's are.
#define FS_NOBODY ((uid_t)-1)
#define FS_EVERYBODY ((uid_t)-2) // the rules do not count
int fs_open_trusting(const char *path, int flags, uid_t owner, struct fail *why);

// For a file whose content is believed if nobody but its owner can have arranged that it is
// reached: nothing is refused, but *ret_is_safe is false if one of the rules did not hold or if
// any step leads from what a stranger owns to what somebody else owns. Descriptor or -errno.
int fs_open_judged(const char *path, int flags, bool *ret_is_safe);

// A place in a folder: what unlinkat(2), renameat(2), mkdirat(2), ... take.
struct fs_entry {
        int dir; // O_PATH; -1: none
        char name[NAME_MAX + 1];
};

#define FS_ENTRY_NULL ((struct fs_entry){.dir = -1})

// The place of path's last component, which need not exist and is not followed. make_mode: of
// folders on the way that are missing (the umask does not count); 0: then it is -ENOENT. -EINVAL:
// path has no last component ("/", "a/..").
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
