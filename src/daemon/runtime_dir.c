#include "daemon/runtime_dir.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/unit_path.h"
#include "daemon/options.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

// The lock is opened at most this often, since another usherd may replace it in between.
#define LOCK_TRIES 10

static int choose(const char *given, char **ret)
{
        const char *xdg = getenv("XDG_RUNTIME_DIR");

        if (given)
                return fs_path_make_absolute(given, ret);
        if (geteuid() == 0) {
                *ret = strdup("/run/usher");
        } else if (xdg && xdg[0] == '/') {
                *ret = fs_path_join(xdg, "usher");
        } else {
                log_write(LOG_ERR, "XDG_RUNTIME_DIR is not set: give a folder with --runtime-dir");
                return COMPLAINED;
        }
        return *ret ? 0 : -ENOMEM;
}

static int choose_private(char **ret)
{
        CLEANUP(free)
        char *path = str_printf("%s/" UNIT_PATH_RUN_PREFIX "XXXXXX", unit_path_run_parent());

        if (!path)
                return -ENOMEM;
        // Services of other users must be able to reach the notify socket in it.
        if (!mkdtemp(path) || (geteuid() == 0 && chmod(path, 0755) < 0)) {
                log_write(LOG_ERR, "%s: %s", path, strerror(errno));
                return COMPLAINED;
        }
        *ret = TAKE(path);
        return 0;
}

// ---- ownership

// A user who can change its contents could control usherd.
static int check_ours(const char *path, const struct stat *st)
{
        if (st->st_uid != 0 && st->st_uid != geteuid())
                log_write(LOG_ERR,
                          "%s belongs to user %u, who could control usherd through it. Remove it, "
                          "or choose another folder with --runtime-dir.",
                          path, st->st_uid);
        else if (st->st_mode & (S_IWGRP | S_IWOTH))
                log_write(LOG_ERR,
                          "Users other than its owner can write to %s. Run \"chmod go-w %s\", or "
                          "choose another folder with --runtime-dir.",
                          path, path);
        else
                return 0;
        return COMPLAINED;
}

// Opens the folder, which must not be a link. Descriptor, -ENOENT, or COMPLAINED.
static int open_folder(const char *path)
{
        CLEANUP(fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 && errno == ENOENT)
                return -ENOENT;
        if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
                log_write(LOG_ERR,
                          "%s is a symbolic link, or not a folder. Remove it, or choose another "
                          "folder with --runtime-dir.",
                          path);
                return COMPLAINED;
        }
        if (fd < 0 || fstat(fd, &st) < 0) {
                log_write(LOG_ERR, "%s: %s", path, strerror(errno));
                return COMPLAINED;
        }
        int r = check_ours(path, &st);

        return r < 0 ? r : TAKE_FD(fd);
}

// Checks subfolders that may remain from an earlier supervisor.
static int check_subfolders(const char *path)
{
        static const char *const names[] = {"systemd", "units", UNIT_PATH_CONTROL};

        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                CLEANUP(free) char *sub = fs_path_join(path, names[i]);
                CLEANUP(fd) int fd = sub ? open_folder(sub) : -ENOMEM;

                if (fd < 0 && fd != -ENOENT)
                        return fd;
        }
        return 0;
}

// ---- the lock

static int complain_locked(int fd, const char *path)
{
        char holder[32] = "";
        ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);

        if (n > 0)
                holder[strcspn(holder, "\n")] = '\0';
        log_write(LOG_ERR,
                  "Another usherd%s%s%s already uses %s. Choose another folder for this one with "
                  "--runtime-dir.",
                  n > 0 ? " (pid " : "", holder, n > 0 ? ")" : "", path);
        return COMPLAINED;
}

// Opens a file of ours. *ret_is_loose: others may open it, and thus lock it.
static int open_lock(int dir, const char *name, bool *ret_is_loose)
{
        CLEANUP(fd)
        int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || (st.st_uid != 0 && st.st_uid != geteuid()))
                return -EPERM;
        *ret_is_loose = st.st_mode & (S_IRWXG | S_IRWXO);
        return TAKE_FD(fd);
}

