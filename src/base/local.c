#include "base/local.h"

#include "base/fd.h"
#include "base/mounts.h"
#include "base/str.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U // Linux 5.8
#endif

#define FD_LINK_MAX 64

static bool is_only, was_refused;

static struct {
        char text[PATH_MAX + MOUNT_TYPE_MAX + 4];
        uint64_t mount;
} refusal;

bool local_only_set(bool is_on)
{
        bool was = is_only;

        is_only = is_on;
        was_refused &= !is_on;
        return was;
}

bool local_is_only(void)
{
        return is_only;
}

bool local_was_refused(void)
{
        return was_refused;
}

const char *local_refusal(uint64_t *ret_mount)
{
        if (ret_mount)
                *ret_mount = refusal.mount;
        return refusal.text;
}

static int refuse(const char *path, const struct mount_remote *remote)
{
        snprintf(refusal.text, sizeof(refusal.text), remote->type[0] ? "%s (%s)" : "%s%s", path,
                 remote->type);
        refusal.mount = remote->id;
        was_refused = true;
        return -EREMOTE;
}

// The path of a descriptor, from the kernel; no file system is asked.
static const char *path_of(int fd, char path[PATH_MAX])
{
        char link[FD_LINK_MAX];

        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, PATH_MAX - 1);

        path[MAX(n, 0)] = '\0';
        return path;
}

int local_check_name(int dir, const char *name)
{
        struct mount_remote remote;
        char path[PATH_MAX];

        if (!is_only || !mounts_has_remote())
                return 0;
        size_t n = strlen(path_of(dir, path)), n_name = strlen(name);

        if (n + n_name + 2 > sizeof(path))
                return 0; // no mount has such a path
        if (n == 0 || path[n - 1] != '/')
                path[n++] = '/';
        memcpy(path + n, name, n_name + 1);
        return mounts_is_remote_point(path, &remote) ? refuse(path, &remote) : 0;
}

// Before Linux 5.8 only /proc has the id of the mount.
static int read_mount_id(int fd, uint64_t *ret)
{
        char path[FD_LINK_MAX], text[512];

        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
        CLEANUP(fd) int info = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);

        if (n < 0)
                return -errno;
        text[n] = '\0';
        const char *found = strstr(text, "mnt_id:");

        if (!found)
                return -ENODATA;
        *ret = strtoull(found + strlen("mnt_id:"), NULL, 10);
        return 0;
}

// AT_STATX_DONT_SYNC: use what the kernel knows already, in case fd is on a mount that does not
// answer.
static int get_mount_id(int fd, uint64_t *ret)
{
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID, &st) <
                    0 ||
            !(st.stx_mask & STATX_MNT_ID))
                return read_mount_id(fd, ret);
        *ret = st.stx_mnt_id;
        return 0;
}

int local_check(int fd, uint64_t *mount)
{
        struct mount_remote remote = {0};
        char path[PATH_MAX];
        uint64_t id = 0;

        if (!is_only)
                return 0;
        int r = get_mount_id(fd, &id);

        // The open folder keeps its mount, so that an equal id means the same mount.
        if (r == 0 && id == *mount)
                return 0;
        if (r == 0)
                r = mounts_answers(id, &remote);
        if (r == -ENOMEM)
                return r;
        if (r <= 0)
                return refuse(path_of(fd, path), &remote);
        *mount = id;
        return 0;
}

int local_check_steps(size_t n, const char *path)
{
        const struct mount_remote none = {0};

        return is_only && n > LOCAL_STEPS_MAX ? refuse(path, &none) : 0;
}

int local_check_service(void)
{
        const struct mount_remote none = {0};

        return is_only ? refuse("", &none) : 0;
}

int local_check_fixed(int fd)
{
        const struct mount_remote none = {0};
        char path[PATH_MAX];
        struct stat st;

        if (!is_only)
                return 0;
        if (fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
            ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX)))
                return 0;
        return refuse(path_of(fd, path), &none);
}
