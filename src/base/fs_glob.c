#include "base/fs_glob.h"

#include "base/fd.h"
#include "base/fs_open.h"
#include "base/local.h"

#include <dirent.h>
#include <fcntl.h>

// glob(3) passes no data of the caller to its callbacks.
static const char *pattern_now;
static size_t n_read;

// fs_open_judged(): a pattern only lists names, so that no file is trusted here.
static int open_path(const char *path, int flags)
{
        bool is_safe;
        int fd = fs_open_judged(path, flags, &is_safe);

        errno = fd < 0 ? -fd : errno;
        return fd;
}

static void *open_folder(const char *path)
{
        int fd = open_path(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);

        if (!dir)
                fd_close(fd);
        return dir;
}

static struct dirent *read_folder(void *dir)
{
        return local_check_steps(++n_read, pattern_now) < 0 ? NULL : readdir(dir);
}

static void close_folder(void *dir)
{
        (void)closedir(dir);
}

static int look_at(const char *path, int flags, struct stat *st)
{
        CLEANUP(fd) int fd = open_path(path, O_PATH | flags);

        return fd < 0 ? -1 : fstat(fd, st);
}

static int look(const char *path, struct stat *st)
{
        return look_at(path, 0, st);
}

static int look_at_link(const char *path, struct stat *st)
{
        return look_at(path, O_NOFOLLOW, st);
}

int fs_glob(const char *pattern, int flags, glob_t *ret)
{
        *ret = (glob_t){.gl_opendir = open_folder,
                        .gl_readdir = read_folder,
                        .gl_closedir = close_folder,
                        .gl_stat = look,
                        .gl_lstat = look_at_link};
        pattern_now = pattern;
        n_read = 0;
        return glob(pattern, flags | GLOB_ALTDIRFUNC, NULL, ret);
}