// Does the file name a living process of ours? Other users cannot write it.
static bool is_held_by_us(int fd)
{
        char text[32] = "", path[64];
        struct stat st;
        pid_t pid;

        if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
                return false;
        text[strcspn(text, "\n")] = '\0';
        if (parse_pid(text, &pid) < 0)
                return false;
        snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        return kill(pid, 0) == 0 && (stat(path, &st) < 0 || st.st_uid == geteuid());
}

// A lock that others could open, as earlier versions made it, is not trusted: they may hold it, or
// wait for it. It is replaced, unless an usherd of such a version holds it. A second lock, which
// others could never open, ensures that only one usherd at a time does this.
static int replace_lock(int dir, const char *path)
{
        bool is_loose = false;
        CLEANUP(fd) int guard = open_lock(dir, "lock.new", &is_loose);

        if (guard < 0)
                return guard;
        if (is_loose)
                return -EPERM;
        if (flock(guard, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? complain_locked(guard, path) : -errno;
        CLEANUP(fd) int old = open_lock(dir, "lock", &is_loose);

        if (old < 0)
                return old;
        if (is_loose && flock(old, LOCK_EX | LOCK_NB) < 0 && is_held_by_us(old))
                return complain_locked(old, path);
        if (is_loose && unlinkat(dir, "lock", 0) < 0)
                return -errno;
        return unlinkat(dir, "lock.new", 0) < 0 ? -errno : 0;
}

static bool is_current(int dir, int fd)
{
        struct stat own, there;

        return fstat(fd, &own) == 0 && fstatat(dir, "lock", &there, AT_SYMLINK_NOFOLLOW) == 0 &&
               own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

// Descriptor, COMPLAINED or -errno.
static int try_lock(int dir, const char *path)
{
        for (int i = 0; i < LOCK_TRIES; i++) {
                bool is_loose = false;
                CLEANUP(fd) int fd = open_lock(dir, "lock", &is_loose);
                int r = fd < 0 ? fd : is_loose ? replace_lock(dir, path) : 0;

                if (r < 0)
                        return r;
                if (is_loose)
                        continue;
                if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                        return errno == EWOULDBLOCK ? complain_locked(fd, path) : -errno;
                if (is_current(dir, fd))
                        return TAKE_FD(fd);
        }
        return -EAGAIN;
}

static int lock(int dir, const char *path)
{
        CLEANUP(fd) int fd = try_lock(dir, path);
        char pid[32];

        if (fd < 0) {
                if (fd != COMPLAINED)
                        log_write(LOG_ERR, "%s/lock: %s", path, strerror(-fd));
                return COMPLAINED;
        }
        fd = fd_move_up(TAKE_FD(fd));
        snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
        if (fd >= 0 && (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0))
                return -errno;
        return TAKE_FD(fd);
}

int runtime_dir_open(const char *given, bool is_private, struct runtime_dir *ret)
{
        int r = is_private && !given ? choose_private(&ret->path) : choose(given, &ret->path);

        ret->lock_fd = -1;
        if (r < 0)
                return r;
        ret->is_private = is_private && !given;
        r = fs_mkdir_p(ret->path, 0755);
        if (r < 0) {
                log_write(LOG_ERR, "%s: %s", ret->path, strerror(-r));
                return COMPLAINED;
        }
        CLEANUP(fd) int dir = open_folder(ret->path);

        r = dir < 0 ? dir : check_subfolders(ret->path);
        if (r < 0)
                return r == -ENOENT ? COMPLAINED : r;
        ret->lock_fd = lock(dir, ret->path);
        return ret->lock_fd < 0 ? ret->lock_fd : 0;
}

void runtime_dir_close(struct runtime_dir *d)
{
        int r = d->path && d->is_private ? fs_remove_tree(d->path) : 0;

        if (r < 0)
                log_write(LOG_WARNING, "%s: %s", d->path, strerror(-r));
        free(d->path);
        d->path = NULL;
        d->lock_fd = fd_close(d->lock_fd);
}
