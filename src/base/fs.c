#include "base/fs.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#define TREE_DEPTH_MAX 128

int fs_read_file(const char *path, size_t limit, char **ret, size_t *ret_size)
{
        CLEANUP(fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        struct stat st;

        if (fd < 0)
                return -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) // /dev/null
                return fd_read_all(fd, limit, ret, ret_size);
        if (!S_ISREG(st.st_mode))
                return -EBADFD; // a FIFO or device could block, or never end
        return fd_read_all(fd, limit, ret, ret_size);
}

int fs_write_file_atomic(const char *path, const char *text, mode_t mode)
{
        CLEANUP(free) char *temp = str_printf("%s.XXXXXX", path);

        if (!temp)
                return -ENOMEM;
        CLEANUP(fd) int fd = mkostemp(temp, O_CLOEXEC);

        if (fd < 0)
                return -errno;
        int r = fd_write_all(fd, text, strlen(text));

        if (r == 0 && fchmod(fd, mode) < 0)
                r = -errno;
        if (r == 0 && rename(temp, path) < 0)
                r = -errno;
        if (r < 0)
                (void)unlink(temp); // the error that counts is the one above
        return r;
}

static int make_dir(const char *path, mode_t mode)
{
        mode_t old = umask(0);
        int r = mkdir(path, mode) < 0 ? -errno : 0;
        struct stat st;

        umask(old);
        if (r == -EEXIST && stat(path, &st) == 0)
                r = S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
        return r;
}

static int mkdir_up_to(const char *path, mode_t mode, bool whole)
{
        char part[PATH_MAX];
        size_t n = strlen(path);

        if (n >= sizeof(part))
                return -ENAMETOOLONG;
        for (size_t i = 1; i <= n; i++) {
                if (path[i] != '/' && path[i] != '\0')
                        continue;
                if ((path[i] == '\0' && !whole) || path[i - 1] == '/')
                        continue;
                memcpy(part, path, i);
                part[i] = '\0';
                int r = make_dir(part, mode);

                if (r < 0)
                        return r;
        }
        return 0;
}

int fs_mkdir_parents(const char *path, mode_t mode)
{
        return mkdir_up_to(path, mode, false);
}

int fs_mkdir_p(const char *path, mode_t mode)
{
        return mkdir_up_to(path, mode, true);
}

static int empty_dir(int fd, dev_t dev, unsigned depth);

static int remove_entry(int dir, const char *name, dev_t dev, unsigned depth)
{
        struct stat st;

        if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
                return 0;
        int error = errno, fd;

        if (error != EISDIR && error != EPERM)
                return -error;
        fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOTDIR ? -error : -errno;
        int r = fstat(fd, &st) < 0        ? -errno
                : st.st_dev != dev        ? -EXDEV
                : depth >= TREE_DEPTH_MAX ? -ELOOP
                                          : 0;

        if (r < 0) {
                fd_close(fd);
                return r;
        }
        r = empty_dir(fd, dev, depth + 1);
        if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
                r = -errno;
        return r;
}

// Empties the folder open at fd and closes it; goes down by openat, so that nothing can be swapped
// in on the way.
static int empty_dir(int fd, dev_t dev, unsigned depth)
{
        DIR *dir = fdopendir(fd);
        struct dirent *entry;
        int r = 0;

        if (!dir) {
                r = -errno;
                fd_close(fd);
                return r;
        }
        while (r == 0 && (errno = 0, entry = readdir(dir)))
                if (!streq(entry->d_name, ".") && !streq(entry->d_name, ".."))
                        r = remove_entry(dirfd(dir), entry->d_name, dev, depth);
        if (r == 0)
                r = -errno;
        closedir(dir);
        return r;
}

int fs_remove_tree(const char *path)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0) {
                if (errno != ENOTDIR && errno != ELOOP)
                        return -errno;
                return unlink(path) < 0 ? -errno : 0;
        }
        if (fstat(fd, &st) < 0) {
                fd_close(fd);
                return -errno;
        }
        int r = empty_dir(fd, st.st_dev, 0);

        if (r == 0 && rmdir(path) < 0)
                r = -errno;
        return r;
}

bool fs_path_is_absolute(const char *path)
{
        return path[0] == '/';
}

bool fs_path_is_normalized(const char *path)
{
        if (path[0] != '/')
                return false;
        for (const char *p = path; *p;) {
                size_t n = strcspn(p + 1, "/");

                if (n == 0)
                        return streq(path, "/");
                if ((n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
                        return false;
                p += n + 1;
        }
        return true;
}

char *fs_path_simplify(const char *path)
{
        char *text = malloc(strlen(path) + 2), *out = text;
        const char *p = path;

        if (!text)
                return NULL;
        if (*p == '/')
                *out++ = '/';
        while (*(p += strspn(p, "/"))) {
                size_t n = strcspn(p, "/");

                if (!(n == 1 && *p == '.')) {
                        if (out > text && out[-1] != '/')
                                *out++ = '/';
                        memcpy(out, p, n);
                        out += n;
                }
                p += n;
        }
        if (out == text && *path)
                *out++ = '.';
        *out = '\0';
        return text;
}

char *fs_path_join(const char *dir, const char *name)
{
        size_t n = strlen(dir);

        return str_printf("%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

int fs_path_make_absolute(const char *path, char **ret)
{
        CLEANUP(free) char *cwd = NULL, *full = NULL;

        if (path[0] != '/') {
                cwd = getcwd(NULL, 0);
                if (!cwd)
                        return -errno;
                full = fs_path_join(cwd, path);
                if (!full)
                        return -ENOMEM;
        }
        *ret = fs_path_simplify(full ? full : path);
        return *ret ? 0 : -ENOMEM;
}

const char *fs_path_basename(const char *path)
{
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

int fs_readlink(const char *path, char **ret)
{
        char target[PATH_MAX];
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        char *copy;

        if (n < 0)
                return -errno;
        copy = strndup(target, (size_t)n);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}
