#include "base/fs_open.h"

#include "base/fd.h"
#include "base/local.h"
#include "base/owner.h"
#include "base/str.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#define LINKS_MAX 40 // as many as the kernel follows
#define TRIES_MAX 32 // attempts to open a path that is being replaced all the time
#define MAKING_FLAGS (O_CREAT | O_EXCL | O_TRUNC)
#define FD_LINK_MAX 32

// A text that is being walked: the path, or the text of a link that was found in it.
struct frame {
        char *text;
        const char *rest;
        bool is_strangers; // the text of a link whose owner must own its target
        uid_t owner;
        bool is_bound; // a stranger's link ended in this text: its owner must own the folders and
                       // links after it
        uid_t bound;
};

struct walk {
        const char *path;
        struct frame frames[LINKS_MAX + 1];
        size_t n_frames;
        unsigned n_links;
        int dir; // the current folder
        struct stat st;
        uint64_t mount, seen_mount; // of dir; of the file opened last
        mode_t make_mode;
        uid_t also; // another trusted owner
        bool is_judged, is_unsafe;
        struct fail *why;
};

static bool is_trusted(const struct walk *w, uid_t uid)
{
        return w->also == FS_EVERYBODY || (uid == w->also && uid != FS_NOBODY) ||
               owner_is_trusted(uid);
}

// ---- safety

__attribute__((format(printf, 2, 3))) static int refuse(struct walk *w, const char *fmt, ...)
{
        char text[FAIL_DETAIL_MAX];
        va_list args;

        w->is_unsafe = true;
        if (w->is_judged)
                return 0;
        va_start(args, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, args);
        va_end(args);
        return fail_set(w->why, EPERM, "follow", "%s: %s", w->path, text);
}

// Judges the step from the current folder to an object.
static void judge(struct walk *w, const struct stat *to)
{
        if (w->is_judged && w->st.st_uid != to->st_uid && !is_trusted(w, w->st.st_uid))
                w->is_unsafe = true;
}

static struct frame *top(struct walk *w)
{
        return &w->frames[w->n_frames - 1];
}

// Is the current text that of a stranger's link?
static bool is_in_strangers(const struct walk *w)
{
        for (size_t i = 0; i < w->n_frames; i++)
                if (w->frames[i].is_strangers)
                        return true;
        return false;
}

static int check_bound(struct walk *w, const struct stat *st)
{
        const struct frame *f = top(w);

        if (!f->is_bound || f->bound == st->st_uid)
                return 0;
        return refuse(w, "behind a link of user %u is what user %u owns", f->bound, st->st_uid);
}

// The target of a link has been reached.
static int check_end(struct walk *w, const struct frame *f, const struct stat *st)
{
        if (!f->is_strangers || f->owner == st->st_uid)
                return 0;
        return refuse(w, "a link of user %u leads to %s, which user %u owns", f->owner, f->text,
                      st->st_uid);
}

static int check_names(struct walk *w, const struct stat *st)
{
        if (w->also == FS_EVERYBODY || !owner_may_be_planted(&w->st, st) ||
            owner_kernel_protects_names())
                return 0;
        return refuse(w, "it has several names, in a folder that user %u and group %u may write",
                      w->st.st_uid, w->st.st_gid);
}

// ---- texts

static int push(struct walk *w, const char *text)
{
        char *copy = w->n_frames < ARRAY_SIZE(w->frames) ? strdup(text) : NULL;

        if (!copy)
                return w->n_frames < ARRAY_SIZE(w->frames) ? -ENOMEM : -ELOOP;
        w->frames[w->n_frames++] = (struct frame){.text = copy, .rest = copy};
        return 0;
}

static int pop(struct walk *w)
{
        struct frame *f = top(w);
        int r = check_end(w, f, &w->st);

        for (size_t i = 0; f->is_strangers && i + 1 < w->n_frames; i++) {
                w->frames[i].is_bound = true;
                w->frames[i].bound = f->owner;
        }
        free(f->text);
        w->n_frames--;
        return r;
}

// The length of the next component at *p, which is moved to it; "." does not count. 0: none.
static size_t skip_to_component(const char **p)
{
        for (;;) {
                *p += strspn(*p, "/");
                size_t n = strcspn(*p, "/");

                if (n != 1 || **p != '.')
                        return n;
                (*p)++;
        }
}

// 1: the next component; 0: none is left; -errno.
static int next(struct walk *w, char name[NAME_MAX + 1])
{
        while (w->n_frames > 0) {
                struct frame *f = top(w);
                size_t n = skip_to_component(&f->rest);

                if (n > NAME_MAX)
                        return -ENAMETOOLONG;
                if (n > 0) {
                        memcpy(name, f->rest, n);
                        name[n] = '\0';
                        f->rest += n;
                        return 1;
                }
                int r = pop(w);

                if (r < 0)
                        return r;
        }
        return 0;
}

