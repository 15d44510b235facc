#include "base/fs.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/local.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#define TREE_DEPTH_MAX 128

// readlinkat() into a new string. 0 or -errno.
static int read_link(int dir, const char *name, char **ret)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
        char *copy;

        if (n < 0)
                return -errno;
        copy = strndup(target, (size_t)n);
        if (!copy)
                return -ENOMEM;
        *ret = copy;
        return 0;
}

int fs_read_file(const char *path, size_t limit, char **ret, size_t *ret_size)
{
        CLEANUP(fd) int fd = fs_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, NULL);

        return fd < 0 ? fd : fs_read_fd(fd, limit, ret, ret_size);
}

int fs_read_fd(int fd, size_t limit, char **ret, size_t *ret_size)
{
        struct stat st;

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
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int r = fs_entry_open(path, 0, &e, NULL);
        uint64_t random;

        if (r < 0)
                return r;
        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -errno;
        CLEANUP(free) char *temp = str_printf(".%016llx.tmp", (unsigned long long)random);

        if (!temp)
                return -ENOMEM;
        CLEANUP(fd)
        int fd = openat(e.dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

        if (fd < 0)
                return -errno;
        r = fd_write_all(fd, text, strlen(text));
        if (r == 0 && fchmod(fd, mode) < 0)
                r = -errno;
        if (r == 0 && renameat(e.dir, temp, e.dir, e.name) < 0)
                r = -errno;
        if (r < 0)
                (void)unlinkat(e.dir, temp, 0); // the error above is the one to report
        return r;
}

int fs_mkdir_parents(const char *path, mode_t mode)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;

        return fs_entry_open(path, mode, &e, NULL);
}

int fs_mkdir_p(const char *path, mode_t mode)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int r = fs_entry_open(path, mode, &e, NULL);
        mode_t old = umask(0);

        if (r == 0 && mkdirat(e.dir, e.name, mode) < 0)
                r = -errno;
        umask(old);
        if (r != -EEXIST && r != -EINVAL) // -EINVAL: no last component, as in "/"
                return r;
        CLEANUP(fd) int fd = fs_open(path, O_PATH | O_DIRECTORY, 0, NULL);

        return MIN(fd, 0);
}

int fs_symlink(const char *target, const char *path, mode_t make_mode, bool replaces,
               struct fail *why)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        CLEANUP(free) char *old = NULL;
        int r = fs_entry_open(path, make_mode, &e, why);

        if (r < 0)
                return r;
        if (symlinkat(target, e.dir, e.name) == 0)
                return 0;
        if (errno != EEXIST)
                return -errno;
        r = read_link(e.dir, e.name, &old);
        if (r == -ENOMEM || (old && streq(old, target)))
                return old ? 0 : r;
        if (!replaces || !old)
                return -EEXIST;
        return unlinkat(e.dir, e.name, 0) < 0 || symlinkat(target, e.dir, e.name) < 0 ? -errno : 0;
}

int fs_unlink(const char *path, struct fail *why)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        int r = fs_entry_open(path, 0, &e, why);

        if (r < 0)
                return r;
        return unlinkat(e.dir, e.name, 0) < 0 ? -errno : 0;
}

int fs_unlink_symlink(const char *path, const char *target)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        CLEANUP(free) char *old = NULL;
        int r = fs_entry_open(path, 0, &e, NULL);

        if (r == 0)
                r = read_link(e.dir, e.name, &old);
        if (r < 0)
                return r == -EINVAL || r == -ENOENT ? 0 : r;
        return streq(old, target) && unlinkat(e.dir, e.name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

// Opens a folder inside this folder, but no mount point, whose file system may hang. (Before Linux
// 5.6 base/local detects it.) Descriptor or -errno.
static int open_dir_here(int dir, const char *name)
{
        int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        const struct open_how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_NO_XDEV};
        int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
        struct fs_entry e = {.dir = dir};

        if (fd >= 0 || errno == EXDEV || strlen(name) > NAME_MAX)
                return fd < 0 ? -errno : fd;
        strcpy(e.name, name);
        return fs_entry_open_file(&e, flags);
}

struct removal {
        const char *path;
        dev_t dev;
        size_t n; // entries so far
        unsigned depth;
};

static int empty_dir(struct removal *t, int fd);

static int remove_entry(struct removal *t, int dir, const char *name)
{
        int error, fd, r = local_check_steps(++t->n, t->path);
        struct stat st;

        if (r < 0 || unlinkat(dir, name, 0) == 0 || errno == ENOENT)
                return r;
        error = errno;
        if (error != EISDIR && error != EPERM)
                return -error;
        fd = open_dir_here(dir, name);
        if (fd < 0)
                return fd == -ENOTDIR ? -error : fd;
        r = fstat(fd, &st) < 0           ? -errno
            : st.st_dev != t->dev        ? -EXDEV
            : t->depth >= TREE_DEPTH_MAX ? -ELOOP
                                         : 0;
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        t->depth++;
        r = empty_dir(t, fd);
        t->depth--;
        if (r == 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
                r = -errno;
        return r;
}

// Empties the folder open at fd and closes it; descends by openat, so that nobody can redirect it
// by replacing a folder.
static int empty_dir(struct removal *t, int fd)
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
                        r = remove_entry(t, dirfd(dir), entry->d_name);
        if (r == 0)
                r = -errno;
        closedir(dir);
        return r;
}

int fs_remove_tree(const char *path)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        struct removal t = {.path = path};
        struct stat st;
        int fd, r = fs_entry_open(path, 0, &e, NULL);

        if (r < 0)
                return r;
        fd = fs_entry_open_file(&e, O_RDONLY | O_DIRECTORY);
        if (fd < 0) {
                if (fd != -ENOTDIR && fd != -ELOOP)
                        return fd;
                return unlinkat(e.dir, e.name, 0) < 0 ? -errno : 0;
        }
        if (fstat(fd, &st) < 0) {
                fd_close(fd);
                return -errno;
        }
        t.dev = st.st_dev;
        r = empty_dir(&t, fd);
        return r == 0 && unlinkat(e.dir, e.name, AT_REMOVEDIR) < 0 ? -errno : r;
}

bool fs_path_is_absolute(const char *path)
{
        return path[0] == '/';
}

bool fs_path_has_dotdot(const char *path)
{
        for (const char *p = path; *p; p += strcspn(p, "/")) {
                p += strspn(p, "/");
                if (strncmp(p, "..", 2) == 0 && (p[2] == '/' || p[2] == '\0'))
                        return true;
        }
        return false;
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
        return read_link(AT_FDCWD, path, ret);
}
