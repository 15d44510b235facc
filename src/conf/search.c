// The index itself: reading the folders, judging links. What a name stands for is in search_find.c,
// what is in folders below the path in search_dropin.c.
#include "conf/search.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/search_index.h"
#include "conf/unit_name.h"

#include <dirent.h>
#include <fcntl.h>

void search_entry_free(struct search_entry *e)
{
        if (!e)
                return;
        free(e->file);
        free(e->target);
        strv_free(e->aliases);
        free(e);
}

struct search_entry *search_entry_new(enum entry_kind kind, size_t dir)
{
        struct search_entry *e = calloc(1, sizeof(*e));

        if (e) {
                e->kind = kind;
                e->dir = dir;
        }
        return e;
}

bool search_entry_is_plain(const struct search *s, const struct search_entry *e)
{
        return e == &s->plain[e->dir];
}

char *search_entry_path(const struct search *s, const struct search_entry *e, const char *name)
{
        return e->file ? strdup(e->file) : fs_path_join(s->dirs[e->dir], name);
}

static void folder_free(struct search_folder *f)
{
        if (!f)
                return;
        free(f->path);
        free(f->fault);
        strv_free(f->files);
        free(f);
}

void search_free(struct search *s)
{
        size_t position = 0;
        void *value;

        if (!s)
                return;
        while (s->entries && map_next(s->entries, &position, NULL, &value))
                if (!search_entry_is_plain(s, value))
                        search_entry_free(value);
        map_free(s->entries);
        position = 0;
        while (s->instances && map_next(s->instances, &position, NULL, &value)) {
                struct search_names *names = value;

                strv_free(names->list);
                free(names);
        }
        map_free(s->instances);
        free(s->plain);
        for (size_t i = 0; s->folders && i < s->n_dirs; i++) {
                position = 0;
                while (s->folders[i] && map_next(s->folders[i], &position, NULL, &value))
                        folder_free(value);
                map_free(s->folders[i]);
        }
        free(s->folders);
        for (size_t i = 0; s->hands && i < s->n_dirs; i++)
                free(s->hands[i].fault);
        free(s->hands);
        free(s->stamps);
        free(s->root);
        strv_free(s->dirs);
        strv_free(s->real_dirs);
        free(s);
}

// ---- the kind of an entry----------------------------------------------------------------------

int search_path_is_mask(const char *path)
{
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                return st.st_size == 0;
        return S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode);
}

// Where a link with this text points to, its folder with all links followed, the last component
// not: an alias of an alias stays one. 0 or -errno; -ENOENT: no such folder.
static int resolve_link(const struct search *s, const char *dir, const char *target,
                        char **ret_folder, char **ret_name)
{
        CLEANUP(free) char *full = NULL, *real = NULL, *last = NULL;
        char *slash;

        full = target[0] != '/' ? fs_path_join(dir, target)
               : s->root        ? str_printf("%s%s", s->root, target)
                                : strdup(target);
        if (!full)
                return -ENOMEM;
        slash = strrchr(full, '/');
        *slash = '\0';
        real = realpath(*full ? full : "/", NULL);
        if (!real)
                return -errno;
        last = strdup(slash + 1);
        if (!last)
                return -ENOMEM;
        *ret_folder = TAKE(real);
        *ret_name = TAKE(last);
        return 0;
}

static bool is_below(const char *path, const char *dir)
{
        const char *rest = str_after_prefix(path, dir);

        return rest && (*rest == '\0' || *rest == '/');
}

// May name be an alias of target? Returns the reason why not; NULL: it may.
static const char *find_alias_fault(const char *name, const char *target, int *ret_error)
{
        CLEANUP(free) char *a = NULL, *b = NULL;
        enum unit_type type = unit_name_type(name);

        *ret_error = 0;
        if (!unit_name_is_valid(target))
                return "the target is no unit name";
        if (type != unit_name_type(target))
                return "the target is a unit of another type";
        if (type == UNIT_MOUNT || type == UNIT_SLICE || type == UNIT_SWAP || type == UNIT_AUTOMOUNT)
                return "units of this type have no aliases";
        if (unit_name_is_instance(name) && unit_name_is_template(target))
                return NULL;
        *ret_error = unit_name_instance(name, &a);
        if (*ret_error == 0)
                *ret_error = unit_name_instance(target, &b);
        return *ret_error == 0 && str_eq_ptr(a, b) ? NULL : "the instances differ";
}

