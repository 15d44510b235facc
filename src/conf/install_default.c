// The default target, dependencies by links, the return to the files of packages, and the existing
// links (systemctl(1): set-default, add-wants, revert).
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install_priv.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include <dirent.h>
#include <sys/stat.h>

#define DEFAULT_TARGET "default.target"

// ---- the default target

int install_get_default(struct install *i, char **ret)
{
        CLEANUP(search_result) struct search_result found = {0};
        int r = search_find(i->search, DEFAULT_TARGET, &found);

        if (r < 0)
                return r;
        return found.verdict == SEARCH_FOUND ? str_set(ret, found.id) : -ENOENT;
}

int install_set_default(struct install *i, const char *name, struct install_changes *changes)
{
        CLEANUP(search_result) struct search_result found = {0};
        const char *dir = install_target_dir(i);

        if (!unit_name_is_valid(name) || unit_name_type(name) != UNIT_TARGET ||
            unit_name_is_template(name) || streq(name, DEFAULT_TARGET))
                return install_complain(i, -EINVAL, name, "is not the name of a target");
        int r = install_find_file(i, name, &found);

        if (r < 0)
                return r;
        if (!dir)
                return install_complain(i, -EROFS, NULL,
                                        "The unit path has no folder for such links.");
        CLEANUP(free) char *file = fs_path_join(dir, DEFAULT_TARGET);

        return file ? install_make_link(i, file, install_path_inside(i, found.path), changes)
                    : -ENOMEM;
}

int install_get_folder(const struct install *i, char **ret)
{
        const char *dir = install_target_dir(i);

        return dir ? str_set(ret, install_path_inside(i, dir)) : -EROFS;
}

// ---- dependencies

int install_add_dependency(struct install *i, char *const *names, const char *target,
                           const char *suffix, struct install_changes *changes)
{
        const char *dir = install_target_dir(i);

        if (!unit_name_is_valid(target))
                return install_complain(i, -EINVAL, target, "is no unit name");
        if (!dir)
                return install_complain(i, -EROFS, NULL,
                                        "The unit path has no folder for such links.");
        STRV_FOREACH (name, names) {
                CLEANUP(search_result) struct search_result found = {0};
                int r = install_find_file(i, *name, &found);

                if (r < 0)
                        return r;
                if (unit_name_is_template(*name))
                        return install_complain(i, -EINVAL, *name,
                                                "is a template: name an instance");
                CLEANUP(free) char *file = str_printf("%s/%s%s/%s", dir, target, suffix, *name);

                r = file ? install_make_link(i, file, install_path_inside(i, found.path), changes)
                         : -ENOMEM;
                if (r < 0)
                        return r;
        }
        return 0;
}

// ---- revert

// Removes drop-ins: first the files, each of which is reported, then the folder with any other
// content.
static int revert_dropins(const char *folder, struct install_changes *changes)
{
        DIR *dir = opendir(folder);
        const struct dirent *entry;
        int r = 0;

        if (!dir)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        while (r >= 0 && (entry = readdir(dir))) {
                if (!str_at_suffix(entry->d_name, ".conf"))
                        continue;
                CLEANUP(free) char *file = fs_path_join(folder, entry->d_name);

                r = file ? install_remove_link(file, changes) : -ENOMEM;
        }
        closedir(dir);
        if (r >= 0)
                r = fs_remove_tree(folder);
        return r < 0 ? r : install_add_change(changes, INSTALL_UNLINK, folder, NULL);
}

static int has_vendor_file(const struct install *i, const char *name)
{
        STRV_FOREACH (dir, i->dirs) {
                CLEANUP(free) char *file = fs_path_join(*dir, name);

                if (!file)
                        return -ENOMEM;
                if (install_rank_of(i, *dir) == INSTALL_VENDOR && access(file, F_OK) == 0)
                        return 1;
        }
        return 0;
}

static int revert_in(const char *dir, const char *name, bool has_vendor,
                     struct install_changes *changes)
{
        CLEANUP(free) char *file = fs_path_join(dir, name);
        CLEANUP(free) char *folder = str_printf("%s/%s.d", dir, name);
        CLEANUP(free) char *to = NULL;
        struct stat st;

        if (!file || !folder)
                return -ENOMEM;
        int r = revert_dropins(folder, changes);

        if (r < 0 || lstat(file, &st) < 0)
                return r;
        bool is_mask = S_ISLNK(st.st_mode) && fs_readlink(file, &to) >= 0 && streq(to, "/dev/null");

        return has_vendor || is_mask ? install_remove_link(file, changes) : 0;
}

int install_revert(struct install *i, char *const *names, struct install_changes *changes)
{
        STRV_FOREACH (name, names) {
                if (!unit_name_is_valid(*name))
                        return install_complain(i, -EINVAL, *name, "is no unit name");
                int r = has_vendor_file(i, *name);
                bool has_vendor = r > 0;

                STRV_FOREACH (dir, i->dirs)
                        if (r >= 0 && install_rank_of(i, *dir) != INSTALL_VENDOR)
                                r = revert_in(*dir, *name, has_vendor, changes);
                if (r < 0)
                        return r;
        }
        return 0;
}

// ---- links

struct collection {
        const char *name;
        char **links;
};

static int on_link(void *data, const char *dir, const char *folder, const char *name,
                   const char *target)
{
        struct collection *c = data;

        if (!streq(name, c->name) && !streq(fs_path_basename(target), c->name))
                return 0;
        return strv_push_take(&c->links, folder ? str_printf("%s/%s/%s", dir, folder, name)
                                                : str_printf("%s/%s", dir, name));
}

int install_get_links(struct install *i, const char *name, char ***ret)
{
        struct collection c = {.name = name};
        int r = unit_name_is_valid(name) ? 0 : -EINVAL;

        STRV_FOREACH (dir, i->dirs)
                if (r == 0 && install_rank_of(i, *dir) == install_wanted_rank(i))
                        r = install_each_link(i, *dir, on_link, &c);
        if (r < 0)
                strv_free(c.links);
        else
                *ret = c.links;
        return r;
}
