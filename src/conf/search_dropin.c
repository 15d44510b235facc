// Folders below the path: NAME.d with drop-ins, NAME.wants and the like with links.
#include "base/array.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/search_index.h"
#include "conf/unit_name.h"

#include <dirent.h>

static int read_folder(struct search *s, struct search_folder *f)
{
        CLEANUP(strv) char **files = NULL;
        DIR *d;
        int r = 0;

        if (f->is_read)
                return 0;
        d = search_open_folder(s, f);
        if (!d)
                r = -errno;
        bool is_shared = d && s->trust != TRUST_ALL && trust_is_shared(dirfd(d));

        while (d && r == 0) {
                const struct dirent *de;

                errno = 0;
                de = readdir(d);
                if (!de) {
                        r = -errno;
                        break;
                }
                if (de->d_name[0] == '.' ||
                    (is_shared &&
                     trust_is_strange_link(dirfd(d), de->d_name, s->hands[f->dir].owner)))
                        continue;
                r = strv_push(&files, de->d_name);
        }
        if (d)
                closedir(d);
        if (r < 0)
                return r;
        strv_sort(files);
        f->files = TAKE(files);
        f->is_read = true;
        return 0;
}

// ---- which folders, in which order -------------------------------------------------------------

struct folders {
        struct search_folder **items;
        size_t n, capacity;
};

static int push_folder(struct folders *list, const struct search *s, size_t dir, const char *name,
                       const char *suffix)
{
        CLEANUP(free) char *key = str_printf("%s%s", name, suffix);
        struct search_folder *f;

        if (!key)
                return -ENOMEM;
        f = map_get(s->folders[dir], key);
        if (!f)
                return 0;
        for (size_t i = 0; i < list->n; i++)
                if (list->items[i] == f)
                        return 0;
        if (ARRAY_RESERVE(list->items, list->n, list->capacity, 8) < 0)
                return -ENOMEM;
        list->items[list->n++] = f;
        return 0;
}

// The name without the part after the last dash of its prefix: foo-bar-x@i.service gives
// foo-bar-@i.service, that gives foo-@i.service, that NULL.
static int chop_prefix(const char *name, char **ret)
{
        size_t prefix = strcspn(name, "@"), end;
        const char *dot = strrchr(name, '.');

        if (dot && prefix > (size_t)(dot - name))
                prefix = (size_t)(dot - name);
        end = prefix;
        if (end > 0 && name[end - 1] == '-')
                end--;
        while (end > 0 && name[end - 1] != '-')
                end--;
        if (end == 0) {
                *ret = NULL;
                return 0;
        }
        *ret = str_printf("%.*s%s", (int)end, name, name + prefix);
        return *ret ? 0 : -ENOMEM;
}

// The folders for what is left of a name when it is cut at each dash, and for the templates of
// that; is_whole: for the name itself first.
static int push_cuts(struct folders *list, const struct search *s, size_t dir, const char *name,
                     bool is_whole, const char *suffix)
{
        CLEANUP(free) char *current = strdup(name);

        if (!current)
                return -ENOMEM;
        while (current) {
                CLEANUP(free) char *template_name = NULL, *chopped = NULL;
                int r = is_whole ? push_folder(list, s, dir, current, suffix) : 0;

                if (r >= 0 && is_whole && unit_name_is_instance(current))
                        r = unit_name_template(current, &template_name);
                if (r >= 0 && template_name)
                        r = push_folder(list, s, dir, template_name, suffix);
                if (r >= 0)
                        r = chop_prefix(current, &chopped);
                if (r < 0)
                        return r;
                free(current);
                current = TAKE(chopped);
                is_whole = true;
        }
        return 0;
}

// All folders for one name in one folder of the path, in systemd's order: the name and its
// template; for an instance the prefix alone, cut at each dash; then the name, cut at each dash.
static int push_name(struct folders *list, const struct search *s, size_t dir, const char *name,
                     const char *suffix)
{
        CLEANUP(free) char *template_name = NULL, *plain = NULL;
        int r;

        if (!unit_name_is_instance(name) && !unit_name_is_template(name))
                return push_cuts(list, s, dir, name, true, suffix);
        r = push_folder(list, s, dir, name, suffix);
        if (r >= 0 && unit_name_is_instance(name))
                r = unit_name_template(name, &template_name);
        if (r >= 0 && template_name)
                r = push_folder(list, s, dir, template_name, suffix);
        if (r < 0)
                return r;
        plain = str_printf("%.*s%s", (int)strcspn(name, "@"), name, strrchr(name, '.'));
        if (!plain)
                return -ENOMEM;
        r = push_cuts(list, s, dir, plain, false, suffix);
        return r < 0 ? r : push_cuts(list, s, dir, name, false, suffix);
}

