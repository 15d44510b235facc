// Which files are trusted. The system supervisor acts on unit files, drop-ins, links beside them,
// presets and usher.conf with root's privileges, so that it refuses those that a user or group
// other than root owns or may write (difference writable-units). A file on a mount that is
// read-only here cannot be written, whatever its mode (Kubernetes' ConfigMaps have 0777), and in a
// folder with the sticky bit users can replace only their own files: there only the owners count.
#pragma once

#include "base/fs_open.h"
#include "conf/diag.h"

enum trust_mode {
        TRUST_ALL,   // nothing is refused
        TRUST_ROOT,  // files of root or usher's own user are accepted
        TRUST_GIVEN, // also those of the owner of a folder that the command line names
};

// refuse_writable: RefuseWritableUnits=, 1, 0 or -1 (the default). is_given: the command line names
// the folders.
enum trust_mode trust_mode_choose(int refuse_writable, bool is_user, bool compat_systemd,
                                  bool is_given);

// Is the open file or folder, whose status is *st, trusted? 0: it is; -EPERM and *why, whose detail
// is the reason and the remedy ("user 1000 owns it (chown root)"). owner: the owner of the folder
// that the command line names, or FS_NOBODY.
int trust_check(int fd, const struct stat *st, uid_t owner, struct fail *why);
// Opens and checks an existing file; TRUST_ALL: as open(2). *ret, unless ret is NULL, becomes its
// status. Descriptor; -EPERM and *why: it is not trusted, or a link in its path is not
// (base/fs_open.h); -errno.
int trust_open(const char *path, int flags, enum trust_mode mode, uid_t owner, struct stat *ret,
               struct fail *why);
// The owner that is trusted besides root below a folder of the command line, which is that
// folder's. Otherwise FS_NOBODY.
uid_t trust_owner_of(const char *folder, enum trust_mode mode);
// Reports a refusal to diag, with the reason from *why and the setting that allows it.
void trust_complain(const struct fail *why, const char *unit, const char *path, struct diag *diag);

// Can users other than the folder's owner have put links into it? If so, each link's owner is
// checked; otherwise only a trusted user can have made the link.
bool trust_is_shared(int dir);
bool trust_is_strange_link(int dir, const char *name, uid_t owner);
