#include "base/mounts.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/strv.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>

// File systems that answer from the kernel alone, or from a disk of this machine. Any other type
// may wait: autofs for its daemon, fuse* for a process, nfs and cifs for a server, 9p and virtiofs
// for a host, gfs2 for its cluster.
static const char *const answering_types[] = {
        "bcachefs",  "binfmt_misc", "bpf",    "btrfs",    "cgroup",     "cgroup2",   "configfs",
        "cramfs",    "debugfs",     "devpts", "devtmpfs", "efivarfs",   "erofs",     "exfat",
        "ext2",      "ext3",        "ext4",   "f2fs",     "fusectl",    "hfs",       "hfsplus",
        "hugetlbfs", "iso9660",     "jffs2",  "jfs",      "minix",      "mqueue",    "msdos",
        "nfsd",      "nilfs2",      "ntfs3",  "overlay",  "proc",       "pstore",    "ramfs",
        "reiserfs",  "resctrl",     "romfs",  "rootfs",   "securityfs", "selinuxfs", "smackfs",
        "squashfs",  "sysfs",       "tmpfs",  "tracefs",  "ubifs",      "udf",       "vfat",
        "xfs",       "zfs",
};

// Options of an overlay that name its layers.
static const char *const layer_options[] = {
        "lowerdir=", "lowerdir+=", "datadir+=", "upperdir=", "workdir="};

struct mount {
        uint64_t id, parent;
        char *point;
        char *type;
        char *options; // of an overlay; NULL
        bool answers;
        bool is_covered; // by another mount on the same point
};

static struct {
        int fd; // of mountinfo; 0: not opened yet
        bool is_read, is_fixed;
        struct mount *items; // by id
        size_t n;
        const struct mount **remotes; // those of items that are not covered and may not answer
        size_t n_remotes;
} table;

// ---- the text ----------------------------------------------------------------------------------