static int find_folders(const struct search *s, const char *id, char *const *names,
                        const char *suffix, struct folders *list)
{
        enum unit_type type = unit_name_type(id);
        int r = 0;

        for (size_t i = 0; i < s->n_dirs && r == 0; i++)
                r = push_name(list, s, i, id, suffix);
        STRV_FOREACH (name, names)
                for (size_t i = 0; i < s->n_dirs && r == 0; i++)
                        r = push_name(list, s, i, *name, suffix);
        if (type >= 0 && streq(suffix, ".d"))
                for (size_t i = 0; i < s->n_dirs && r == 0; i++)
                        r = push_folder(list, s, i, unit_type_name(type), suffix);
        return r;
}

// ---- their content -----------------------------------------------------------------------------

struct found {
        const char *name;
        struct search_folder *folder;
};

static int compare_found(const void *a, const void *b)
{
        return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

// Every file name once, from the first folder that has it, sorted. The names belong to the folders.
static int collect_files(struct search *s, const struct folders *list, const char *ending,
                         struct found **ret, size_t *ret_n)
{
        CLEANUP(map) struct map *seen = map_new();
        CLEANUP(free) struct found *found = NULL;
        size_t n = 0, total = 0;

        if (!seen)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++) {
                int r = read_folder(s, list->items[i]);

                if (r < 0)
                        return r;
                total += strv_length(list->items[i]->files);
        }
        found = calloc(total + 1, sizeof(*found));
        if (!found)
                return -ENOMEM;
        for (size_t i = 0; i < list->n; i++)
                STRV_FOREACH (file, list->items[i]->files) {
                        int r;

                        if (!str_at_suffix(*file, ending) || map_get(seen, *file))
                                continue;
                        r = map_set(seen, *file, *file);
                        if (r < 0)
                                return r;
                        found[n++] = (struct found){*file, list->items[i]};
                }
        qsort(found, n, sizeof(*found), compare_found);
        *ret = TAKE(found);
        *ret_n = n;
        return 0;
}

int search_dropins(struct search *s, const char *id, char *const *names, char ***ret)
{
        CLEANUP(strv) char **paths = NULL;
        CLEANUP(free) struct found *found = NULL;
        struct folders list = {0};
        size_t n = 0;
        int r = find_folders(s, id, names, ".d", &list);

        if (r >= 0)
                r = collect_files(s, &list, ".conf", &found, &n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                CLEANUP(free) char *path = fs_path_join(found[i].folder->path, found[i].name);

                if (!path)
                        r = -ENOMEM;
                else if (search_path_is_mask(path) >= 0) // a mask is read as well: it is empty
                        r = strv_push(&paths, path);
        }
        // A folder that may not be entered replaces its content: opening it reports the reason.
        for (size_t i = 0; i < list.n && r >= 0; i++)
                if (list.items[i]->fault && !list.items[i]->files)
                        r = strv_push(&paths, list.items[i]->path);
        free(list.items);
        if (r < 0)
                return r;
        *ret = TAKE(paths);
        return 0;
}

// Is all of the folder ignored? Complains about the folder, not about each of its links.
static bool is_refused(const struct search *s, struct search_folder *f, const char *id,
                       struct diag *diag)
{
        const char *fault = s->hands[f->dir].fault ? s->hands[f->dir].fault : f->fault;
        struct fail why;

        if (!fault)
                return false;
        (void)fail_set(&why, EPERM, "refuse", "%s", fault);
        if (!f->is_told)
                trust_complain(&why, id, f->path, diag);
        f->is_told = true;
        return true;
}

// Judges a link of a .wants folder. 1: it is used; 0: it is ignored.
static int judge_dependency(const char *path, const char *name, const char *id, struct diag *diag)
{
        CLEANUP(free) char *target = NULL;
        int r;

        if (search_path_is_mask(path) > 0)
                return 0;
        if (!unit_name_is_valid(name)) {
                diag_report(diag, DIAG_WARNING, id, path, 0,
                            "'%s' is not a valid unit name, dependency ignored.", name);
                return 0;
        }
        r = fs_readlink(path, &target);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                diag_report(diag, DIAG_WARNING, id, path, 0,
                            "Dependency is not a symlink, ignored.");
                return 0;
        }
        return 1;
}

int search_links(struct search *s, const char *id, char *const *names, const char *suffix,
                 struct diag *diag, char ***ret)
{
        CLEANUP(strv) char **links = NULL;
        CLEANUP(free) struct found *found = NULL;
        struct folders list = {0};
        size_t n = 0;
        int r = find_folders(s, id, names, suffix, &list);

        if (r >= 0)
                r = collect_files(s, &list, "", &found, &n);
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (is_refused(s, found[i].folder, id, diag))
                        continue;
                CLEANUP(free) char *path = fs_path_join(found[i].folder->path, found[i].name);

                r = path ? judge_dependency(path, found[i].name, id, diag) : -ENOMEM;
                if (r > 0)
                        r = strv_push(&links, found[i].name);
        }
        free(list.items);
        if (r < 0)
                return r;
        *ret = TAKE(links);
        return 0;
}
