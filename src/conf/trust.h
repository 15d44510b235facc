// Whose files root runs. The system supervisor does what unit files, drop-ins, links beside them,
// presets and usher.conf say with root's rights, so it refuses those that somebody else than root
// owns or may write (difference writable-units). What stands on a mount that is read-only here
// cannot be written, whatever its mode says (Kubernetes' ConfigMaps have 0777), and in a folder
// with the sticky bit nobody can replace what is not his: there only the owners count.
#pragma once

#include "base/fs_open.h"
#include "conf/diag.h"

enum trust_mode {
        TRUST_ALL,   // nothing is refused
        TRUST_ROOT,  // what is root's, or usher's own user's
        TRUST_GIVEN, // that, and what the owner of a folder has that the command line names
};

// refuse_writable: RefuseWritableUnits=, 1, 0 or -1 (what is usual). is_given: the command line
// names the folders.
enum trust_mode trust_mode_choose(int refuse_writable, bool is_user, bool compat_systemd,
                                  bool is_given);

// Why the open file or folder is not to be believed: 0: it is; -EPERM and *why, whose detail is the
// reason and what to do about it ("user 1000 owns it (chown root)"). owner: of the folder that the
// command line names, or FS_NOBODY.
int trust_check(int fd, uid_t owner, struct fail *why);
// Open what is there, and check it; TRUST_ALL: as open(2). Descriptor; -EPERM and *why: it is not
// to be trusted, or a link on the way to it is not (base/fs_open.h); -errno.
int trust_open(const char *path, int flags, enum trust_mode mode, uid_t owner, struct fail *why);
// The owner that counts besides root below a folder of the command line: that folder's. Else
// FS_NOBODY.
uid_t trust_owner_of(const char *folder, enum trust_mode mode);
// Says to diag what was refused, with what *why has of it, and how that can be allowed.
void trust_complain(const struct fail *why, const char *unit, const char *path, struct diag *diag);

// Can users other than the folder's owner have put links into it? Then each link's owner is
// checked; otherwise only a trusted user can have made it.
bool trust_is_shared(int dir);
bool trust_is_strange_link(int dir, const char *name, uid_t owner);
