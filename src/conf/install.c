// Enable, disable, mask and unmask: links made and removed (systemd.unit(5), "[Install]").
#include "conf/install.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install_priv.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 512 // with Also=

void install_changes_done(struct install_changes *changes)
{
        for (size_t i = 0; i < changes->n; i++) {
                free(changes->items[i].file);
                free(changes->items[i].source);
        }
        free(changes->items);
        *changes = (struct install_changes){0};
}

int install_add_change(struct install_changes *changes, enum install_change_type type,
                       const char *file, const char *source)
{
        struct install_change *more = reallocarray(changes->items, changes->n + 1, sizeof(*more));
        struct install_change change = {.type = type};

        if (!more)
                return -ENOMEM;
        changes->items = more;
        change.file = strdup(file);
        if (!change.file || str_set(&change.source, source) < 0) {
                free(change.file);
                return -ENOMEM;
        }
        more[changes->n++] = change;
        return 0;
}

int install_complain(struct install *i, int error, const char *name, const char *what)
{
        diag_report(i->diag, DIAG_ERROR, name, NULL, 0, "%s", what);
        return error;
}

enum install_rank install_wanted_rank(const struct install *i)
{
        return i->is_runtime ? INSTALL_RUNTIME : INSTALL_CONFIG;
}

// The folder in which links are made. NULL: the path has no such folder.
const char *install_target_dir(const struct install *i)
{
        STRV_FOREACH (dir, i->dirs)
                if (!unit_path_is_control(*dir) &&
                    install_rank_of(i, *dir) == install_wanted_rank(i))
                        return *dir;
        return NULL;
}

// The text of a link: the path inside the root.
const char *install_path_inside(const struct install *i, const char *path)
{
        const char *rest = i->root ? str_after_prefix(path, i->root) : NULL;

        return rest ? rest : path;
}

// ---- one link

int install_make_link(struct install *i, const char *file, const char *source,
                      struct install_changes *changes)
{
        bool replaces = i->is_forced || streq(source, "/dev/null");
        CLEANUP(free) char *old = NULL;
        struct fail why = {0};
        int r = fs_readlink(file, &old);

        if (r == -ENOMEM)
                return r;
        if (old && streq(old, source))
                return 0;
        r = fs_symlink(source, file, 0755, replaces, &why);
        if (r < 0) {
                CLEANUP(free)
                char *text = str_printf("%s: %s", why.error ? why.detail : file,
                                        r == -EEXIST ? "is there already" : strerror(-r));

                return install_complain(i, r, NULL, text ? text : file);
        }
        if (old)
                r = install_add_change(changes, INSTALL_UNLINK, file, NULL);
        return r < 0 ? r : install_add_change(changes, INSTALL_SYMLINK, file, source);
}

int install_remove_link(const char *file, struct install_changes *changes)
{
        int r = fs_unlink(file, NULL);

        if (r < 0)
                return r == -ENOENT ? 0 : r;
        return install_add_change(changes, INSTALL_UNLINK, file, NULL);
}

// ---- enable

struct enabling {
        struct install *install;
        struct install_changes *changes;
        char **todo; // names, grown by Also=
        const char *dir;
};

// "foo@.service" is enabled as its default instance.
static int instance_of(struct install *i, const char *name, const struct install_section *s,
                       char **ret)
{
        if (!unit_name_is_template(name))
                return str_set(ret, name);
        if (s->default_instance)
                return unit_name_with_instance(name, s->default_instance, ret);
        if (s->wanted_by || s->required_by || s->upheld_by)
                return install_complain(
                        i, -EIDRM, name,
                        "Is a template without DefaultInstance=: name an instance.");
        return 0; // aliases and Also= only
}