// Judges a symbolic link in the folder: an alias (sets target), a linked file, or useless (returns
// 0 with *ret_use false).
static int judge_link(const struct search *s, const char *name, struct search_entry *e,
                      struct diag *diag, bool *ret_use)
{
        CLEANUP(free) char *path = search_entry_path(s, e, name);
        CLEANUP(free) char *text = NULL, *folder = NULL, *target = NULL;
        const char *fault = NULL;
        int error, r;

        *ret_use = false;
        if (!path)
                return -ENOMEM;
        r = fs_readlink(path, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (streq(text, "/dev/null")) { // also below a root that has no /dev
                e->kind = ENTRY_MASK;
                *ret_use = true;
                return 0;
        }
        // What a folder has that is not to be trusted leads nowhere, but it hides what later ones
        // have.
        if (s->hands[e->dir].fault) {
                *ret_use = true;
                return 0;
        }
        r = resolve_link(s, s->dirs[e->dir], text, &folder, &target);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return 0; // dangling
        STRV_FOREACH (real, s->real_dirs) {
                if (!is_below(folder, *real))
                        continue;
                // Itself in another folder is without effect. (Not so the file of a folder below,
                // which is no unit by itself: a ConfigMap of Kubernetes is made of such links.)
                if (streq(target, name) && strv_contains(s->real_dirs, folder))
                        return 0;
                if (streq(target, name))
                        break;
                fault = find_alias_fault(name, target, &error);
                if (error < 0)
                        return error;
                if (fault) {
                        diag_report(diag, DIAG_WARNING, NULL, path, 0, "Link to '%s' ignored: %s.",
                                    target, fault);
                        return 0;
                }
                e->kind = ENTRY_ALIAS;
                e->target = TAKE(target);
                *ret_use = true;
                return 0;
        }
        e->kind = ENTRY_FILE;
        *ret_use = true; // also a dangling link: loading reports it
        return 0;
}

static bool is_folder_name(const char *name)
{
        return str_at_suffix(name, ".d") || str_at_suffix(name, ".wants") ||
               str_at_suffix(name, ".requires") || str_at_suffix(name, ".upholds");
}

static int add_folder(struct search *s, size_t dir, const char *name)
{
        struct search_folder *f = calloc(1, sizeof(*f));
        int r;

        if (!f)
                return -ENOMEM;
        f->dir = dir;
        f->path = fs_path_join(s->dirs[dir], name);
        r = f->path ? map_set(s->folders[dir], name, f) : -ENOMEM;
        if (r < 0)
                folder_free(f);
        return r < 0 ? r : 0;
}

static int add_unit(struct search *s, size_t dir, const char *name, bool is_link, struct diag *diag)
{
        CLEANUP(search_entry) struct search_entry *e = NULL;
        bool use = true;
        int r;

        if (!unit_name_is_valid(name) || map_get(s->entries, name))
                return 0;
        if (!is_link) {
                r = map_set(s->entries, name, &s->plain[dir]);
                return MIN(r, 0);
        }
        e = search_entry_new(ENTRY_FILE, dir);
        if (!e)
                return -ENOMEM;
        r = judge_link(s, name, e, diag, &use);
        if (r < 0 || !use)
                return r;
        r = map_set(s->entries, name, e);
        if (r < 0)
                return r;
        e = NULL;
        return 0;
}

// The type of a listed name if the listing does not have it, or if a link may lead to a folder.
static unsigned char get_type(DIR *d, const struct dirent *de)
{
        struct stat st;
        bool is_candidate = is_folder_name(de->d_name);

        if (de->d_type != DT_UNKNOWN && !(de->d_type == DT_LNK && is_candidate))
                return de->d_type;
        if (fstatat(dirfd(d), de->d_name, &st, is_candidate ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
                return DT_UNKNOWN;
        return S_ISDIR(st.st_mode)   ? DT_DIR
               : S_ISLNK(st.st_mode) ? DT_LNK
               : S_ISREG(st.st_mode) ? DT_REG
                                     : DT_UNKNOWN;
}

static int take_entry(struct search *s, size_t dir, DIR *d, const struct dirent *de, bool is_shared,
                      struct diag *diag)
{
        unsigned char type = get_type(d, de);

        if (is_shared && trust_is_strange_link(dirfd(d), de->d_name, s->hands[dir].owner)) {
                diag_report(diag, DIAG_WARNING, NULL, s->dirs[dir], 0,
                            "Link '%s' ignored: it is not root's.", de->d_name);
                return 0;
        }
        if (type == DT_DIR)
                return is_folder_name(de->d_name) ? add_folder(s, dir, de->d_name) : 0;
        // Devices and sockets are no units.
        return type == DT_LNK || type == DT_REG ? add_unit(s, dir, de->d_name, type == DT_LNK, diag)
                                                : 0;
}

static int read_dir(struct search *s, size_t dir, struct diag *diag)
{
        DIR *d = search_open_dir(s, dir, diag);
        int r = d ? 0 : -errno;
        bool is_shared = d && s->trust != TRUST_ALL && trust_is_shared(dirfd(d));

        while (d && r == 0) {
                const struct dirent *de;

                errno = 0;
                de = readdir(d);
                if (!de) {
                        r = -errno;
                        break;
                }
                if (de->d_name[0] != '.')
                        r = take_entry(s, dir, d, de, is_shared, diag);
        }
        if (d)
                closedir(d);
        return r;
}

// ---- the whole ---------------------------------------------------------------------------------

// /lib/systemd/system is /usr/lib/systemd/system on most machines.
static bool is_read_before(const struct search *s, size_t dir)
{
        for (size_t i = 0; i < dir; i++)
                if (streq(s->real_dirs[i], s->real_dirs[dir]))
                        return true;
        return false;
}

int search_new(char *const *dirs, enum trust_mode trust, struct diag *diag, struct search **ret)
{
        return search_new_in_root(NULL, dirs, trust, diag, ret);
}

int search_new_in_root(const char *root, char *const *dirs, enum trust_mode trust,
                       struct diag *diag, struct search **ret)
{
        CLEANUP(search) struct search *s = calloc(1, sizeof(*s));
        int r;

        if (!s)
                return -ENOMEM;
        r = str_set(&s->root, root);
        if (r >= 0)
                r = strv_copy(dirs, &s->dirs);
        if (r < 0)
                return r;
        s->n_dirs = strv_length(dirs);
        r = search_stamp_dirs(s);
        if (r < 0)
                return r;
        s->entries = map_new();
        s->instances = map_new();
        s->plain = calloc(s->n_dirs + 1, sizeof(*s->plain));
        s->folders = calloc(s->n_dirs + 1, sizeof(*s->folders));
        s->hands = calloc(s->n_dirs + 1, sizeof(*s->hands));
        s->trust = trust;
        if (!s->entries || !s->instances || !s->plain || !s->folders || !s->hands)
                return -ENOMEM;
        for (size_t i = 0; i < s->n_dirs; i++) {
                s->plain[i] = (struct search_entry){.kind = ENTRY_FILE, .dir = i};
                s->hands[i].owner = FS_NOBODY;
        }
        STRV_FOREACH (dir, s->dirs) {
                char *real = realpath(*dir, NULL);

                if (!real && errno == ENOMEM)
                        return -ENOMEM;
                r = real ? strv_push_take(&s->real_dirs, real) : strv_push(&s->real_dirs, *dir);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < s->n_dirs; i++) {
                s->folders[i] = map_new();
                if (!s->folders[i])
                        return -ENOMEM;
                r = is_read_before(s, i) ? 0 : read_dir(s, i, diag);
                if (r < 0)
                        return r;
        }
        r = search_collect_aliases(s);
        if (r < 0)
                return r;
        *ret = TAKE(s);
        return 0;
}

int search_add_block(struct search *s, const char *name, const char *file, const char *dir)
{
        CLEANUP(search_entry) struct search_entry *e = NULL;
        struct search_entry *other = map_get(s->entries, name);
        size_t rank = 0;
        int r;

        for (size_t i = 0; i < s->n_dirs && rank == 0; i++)
                if (streq(s->dirs[i], dir))
                        rank = i;
        if (other && (other->kind == ENTRY_BLOCK || other->dir < rank ||
                      (other->dir == rank && streq(s->dirs[rank], dir))))
                return 0;
        e = search_entry_new(ENTRY_BLOCK, rank);
        if (!e)
                return -ENOMEM;
        r = str_set(&e->file, file);
        if (r >= 0)
                r = map_set(s->entries, name, e);
        if (r < 0)
                return r;
        if (other && !search_entry_is_plain(s, other)) {
                e->aliases = TAKE(other->aliases);
                search_entry_free(other);
        }
        e = NULL;
        return 0;
}

int search_list(const struct search *s, char ***ret)
{
        CLEANUP(strv) char **list = calloc(map_size(s->entries) + 1, sizeof(char *));
        size_t position = 0, n = 0;
        const char *name;

        if (!list)
                return -ENOMEM;
        while (map_next(s->entries, &position, &name, NULL)) {
                list[n] = strdup(name);
                if (!list[n++])
                        return -ENOMEM;
        }
        strv_sort(list);
        *ret = TAKE(list);
        return 0;
}

bool search_has(const struct search *s, const char *name)
{
        return map_get(s->entries, name) != NULL;
}

char *const *search_dirs(const struct search *s)
{
        return s->dirs;
}
