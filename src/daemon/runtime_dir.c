#include "daemon/runtime_dir.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "daemon/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

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
        const char *xdg = getenv("XDG_RUNTIME_DIR"), *tmp = getenv("TMPDIR");
        const char *base = geteuid() == 0         ? "/run"
                           : xdg && xdg[0] == '/' ? xdg
                           : tmp && tmp[0] == '/' ? tmp
                                                  : "/tmp";
        CLEANUP(free) char *path = str_printf("%s/usher-run-XXXXXX", base);

        if (!path)
                return -ENOMEM;
        if (!mkdtemp(path)) {
                log_write(LOG_ERR, "%s: %s", path, strerror(errno));
                return COMPLAINED;
        }
        *ret = TAKE(path);
        return 0;
}

static void complain_locked(int fd, const char *path)
{
        char holder[32] = "";
        ssize_t n = pread(fd, holder, sizeof(holder) - 1, 0);

        if (n > 0)
                holder[strcspn(holder, "\n")] = '\0';
        log_write(LOG_ERR,
                  "Another usherd%s%s%s uses %s already. Give this one a folder of its own with "
                  "--runtime-dir.",
                  n > 0 ? " (pid " : "", holder, n > 0 ? ")" : "", path);
}

static int lock(const char *path)
{
        CLEANUP(free) char *file = fs_path_join(path, "lock");
        CLEANUP(fd) int fd = -1;
        char pid[32];

        if (!file)
                return -ENOMEM;
        fd = fd_move_up(open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (fd < 0) {
                log_write(LOG_ERR, "%s: %s", file, strerror(-fd));
                return COMPLAINED;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (errno == EWOULDBLOCK)
                        complain_locked(fd, path);
                else
                        log_write(LOG_ERR, "%s: %s", file, strerror(errno));
                return COMPLAINED;
        }
        snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
        if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, strlen(pid), 0) < 0)
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
        ret->lock_fd = lock(ret->path);
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
