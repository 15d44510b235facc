// Files and folders. Functions that change something, or read a file, open its path by the rules of
// base/fs_open.h, so that -EPERM also stands for a link that is not followed.
#pragma once

#include "base/fs_open.h"

#include <sys/stat.h>

// Read a regular file whole. -EFBIG over limit, -EISDIR, -EBADFD for FIFOs and devices, else the
// kernel's error. *ret NUL-terminated; ret_size may be NULL.
int fs_read_file(const char *path, size_t limit, char **ret, size_t *ret_size);
int fs_read_fd(int fd, size_t limit, char **ret, size_t *ret_size); // the same, of an open file
// Write text to a file by a temporary name and rename. 0 or -errno.
int fs_write_file_atomic(const char *path, const char *text, mode_t mode);
// Create the missing parents of path (not path itself), each with mode (the umask does not count).
// 0 or -errno. For tests.
int fs_mkdir_parents(const char *path, mode_t mode);
// Create path and its missing parents. 0 or -errno (-ENOTDIR: something else is in the way).
int fs_mkdir_p(const char *path, mode_t mode);
// Makes a symbolic link. An existing one with this target stays, one with another target is
// replaced if replaces is set (else -EEXIST, as for any other file). Missing parents are made with
// make_mode; if that is 0 they give -ENOENT. 0 or -errno.
int fs_symlink(const char *target, const char *path, mode_t make_mode, bool replaces,
               struct fail *why);
int fs_unlink(const char *path, struct fail *why); // 0 or -errno
// Removes a symbolic link with this target. 0 (also if there is another link, or none) or -errno.
int fs_unlink_symlink(const char *path, const char *target);
// Remove a folder with all that is in it (or a single file): no symlink followed, stays on one file
// system (-EXDEV), at most 128 levels deep (-ELOOP).
int fs_remove_tree(const char *path);
// Absolute, no empty, "." or ".." components, no trailing slash beyond "/".
bool fs_path_is_normalized(const char *path);
bool fs_path_has_dotdot(const char *path); // ".." as a component
bool fs_path_is_absolute(const char *path);
// New string with duplicate slashes and "." components dropped, no trailing slash; NULL: no memory.
char *fs_path_simplify(const char *path);
// dir + "/" + name, new string; NULL: no memory.
char *fs_path_join(const char *dir, const char *name);
// A relative path is taken from the current folder; the result is simplified; new string. 0 or
// -errno.
int fs_path_make_absolute(const char *path, char **ret);
const char *fs_path_basename(const char *path);
// readlink into a new string. 0 or -errno.
int fs_readlink(const char *path, char **ret);