static bool is_last(const struct walk *w)
{
        for (size_t i = 0; i < w->n_frames; i++) {
                const char *rest = w->frames[i].rest;

                if (skip_to_component(&rest) > 0)
                        return false;
        }
        return true;
}

// ---- steps

// Makes fd, which must be a folder, the current one; takes it over.
static int stand_on(struct walk *w, int fd, const struct stat *st)
{
        fd_close(w->dir);
        w->dir = fd;
        w->st = *st;
        w->mount = w->seen_mount;
        return S_ISDIR(st->st_mode) ? 0 : -ENOTDIR;
}

static int stand_at_start(struct walk *w, const char *text)
{
        struct stat st;
        CLEANUP(fd)
        int fd = open(text[0] == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        w->seen_mount = 0;
        int r = local_check(fd, &w->seen_mount);

        if (r == 0 && fstat(fd, &st) < 0)
                r = -errno;
        return r < 0 ? r : stand_on(w, TAKE_FD(fd), &st);
}

// Opens name with O_PATH, which asks only the folder's file system.
static int look_at(struct walk *w, const char *name, int flags, int *ret_fd, struct stat *ret_st)
{
        int r = local_check_name(w->dir, name);
        CLEANUP(fd) int fd = r < 0 ? r : openat(w->dir, name, flags | O_PATH | O_CLOEXEC);

        if (fd < 0)
                return r < 0 ? r : -errno;
        w->seen_mount = w->mount;
        r = local_check(fd, &w->seen_mount);
        if (r == 0 && fstat(fd, ret_st) < 0)
                r = -errno;
        if (r == 0)
                *ret_fd = TAKE_FD(fd);
        return r;
}

// Enters the folder fd, which is name in the current one.
static int enter(struct walk *w, const char *name, int fd, const struct stat *st)
{
        int r = check_bound(w, st);

        if (r == 0 && streq(name, "..") && !is_in_strangers(w) && w->st.st_uid != st->st_uid &&
            !is_trusted(w, w->st.st_uid))
                r = refuse(w, "\"..\" leaves a folder of user %u", w->st.st_uid);
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        judge(w, st);
        return stand_on(w, fd, st);
}

// 1: only the kernel can follow the link, and it may. 0: the link's text is walked next.
static int follow(struct walk *w, int fd, const struct stat *st)
{
        char target[PATH_MAX];
        struct statfs fs;
        bool trusts = is_trusted(w, st->st_uid);
        int r = ++w->n_links > LINKS_MAX ? -ELOOP : check_bound(w, st);

        if (r == 0 && trusts)
                r = check_names(w, st);
        if (r < 0)
                return r;
        judge(w, st);
        if (trusts && !top(w)->is_bound && !is_in_strangers(w) && fstatfs(fd, &fs) == 0 &&
            fs.f_type == PROC_SUPER_MAGIC)
                return 1;
        ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

        if (n <= 0)
                return n < 0 ? -errno : -ENOENT;
        target[n] = '\0';
        r = push(w, target);
        if (r < 0)
                return r;
        top(w)->is_strangers = !trusts;
        top(w)->owner = st->st_uid;
        return target[0] == '/' ? stand_at_start(w, target) : 0;
}

static int make_dir(const struct walk *w, const char *name)
{
        mode_t old = umask(0);
        int r = mkdirat(w->dir, name, w->make_mode) < 0 && errno != EEXIST ? -errno : 0;

        umask(old);
        return r;
}

// A component that has to lead to a folder.
static int step(struct walk *w, const char *name)
{
        CLEANUP(fd) int fd = -1;
        struct stat st;
        int r = look_at(w, name, O_NOFOLLOW, &fd, &st);

        if (r == -ENOENT && w->make_mode && !is_in_strangers(w) && !top(w)->is_bound) {
                r = make_dir(w, name);
                if (r == 0)
                        r = look_at(w, name, O_NOFOLLOW, &fd, &st);
        }
        if (r == 0 && S_ISLNK(st.st_mode)) {
                r = follow(w, fd, &st);
                if (r <= 0)
                        return r;
                fd = fd_close(fd);
                r = look_at(w, name, 0, &fd, &st);
        }
        return r < 0 ? r : enter(w, name, TAKE_FD(fd), &st);
}

// ---- the last component

static int check_last(struct walk *w, const struct stat *st)
{
        int r = S_ISDIR(st->st_mode) ? check_bound(w, st) : 0;

        for (size_t i = 0; i < w->n_frames && r == 0; i++)
                r = check_end(w, &w->frames[i], st);
        return r < 0 ? r : check_names(w, st);
}

// The file behind an O_PATH descriptor. -EAGAIN: there is no /proc to open it by.
static int reopen(int fd, int flags)
{
        char link[FD_LINK_MAX];

        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        int opened = open(link, (flags & ~(MAKING_FLAGS | O_NOFOLLOW)) | O_CLOEXEC);

        return opened < 0 ? (errno == ENOENT ? -EAGAIN : -errno) : opened;
}

// Opens the file that has been checked and is open as `looked`. By now its name may be that of a
// mount that does not answer. -EAGAIN: another file has the name now.
static int open_looked_at(const struct walk *w, const char *name, int looked, int flags,
                          const struct stat *st)
{
        struct stat now;
        int fd = local_is_only()
                         ? reopen(looked, flags)
                         : openat(w->dir, name, (flags & ~MAKING_FLAGS) | O_NOFOLLOW | O_CLOEXEC);
        int r = 0;

        if (fd < 0)
                return errno == ENOENT || errno == ELOOP ? -EAGAIN : -errno;
        if (fstat(fd, &now) < 0)
                r = -errno;
        else if (now.st_ino != st->st_ino || now.st_dev != st->st_dev)
                r = -EAGAIN;
        else if ((flags & O_TRUNC) && S_ISREG(now.st_mode) && ftruncate(fd, 0) < 0)
                r = -errno;
        if (r < 0) {
                fd_close(fd);
                return r;
        }
        return fd;
}

static int open_magic(struct walk *w, const char *name, int flags)
{
        CLEANUP(fd) int looked = -1;
        struct stat st;
        int r = look_at(w, name, 0, &looked, &st);

        if (r < 0)
                return r;
        if (flags & O_PATH)
                return TAKE_FD(looked);
        int fd = local_is_only() ? reopen(looked, flags)
                                 : openat(w->dir, name, (flags & ~O_CREAT) | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

// One attempt. Descriptor; -EAGAIN: a file was replaced; -EINPROGRESS: it was a link, whose text is
// walked next.
static int try_last(struct walk *w, const char *name, int flags, mode_t mode)
{
        CLEANUP(fd) int fd = -1;
        struct stat st;
        int r = look_at(w, name, O_NOFOLLOW, &fd, &st);

        if (r == -ENOENT && (flags & O_CREAT) && !is_in_strangers(w)) {
                fd = openat(w->dir, name, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
                if (fd < 0)
                        return errno == EEXIST && !(flags & O_EXCL) ? -EAGAIN : -errno;
                return TAKE_FD(fd);
        }
        if (r < 0)
                return r;
        if ((flags & O_CREAT) && (flags & O_EXCL))
                return -EEXIST;
        if (S_ISLNK(st.st_mode) && (flags & O_PATH) && (flags & O_NOFOLLOW))
                return (flags & O_DIRECTORY) ? -ENOTDIR : TAKE_FD(fd);
        if (S_ISLNK(st.st_mode)) {
                r = flags & O_NOFOLLOW ? -ELOOP : follow(w, fd, &st);
                return r < 0 ? r : r > 0 ? open_magic(w, name, flags) : -EINPROGRESS;
        }
        r = check_last(w, &st);
        if (r < 0)
                return r;
        judge(w, &st);
        if (!(flags & O_PATH))
                return open_looked_at(w, name, fd, flags, &st);
        return (flags & O_DIRECTORY) && !S_ISDIR(st.st_mode) ? -ENOTDIR : TAKE_FD(fd);
}

static int open_last(struct walk *w, const char *name, int flags, mode_t mode)
{
        int r = -EAGAIN;

        for (int i = 0; r == -EAGAIN && i < TRIES_MAX; i++)
                r = try_last(w, name, flags, mode);
        return r;
}

// ---- whole walks

static int walk_begin(struct walk *w, const char *path)
{
        int r = *path ? push(w, path) : -ENOENT;

        return r < 0 ? r : stand_at_start(w, path);
}

static void walk_done(struct walk *w)
{
        while (w->n_frames > 0)
                free(w->frames[--w->n_frames].text);
        w->dir = fd_close(w->dir);
}

static int walk_and_open(struct walk *w, int flags, mode_t mode)
{
        char name[NAME_MAX + 1];
        int r = walk_begin(w, w->path);

        while (r == 0) {
                r = next(w, name);
                if (r < 0)
                        break;
                if (r == 0) { // the path ends in the current folder: "/", "a/.."
                        int fd = openat(w->dir, ".", (flags & ~MAKING_FLAGS) | O_CLOEXEC);

                        return fd < 0 ? -errno : fd;
                }
                if (streq(name, "..") || !is_last(w)) {
                        r = step(w, name);
                        continue;
                }
                r = open_last(w, name, flags, mode);
                if (r != -EINPROGRESS)
                        break;
                r = 0;
        }
        return r;
}

// Walks to a folder, and opens it as *ret.
static int walk_to(struct walk *w, int *ret)
{
        char name[NAME_MAX + 1];
        int r = walk_begin(w, w->path);

        while (r == 0 && (r = next(w, name)) > 0)
                r = step(w, name);
        if (r == 0)
                *ret = TAKE_FD(w->dir);
        return r;
}

// Only the walk can judge "..".
static bool has_dot_dot(const char *path)
{
        size_t n;

        for (; (n = skip_to_component(&path)) > 0; path += n)
                if (n == 2 && path[0] == '.' && path[1] == '.')
                        return true;
        return false;
}

// Most paths contain no link, and then one call opens them. -1: it does not, use a walk.
static int open_without_links(const char *path, int flags, mode_t mode)
{
        const struct open_how how = {.flags = (uint64_t)((flags & ~O_TRUNC) | O_CLOEXEC),
                                     .mode = flags & O_CREAT ? mode & 07777 : 0,
                                     // The file system of the root always answers.
                                     .resolve = RESOLVE_NO_SYMLINKS |
                                                (local_is_only() ? RESOLVE_NO_XDEV : 0)};

        return has_dot_dot(path) ? -1
                                 : (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static int open_path(const char *path, int flags, mode_t mode, uid_t also, struct stat *ret,
                     struct fail *why)
{
        struct stat own = {0}, *st = ret ? ret : &own;
        CLEANUP(fd) int fd = open_without_links(path, flags, mode);
        struct walk w = {.path = path, .dir = -1, .also = also, .why = why};

        if (fd >= 0 && fstat(fd, st) < 0)
                return -errno;
        bool is_one = fd >= 0 && (S_ISDIR(st->st_mode) || st->st_nlink <= 1);

        if (is_one && (flags & O_TRUNC) && S_ISREG(st->st_mode) && ftruncate(fd, 0) < 0)
                return -errno;
        if (is_one)
                return TAKE_FD(fd);
        CLEANUP(fd) int walked = walk_and_open(&w, flags, mode);

        walk_done(&w);
        return walked >= 0 && ret && fstat(walked, ret) < 0 ? -errno : TAKE_FD(walked);
}

int fs_open(const char *path, int flags, mode_t mode, struct fail *why)
{
        return open_path(path, flags, mode, FS_NOBODY, NULL, why);
}

int fs_open_trusting(const char *path, int flags, uid_t owner, struct stat *ret, struct fail *why)
{
        return open_path(path, flags, 0, owner, ret, why);
}

int fs_open_judged(const char *path, int flags, bool *ret_is_safe)
{
        struct walk w = {.path = path, .dir = -1, .also = FS_NOBODY, .is_judged = true};
        int r = walk_and_open(&w, flags, 0);

        walk_done(&w);
        if (r >= 0)
                *ret_is_safe = !w.is_unsafe;
        return r;
}

int fs_entry_open(const char *path, mode_t make_mode, struct fs_entry *ret, struct fail *why)
{
        size_t end = strlen(path), start;

        while (end > 0 && path[end - 1] == '/')
                end--;
        for (start = end; start > 0 && path[start - 1] != '/';)
                start--;
        size_t n = end - start;
        CLEANUP(free) char *folder = start > 0 ? str_ndup(path, start) : strdup(".");

        if (n == 0 || (n <= 2 && strspn(path + start, ".") >= n))
                return -EINVAL;
        if (n > NAME_MAX)
                return -ENAMETOOLONG;
        if (!folder)
                return -ENOMEM;
        int r = 0, dir = open_without_links(folder, O_PATH | O_DIRECTORY, 0);

        if (dir < 0) {
                struct walk w = {.path = folder,
                                 .dir = -1,
                                 .make_mode = make_mode,
                                 .also = FS_NOBODY,
                                 .why = why};

                r = walk_to(&w, &dir);
                walk_done(&w);
        }
        if (r < 0)
                return r;
        *ret = (struct fs_entry){.dir = dir};
        memcpy(ret->name, path + start, n);
        return 0;
}

int fs_entry_stat(const struct fs_entry *e, struct stat *ret)
{
        struct walk w = {.dir = e->dir}; // its mount is not known
        CLEANUP(fd) int fd = -1;

        return look_at(&w, e->name, O_NOFOLLOW, &fd, ret);
}

int fs_entry_open_file(const struct fs_entry *e, int flags)
{
        struct walk w = {.dir = e->dir}; // its mount is not known
        CLEANUP(fd) int looked = -1;
        struct stat st;
        int fd, r;

        if (!local_is_only()) {
                fd = openat(e->dir, e->name, flags | O_NOFOLLOW | O_CLOEXEC);
                return fd < 0 ? -errno : fd;
        }
        r = look_at(&w, e->name, O_NOFOLLOW, &looked, &st);
        return r < 0 ? r : reopen(looked, flags);
}

void fs_entry_close(struct fs_entry *e)
{
        e->dir = fd_close(e->dir);
}
