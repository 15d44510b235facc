#include "conf/trust.h"

#include "base/fd.h"
#include "base/owner.h"
#include "conf/difference.h"

#include <fcntl.h>
#include <sys/statvfs.h>

enum trust_mode trust_mode_choose(int refuse_writable, bool is_user, bool compat_systemd,
                                  bool is_given)
{
        bool refuses =
                refuse_writable >= 0
                        ? refuse_writable
                        : !is_user && difference_applies(DIFFERENCE_WRITABLE_UNITS, compat_systemd);

        return !refuses ? TRUST_ALL : is_given ? TRUST_GIVEN : TRUST_ROOT;
}

static bool is_ours(uid_t uid, uid_t owner)
{
        return uid == owner || owner_is_trusted(uid);
}

// The write permissions of others that count. If we are not root, our group's permission does not
// count: a container with an arbitrary user runs all its processes with the group root.
static mode_t writable_by(const struct stat *st)
{
        mode_t others = st->st_mode & (S_IWGRP | S_IWOTH);

        if (others == 0 || (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
                return 0;
        return geteuid() != 0 && st->st_gid == getegid() ? others & S_IWOTH : others;
}

static bool is_read_only(int fd)
{
        struct statvfs fs;

        return fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

int trust_check(int fd, const struct stat *st, uid_t owner, struct fail *why)
{
        if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
                return 0; // /dev/null masks a unit; other special files cannot be read
        if (!is_ours(st->st_uid, owner))
                return fail_set(why, EPERM, "refuse", "user %u owns it (chown root)", st->st_uid);
        mode_t others = writable_by(st);

        if (others == 0 || is_read_only(fd))
                return 0;
        return fail_set(why, EPERM, "refuse",
                        others & S_IWOTH ? "everybody may write it (chmod go-w)"
                                         : "its group may write it (chmod g-w)");
}

int trust_open(const char *path, int flags, enum trust_mode mode, uid_t owner, struct stat *ret,
               struct fail *why)
{
        struct stat own = {0}, *st = ret ? ret : &own;
        CLEANUP(fd)
        int fd = fs_open_trusting(path, flags, mode == TRUST_ALL ? FS_EVERYBODY : owner, st, why);
        int r = fd < 0 ? fd : mode == TRUST_ALL ? 0 : trust_check(fd, st, owner, why);

        return r < 0 ? r : TAKE_FD(fd);
}

uid_t trust_owner_of(const char *folder, enum trust_mode mode)
{
        struct stat st;

        return mode == TRUST_GIVEN && stat(folder, &st) == 0 ? st.st_uid : FS_NOBODY;
}

void trust_complain(const struct fail *why, const char *unit, const char *path, struct diag *diag)
{
        diag_report(diag, DIAG_ERROR, unit, path, 0,
                    "Refused: %s; RefuseWritableUnits=no in usher.conf allows it.", why->detail);
}

bool trust_is_shared(int dir)
{
        struct stat st;

        return fstat(dir, &st) == 0 && (st.st_mode & (S_IWGRP | S_IWOTH));
}

bool trust_is_strange_link(int dir, const char *name, uid_t owner)
{
        struct stat st;

        return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
               !is_ours(st.st_uid, owner);
}
