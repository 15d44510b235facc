#include "base/fs_node.h"

#include "base/fd.h"
#include "base/local.h"
#include "base/str.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

// <linux/un.h> conflicts with <sys/un.h>.
#define SIOCUNIXFILE 0x89e0
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 // Linux 6.6; the same on all architectures
#endif

#define PROC_FD_MAX 32

static const char *proc_fd(int fd, char text[PROC_FD_MAX])
{
        (void)snprintf(text, PROC_FD_MAX, "/proc/self/fd/%d", fd);
        return text;
}

static int make_address(const char *path, struct sockaddr_un *ret)
{
        *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (strlen(path) >= sizeof(ret->sun_path))
                return -ENAMETOOLONG;
        strcpy(ret->sun_path, path);
        return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
        return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

// ---- bind

// Removes a node that was made in the wrong folder, by the path that the kernel has for it.
static void remove_stray(int node, const struct stat *st)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        char link[PROC_FD_MAX], path[PATH_MAX];
        ssize_t n = readlink(proc_fd(node, link), path, sizeof(path) - 1);
        struct stat now;

        if (n <= 0)
                return;
        path[n] = '\0';
        if (fs_entry_open(path, 0, &e, NULL) == 0 &&
            fstatat(e.dir, e.name, &now, AT_SYMLINK_NOFOLLOW) == 0 && is_same(&now, st))
                (void)unlinkat(e.dir, e.name, 0);
}

// Is the entry the node that was bound?
static int check_bound(int fd, const struct fs_entry *e)
{
        CLEANUP(fd) int node = ioctl(fd, SIOCUNIXFILE);
        struct stat here = {0}, st;
        bool is_there = fstatat(e->dir, e->name, &here, AT_SYMLINK_NOFOLLOW) == 0 &&
                        S_ISSOCK(here.st_mode) && here.st_nlink == 1;

        if (node < 0 || fstat(node, &st) < 0) // not without CAP_NET_ADMIN
                return is_there ? 0 : -EPERM;
        if (is_there && is_same(&here, &st))
                return 0;
        remove_stray(node, &st);
        return -EPERM;
}

// Is path the folder's own path, with no link in it, and the entry's name?
static bool is_as_written(const struct fs_entry *e, const char *path)
{
        char link[PROC_FD_MAX], here[PATH_MAX];
        ssize_t n = readlink(proc_fd(e->dir, link), here, sizeof(here));

        if (n <= 0 || (size_t)n == sizeof(here))
                return false;
        n -= n == 1; // "/"
        return strncmp(path, here, (size_t)n) == 0 && path[n] == '/' &&
               streq(path + n + 1, e->name);
}

// For callers that must not wait (base/local): bind(2) follows the path once more, so that it must
// be one that nobody else can change meanwhile. A path with links in it counts as one that others
// can.
static int check_fixed(const struct fs_entry *e, const char *path)
{
        CLEANUP(fd) int dir = -1;
        struct stat st, above;

        if (!local_is_only())
                return 0;
        if (!is_as_written(e, path))
                return local_check_steps(SIZE_MAX, path);
        dir = fcntl(e->dir, F_DUPFD_CLOEXEC, 3);
        for (;;) {
                int r = dir < 0 ? -errno : local_check_fixed(dir);
                int up = r < 0 ? r : openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

                if (up < 0 || fstat(dir, &st) < 0 || fstat(up, &above) < 0) {
                        r = r < 0 ? r : -errno;
                        fd_close(up);
                        return r;
                }
                fd_close(dir);
                dir = up;
                if (is_same(&st, &above)) // the root
                        return 0;
        }
}

int fs_bind(int fd, const char *path, mode_t mode, mode_t make_mode, struct fail *why)
{
        CLEANUP(fs_entry) struct fs_entry e = FS_ENTRY_NULL;
        struct sockaddr_un address;
        int r = make_address(path, &address);

        if (r == 0)
                r = fs_entry_open(path, make_mode, &e, why);
        if (r == 0)
                r = check_fixed(&e, path);
        if (r < 0)
                return r;
        // The umask sets the mode, so that the node never has another one.
        mode_t old = umask(~mode & 0777);

        r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(old);
        if (r < 0)
                return r;
        r = check_bound(fd, &e);
        if (r < 0)
                return fail_set(why, r, "bind", "%s: its folder was replaced meanwhile", path);
        // So that programs that watch the folder notice the new node.
        (void)utimensat(e.dir, e.name, NULL, AT_SYMLINK_NOFOLLOW);
        return 0;
}

// ---- connect

int fs_connect(int fd, const char *path, struct fail *why)
{
        CLEANUP(fd) int node = fs_open(path, O_PATH, 0, why);
        char link[PROC_FD_MAX];
        struct sockaddr_un address;
        struct stat st;

        if (node < 0)
                return node;
        if (fstat(node, &st) < 0)
                return -errno;
        if (!S_ISSOCK(st.st_mode))
                return -ENXIO;
        // Without /proc a descriptor has no path.
        int r = make_address(access(proc_fd(node, link), F_OK) == 0 ? link : path, &address);

        if (r < 0)
                return r;
        return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

// ---- the node

int fs_node_open(int fd, const char *path, struct fail *why)
{
        int own = ioctl(fd, SIOCUNIXFILE);
        uint64_t mount = 0;

        if (own >= 0) {
                int r = local_check(own, &mount);

                if (r < 0)
                        fd_close(own);
                return r < 0 ? r : own;
        }
        CLEANUP(fd) int node = fs_open(path, O_PATH | O_NOFOLLOW, 0, why);
        struct stat st;

        if (node < 0)
                return node;
        if (fstat(node, &st) < 0)
                return -errno;
        if (!S_ISSOCK(st.st_mode))
                return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTSOCK;
        return st.st_nlink > 1 ? -EMLINK : TAKE_FD(node);
}

bool fs_node_is_at(int fd, const char *path)
{
        CLEANUP(fd) int node = ioctl(fd, SIOCUNIXFILE);
        char link[PROC_FD_MAX], here[PATH_MAX];
        ssize_t n = node < 0 ? -1 : readlink(proc_fd(node, link), here, sizeof(here));

        return n > 0 && (size_t)n < sizeof(here) && (size_t)n == strlen(path) &&
               memcmp(here, path, (size_t)n) == 0;
}

int fs_node_set_owner(int node, uid_t uid, gid_t gid)
{
        return fchownat(node, "", uid, gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

int fs_node_set_mode(int node, mode_t mode)
{
        char link[PROC_FD_MAX];

        if (syscall(SYS_fchmodat2, node, "", mode, AT_EMPTY_PATH) == 0)
                return 0;
        return chmod(proc_fd(node, link), mode) < 0 ? -errno : 0;
}