static int link_into(struct enabling *e, char *const *targets, const char *suffix, const char *name,
                     const char *path)
{
        STRV_FOREACH (target, targets) {
                if (!unit_name_is_valid(*target))
                        return install_complain(e->install, -EINVAL, name,
                                                "[Install] has a bad unit name");
                CLEANUP(free) char *file = str_printf("%s/%s%s/%s", e->dir, *target, suffix, name);
                int r = file ? install_make_link(e->install, file, path, e->changes) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        return 0;
}

static int link_aliases(struct enabling *e, const struct install_section *s, const char *name,
                        const char *path)
{
        STRV_FOREACH (alias, s->alias) {
                if (!unit_name_is_valid(*alias) || unit_name_type(*alias) != unit_name_type(name))
                        return install_complain(e->install, -EINVAL, name,
                                                "Alias= has a bad unit name");
                if (streq(*alias, name))
                        continue;
                CLEANUP(free) char *file = fs_path_join(e->dir, *alias);
                int r = file ? install_make_link(e->install, file, path, e->changes) : -ENOMEM;

                if (r < 0)
                        return r;
        }
        return 0;
}

// Would the unit be refused for its file?
static int check_linked(struct install *i, const char *path)
{
        CLEANUP(free) char *full = str_printf("%s%s", i->root ? i->root : "", path);
        struct fail why = {0};

        if (!full)
                return -ENOMEM;
        CLEANUP(fd)
        int fd =
                trust_open(full, O_RDONLY | O_NOCTTY | O_NONBLOCK, i->trust, FS_NOBODY, NULL, &why);

        if (fd < 0 && why.error)
                trust_complain(&why, NULL, path, i->diag);
        return fd < 0 && why.error ? -EPERM : 0; // a link to what is not there yet is fine
}

// A unit file outside the path is linked into it; *name becomes the unit's.
static int link_file(struct enabling *e, char **name)
{
        const char *base = fs_path_basename(*name);
        CLEANUP(free) char *file = NULL;

        if (!unit_name_is_valid(base))
                return install_complain(e->install, -EINVAL, *name, "is no path of a unit file");
        STRV_FOREACH (dir, e->install->dirs) {
                const char *rest = str_after_prefix(*name, install_path_inside(e->install, *dir));

                if (rest && streq(rest + strspn(rest, "/"), base))
                        return str_set(name, base);
        }
        file = fs_path_join(e->dir, base);
        int r = file ? check_linked(e->install, *name) : -ENOMEM;

        if (r == 0)
                r = install_make_link(e->install, file, *name, e->changes);
        if (r < 0)
                return r;
        CLEANUP(free) char *unit = strdup(base);

        if (!unit)
                return -ENOMEM;
        free(*name);
        *name = TAKE(unit);
        search_free(e->install->search); // it has one more unit now
        e->install->search = NULL;
        return search_new_in_root(e->install->root, e->install->dirs, e->install->trust, NULL,
                                  &e->install->search);
}

int install_find_file(struct install *i, const char *name, struct search_result *found)
{
        if (!unit_name_is_valid(name))
                return install_complain(i, -EINVAL, name, "Is not the name of a unit.");
        int r = search_find(i->search, name, found);

        if (r < 0)
                return r;
        if (found->verdict == SEARCH_NOT_FOUND)
                return install_complain(i, -ENOENT, name, "Unit file does not exist.");
        if (found->verdict == SEARCH_MASKED)
                return install_complain(i, -EADDRNOTAVAIL, name, "Unit file is masked.");
        if (found->verdict == SEARCH_BLOCK)
                return install_complain(i, -EOPNOTSUPP, name,
                                        "Is a block of usher.conf, which has no [Install].");
        return 0;
}

// 1: its [Install] is not empty.
static int enable_one(struct enabling *e, size_t index)
{
        CLEANUP(search_result) struct search_result found = {0};
        CLEANUP(install_section) struct install_section s = {0};
        CLEANUP(free) char *instance = NULL;

        if (e->todo[index][0] == '/') {
                int r = link_file(e, &e->todo[index]);

                if (r < 0)
                        return r;
        }
        const char *name = e->todo[index];
        int r = install_find_file(e->install, name, &found);

        if (r == 0)
                r = install_read_section(e->install, name, found.path, &s);
        if (r == 0)
                r = instance_of(e->install, name, &s, &instance);
        const char *path = r == 0 ? install_path_inside(e->install, found.path) : NULL;

        if (r == 0 && instance)
                r = link_into(e, s.wanted_by, ".wants", instance, path);
        if (r == 0 && instance)
                r = link_into(e, s.required_by, ".requires", instance, path);
        if (r == 0 && instance)
                r = link_into(e, s.upheld_by, ".upholds", instance, path);
        if (r == 0)
                r = link_aliases(e, &s, name, path);
        STRV_FOREACH (also, s.also) {
                if (r == 0 && !unit_name_is_valid(*also)) // a path would be linked
                        r = install_complain(e->install, -EINVAL, name,
                                             "Also= has a bad unit name");
                if (r == 0 && !strv_contains(e->todo, *also))
                        r = strv_push(&e->todo, *also);
        }
        return r < 0 ? r : s.wanted_by || s.required_by || s.upheld_by || s.alias || s.also;
}

static int begin(struct install *i, char *const *names, struct enabling *ret)
{
        const char *dir = install_target_dir(i);

        if (!dir)
                return install_complain(
                        i, -EROFS, NULL,
                        "The unit path has no folder for such links (see --runtime).");
        ret->install = i;
        ret->dir = dir;
        return strv_copy(names, &ret->todo);
}

int install_enable(struct install *i, char *const *names, struct install_changes *changes)
{
        struct enabling e = {.changes = changes};
        int r = begin(i, names, &e), n = 0;

        for (size_t k = 0; r >= 0 && k < strv_length(e.todo); k++) {
                r = k < NAMES_MAX ? enable_one(&e, k) : -ELOOP;
                n += r > 0;
        }
        strv_free(e.todo);
        return r < 0 ? r : n;
}

// ---- disable

struct disabling {
        struct install *install;
        struct install_changes *changes;
        char **names;
        bool is_missing; // the first has no file; its links are still removed
};

// Does the link lead to one of the units, or have the name of one, or of an instance of a template?
static bool concerns(const struct disabling *d, const char *name)
{
        CLEANUP(free) char *template = NULL;

        if (strv_contains(d->names, name))
                return true;
        return unit_name_is_instance(name) && unit_name_template(name, &template) == 0 &&
               strv_contains(d->names, template);
}

static int on_link(void *data, const char *dir, const char *folder, const char *name,
                   const char *target)
{
        struct disabling *d = data;
        const char *to = fs_path_basename(target);

        if (streq(target, "/dev/null") || !(concerns(d, name) || concerns(d, to)))
                return 0;
        CLEANUP(free)
        char *file = folder ? str_printf("%s/%s/%s", dir, folder, name) : fs_path_join(dir, name);

        return file ? install_remove_link(file, d->changes) : -ENOMEM;
}

static int add_also(struct disabling *d)
{
        for (size_t k = 0; k < strv_length(d->names); k++) {
                CLEANUP(search_result) struct search_result found = {0};
                CLEANUP(install_section) struct install_section s = {0};
                int r = k < NAMES_MAX ? search_find(d->install->search, d->names[k], &found)
                                      : -ELOOP;

                if (r == 0 && found.verdict == SEARCH_FOUND)
                        r = install_read_section(d->install, d->names[k], found.path, &s);
                if (r == -EPERM) // already reported; its links are still removed
                        r = 0;
                d->is_missing |= r == 0 && found.verdict == SEARCH_NOT_FOUND && k == 0;
                STRV_FOREACH (also, s.also)
                        if (r == 0 && !strv_contains(d->names, *also))
                                r = strv_push(&d->names, *also);
                if (r < 0)
                        return r;
        }
        return 0;
}

int install_disable(struct install *i, char *const *names, struct install_changes *changes)
{
        struct disabling d = {.install = i, .changes = changes};
        size_t n_before = changes->n;
        int r = 0;

        STRV_FOREACH (name, names)
                if (r == 0)
                        r = strv_push(&d.names, fs_path_basename(*name));
        if (r == 0)
                r = add_also(&d);
        STRV_FOREACH (dir, i->dirs)
                if (r == 0 && install_rank_of(i, *dir) == install_wanted_rank(i))
                        r = install_each_link(i, *dir, on_link, &d);
        if (r == 0 && d.is_missing && changes->n == n_before)
                r = install_complain(i, -ENOENT, d.names[0], "Unit file does not exist.");
        strv_free(d.names);
        return r;
}

// ---- mask

// Would a file of higher rank hide a link in this folder, or occupy its path?
static int is_hidden(const struct install *i, const char *target, const char *name)
{
        STRV_FOREACH (dir, i->dirs) {
                CLEANUP(free) char *file = fs_path_join(*dir, name);
                struct stat st;

                if (!file)
                        return -ENOMEM;
                bool is_there = !unit_path_is_control(*dir) && lstat(file, &st) == 0;

                if (*dir == target)
                        return is_there && !S_ISLNK(st.st_mode);
                if (is_there)
                        return 1;
        }
        return 0;
}

// The folder for masks of the requested rank, or any. NULL: there is none.
static const char *control_dir(const struct install *i)
{
        const char *any = NULL;

        STRV_FOREACH (dir, i->dirs) {
                if (!unit_path_is_control(*dir) || install_rank_of(i, *dir) == INSTALL_VENDOR)
                        continue;
                if (install_rank_of(i, *dir) == install_wanted_rank(i))
                        return *dir;
                if (!any)
                        any = *dir;
        }
        return any;
}

static int mask_one(struct install *i, const char *name, struct install_changes *changes)
{
        const char *dir = install_target_dir(i);
        int is_in_vain = dir ? 0 : 1;

        if (!unit_name_is_valid(name))
                return install_complain(i, -EINVAL, name, "is no unit name");
        if (dir)
                is_in_vain = is_hidden(i, dir, name);
        if (is_in_vain > 0)
                dir = control_dir(i);
        if (is_in_vain < 0)
                return is_in_vain;
        if (!dir && !install_target_dir(i))
                return install_complain(i, -EROFS, NULL,
                                        "The unit path has no folder for such links.");
        if (!dir)
                return install_complain(
                        i, -EEXIST, name,
                        "Its file is in the folder of such links, or above; it is not "
                        "replaced. Move it to a folder that ranks below.");
        CLEANUP(free) char *file = fs_path_join(dir, name);

        return file ? install_make_link(i, file, "/dev/null", changes) : -ENOMEM;
}

int install_mask(struct install *i, char *const *names, struct install_changes *changes)
{
        int r = 0;

        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = mask_one(i, *name, changes);
        return r;
}

// Masks in a folder for masks are removed whatever their rank, since mask may have had no other
// folder.
static int unmask_one(struct install *i, const char *name, struct install_changes *changes)
{
        int r = 0;

        if (!unit_name_is_valid(name))
                return install_complain(i, -EINVAL, name, "is no unit name");
        STRV_FOREACH (dir, i->dirs) {
                CLEANUP(free) char *file = fs_path_join(*dir, name);
                CLEANUP(free) char *to = NULL;

                if (!file)
                        return -ENOMEM;
                bool is_looked_at =
                        install_rank_of(i, *dir) == install_wanted_rank(i) ||
                        (unit_path_is_control(*dir) && install_rank_of(i, *dir) != INSTALL_VENDOR);

                if (is_looked_at && fs_readlink(file, &to) >= 0 && streq(to, "/dev/null"))
                        r = install_remove_link(file, changes);
                if (r < 0)
                        return r;
        }
        return 0;
}

int install_unmask(struct install *i, char *const *names, struct install_changes *changes)
{
        int r = 0;

        STRV_FOREACH (name, names)
                if (r >= 0)
                        r = unmask_one(i, *name, changes);
        return r;
}

// ---- list

void install_list_free(struct install_file *files, size_t n)
{
        for (size_t i = 0; files && i < n; i++)
                free(files[i].path);
        free(files);
}

int install_list_names(struct install *i, char ***ret)
{
        return search_list(i->search, ret);
}

int install_get_file(struct install *i, const char *name, struct install_file *ret)
{
        CLEANUP(search_result) struct search_result found = {0};
        struct install_file file = {0};
        int r = search_find(i->search, name, &found);

        if (r == 0)
                r = install_get_state(i, name, &file.state);
        if (r < 0)
                return r;
        const char *path = found.path ? found.path : "/";

        // Aliases are listed by their own name, in the folder of their target.
        file.path = str_printf("%.*s/%s", (int)(strrchr(path, '/') - path), path, name);
        if (!file.path)
                return -ENOMEM;
        *ret = file;
        return 0;
}

int install_list(struct install *i, struct install_file **ret, size_t *ret_n)
{
        CLEANUP(strv) char **names = NULL;
        int r = install_list_names(i, &names);
        size_t n = 0;

        if (r < 0)
                return r;
        struct install_file *files = calloc(strv_length(names) + 1, sizeof(*files));

        if (!files)
                return -ENOMEM;
        STRV_FOREACH (name, names) {
                r = install_get_file(i, *name, &files[n]);
                if (r < 0) {
                        install_list_free(files, n);
                        return r;
                }
                n++;
        }
        *ret = files;
        *ret_n = n;
        return 0;
}