// Octal escapes such as "\040", in place.
static void unescape(char *text)
{
        char *out = text;

        for (const char *p = text; *p; out++) {
                bool is_octal = p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' &&
                                p[2] <= '7' && p[3] >= '0' && p[3] <= '7';

                *out = is_octal ? (char)((p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0')) : *p;
                p += is_octal ? 4 : 1;
        }
        *out = '\0';
}

static bool is_answering_type(const char *type)
{
        for (size_t i = 0; i < ARRAY_SIZE(answering_types); i++)
                if (streq(type, answering_types[i]))
                        return true;
        return false;
}

static void free_items(void)
{
        for (size_t i = 0; i < table.n; i++) {
                free(table.items[i].point);
                free(table.items[i].type);
                free(table.items[i].options);
        }
        free(TAKE(table.items));
        free(TAKE(table.remotes));
        table.n = table.n_remotes = 0;
        table.is_read = false;
}

// proc(5): id parent major:minor root point options [tags] - type source options. Any
// other line is skipped; its mount is then not known, so that it counts as one that may not answer.
static int add_line(char *line)
{
        enum { ID, PARENT, DEVICE, ROOT, POINT, FIELDS };
        char *fields[FIELDS], *save = NULL, *tail = strstr(line, " - "), *end;
        struct mount m = {0};

        if (!tail)
                return 0;
        *tail = '\0';
        tail += strlen(" - ");
        for (size_t i = 0; i < FIELDS; i++)
                if (!(fields[i] = strtok_r(i == 0 ? line : NULL, " ", &save)))
                        return 0;
        m.parent = strtoull(fields[PARENT], NULL, 10);
        m.id = strtoull(fields[ID], &end, 10);
        const char *type = strtok_r(tail, " ", &save);
        const char *source = type ? strtok_r(NULL, " ", &save) : NULL;
        const char *options = source ? strtok_r(NULL, " ", &save) : NULL;

        if (*end || !type)
                return 0;
        unescape(fields[POINT]);
        m.answers = is_answering_type(type);
        int r = str_set(&m.point, fields[POINT]);

        if (r == 0)
                r = str_set(&m.type, type);
        if (r == 0 && streq(type, "overlay"))
                r = str_set(&m.options, options);
        table.items[table.n++] = m; // has room
        return r;
}

// ---- overlays ----------------------------------------------------------------------------------

// The mount of a path without links, as far as this table shows; NULL: none.
static const struct mount *find_holder(const char *path)
{
        const struct mount *best = NULL;
        size_t best_n = 0;

        for (size_t i = 0; i < table.n; i++) {
                const struct mount *m = &table.items[i];
                size_t n = streq(m->point, "/") ? 0 : strlen(m->point);

                if (m->is_covered || strncmp(path, m->point, n) != 0 ||
                    (path[n] != '/' && path[n] != '\0'))
                        continue;
                if (!best || n > best_n || (n == best_n && !m->answers)) {
                        best = m;
                        best_n = n;
                }
        }
        return best;
}

// A layer with a relative path cannot be found.
static bool layers_answer(const struct mount *overlay, char *list)
{
        char *save = NULL;

        for (char *path = strtok_r(list, ":", &save); path; path = strtok_r(NULL, ":", &save)) {
                const struct mount *holder = path[0] == '/' ? find_holder(path) : NULL;

                if (!holder || (holder != overlay && !holder->answers))
                        return false;
        }
        return true;
}

// An overlay answers if all of its layers do.
static bool overlay_answers(const struct mount *overlay)
{
        char *save = NULL;

        for (char *option = strtok_r(overlay->options, ",", &save); option;
             option = strtok_r(NULL, ",", &save))
                for (size_t i = 0; i < ARRAY_SIZE(layer_options); i++) {
                        char *list = str_after_prefix(option, layer_options[i]);

                        if (!list)
                                continue;
                        unescape(list);
                        if (!layers_answer(overlay, list))
                                return false;
                }
        return true;
}

// ---- the whole table -------------------------------------------------------------------------

static int compare_ids(const void *a, const void *b)
{
        uint64_t x = ((const struct mount *)a)->id, y = ((const struct mount *)b)->id;

        return x < y ? -1 : x > y;
}

static struct mount *find_by_id(uint64_t id)
{
        struct mount key = {.id = id};

        return table.n == 0 ? NULL : bsearch(&key, table.items, table.n, sizeof(key), compare_ids);
}

static bool is_root(const struct mount *m)
{
        return streq(m->point, "/");
}

// The root counts as answering whatever its type: usherd, its libraries and /etc are there, so that
// nothing works without it anyway.
static int judge(void)
{
        qsort(table.items, table.n, sizeof(*table.items), compare_ids);
        for (size_t i = 0; i < table.n; i++) {
                struct mount *m = &table.items[i], *below = find_by_id(m->parent);

                m->answers |= is_root(m);
                if (below && below != m && streq(below->point, m->point))
                        below->is_covered = true;
        }
        for (size_t i = 0; i < table.n; i++)
                if (table.items[i].options && !is_root(&table.items[i]))
                        table.items[i].answers = overlay_answers(&table.items[i]);
        table.remotes = calloc(table.n + 1, sizeof(struct mount *));
        if (!table.remotes)
                return -ENOMEM;
        for (size_t i = 0; i < table.n; i++)
                if (!table.items[i].is_covered && !table.items[i].answers)
                        table.remotes[table.n_remotes++] = &table.items[i];
        return 0;
}

static int parse(const char *text)
{
        CLEANUP(strv) char **lines = NULL;
        int r = strv_split(text, "\n", &lines);

        free_items();
        if (r == 0) {
                table.items = calloc(strv_length(lines) + 1, sizeof(*table.items));
                r = table.items ? 0 : -ENOMEM;
        }
        STRV_FOREACH (line, lines)
                if (r == 0)
                        r = add_line(*line);
        if (r == 0)
                r = judge();
        if (r < 0)
                free_items();
        table.is_read = r == 0;
        return r;
}

// ---- the table ---------------------------------------------------------------------------------

static bool has_changed(void)
{
        struct pollfd p = {.fd = table.fd, .events = POLLPRI};

        return poll(&p, 1, 0) != 0; // an error counts as a change
}

static int read_table(void)
{
        CLEANUP(buf) struct buf text = BUF_NULL;
        char part[16384];
        ssize_t n;

        do {
                n = pread(table.fd, part, sizeof(part), (off_t)text.size);
                if (n < 0)
                        return -errno;
                buf_put(&text, part, (size_t)n);
        } while (n > 0 && text.error == 0);
        return text.error ? text.error : parse(buf_text(&text));
}

// 0 or -ENOMEM. If there is no table (no /proc) it is empty: no mount is known to answer.
static int refresh(void)
{
        if (table.is_fixed)
                return 0;
        if (table.fd == 0) {
                int fd = fd_move_up(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));

                if (fd < 0)
                        return 0;
                table.fd = fd;
        }
        // Cleared before reading: a change during the read is reported again.
        if (!has_changed() && table.is_read)
                return 0;
        int r = read_table();

        if (r < 0)
                free_items();
        return r == -ENOMEM ? r : 0;
}

static void tell(const struct mount *m, struct mount_remote *ret)
{
        *ret = (struct mount_remote){0};
        if (!m)
                return;
        ret->id = m->id;
        strncpy(ret->type, m->type, sizeof(ret->type) - 1);
}

// In a plain chroot the table lacks the mount of the root folder. It counts as answering, since our
// programs and libraries are there. Its id is known without asking the file system.
static bool is_of_root(uint64_t id)
{
        struct statx root;

        return id > 0 && statx(AT_FDCWD, "/", AT_STATX_DONT_SYNC, STATX_MNT_ID, &root) == 0 &&
               (root.stx_mask & STATX_MNT_ID) && root.stx_mnt_id == id;
}

int mounts_answers(uint64_t id, struct mount_remote *ret)
{
        int r = refresh();

        if (r < 0)
                return r;
        const struct mount *found = find_by_id(id);

        if (found ? found->answers : is_of_root(id))
                return 1;
        tell(found, ret);
        return 0;
}

bool mounts_has_remote(void)
{
        return table.n_remotes > 0;
}

// If hidden mounts have the same path, one that may not answer counts; the check after the open
// tells which one is really there.
bool mounts_is_remote_point(const char *path, struct mount_remote *ret)
{
        for (size_t i = 0; i < table.n_remotes; i++)
                if (streq(table.remotes[i]->point, path)) {
                        tell(table.remotes[i], ret);
                        return true;
                }
        return false;
}

int mounts_set_table(const char *text)
{
        table.is_fixed = text != NULL;
        if (text)
                return parse(text);
        free_items();
        return 0;
}

void mounts_done(void)
{
        free_items();
        if (table.fd > 0)
                table.fd = fd_close(table.fd) + 1;
        table.is_fixed = false;
}
