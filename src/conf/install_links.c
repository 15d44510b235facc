// The links of a unit path as an index, so that the state of each of many units needs one look-up;
// and whether the folders are unchanged since they were read.
#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/str.h"
#include "conf/install_priv.h"
#include "conf/unit_name.h"

#include <dirent.h>
#include <sys/stat.h>

// The longest tick of the kernel's clock for files. A file that was changed shortly before it was
// read may have been changed again since, with the same time.
#define CTIME_TICK (20 * USEC_PER_MSEC)

// A link in a folder for links (.wants, .requires, .upholds), or an alias beside the unit files.
struct link {
        struct link *next;       // of all
        struct link *next_alike; // of links with the same key
        enum install_rank rank;
        char name[];
};

// A folder that was read.
struct stamp {
        char *path;
        struct stat st; // st_ino 0: there was none
};

struct install_links {
        struct link *all;
        struct map *by_name;     // links in folders: by their name
        struct map *by_template; // instances of them: by their template's name
        struct map *by_target;   // aliases: by the name of their target
};

struct install_stamps {
        usec_t read; // realtime
        struct stamp *items;
        size_t n;
};

// ---- stamps

static int add_stamp(struct install *i, const char *path)
{
        struct install_stamps *s = i->stamps;
        struct stamp *more = reallocarray(s->items, s->n + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        s->items = more;
        more[s->n] = (struct stamp){.path = strdup(path)};
        if (!more[s->n].path)
                return -ENOMEM;
        if (stat(path, &more[s->n].st) < 0)
                more[s->n].st.st_ino = 0;
        s->n++;
        return 0;
}

int install_stamp_folders(struct install *i)
{
        int r = 0;

        i->stamps = calloc(1, sizeof(*i->stamps));
        if (!i->stamps)
                return -ENOMEM;
        i->stamps->read = clock_now_realtime();
        for (char **dir = i->dirs; dir && *dir && r == 0; dir++)
                r = add_stamp(i, *dir);
        return r;
}

void install_stamps_free(struct install_stamps *s)
{
        for (size_t k = 0; s && k < s->n; k++)
                free(s->items[k].path);
        free(s ? s->items : NULL);
        free(s);
}

// This time also covers changes of owner and mode.
static usec_t ctime_of(const struct stat *st)
{
        return (usec_t)st->st_ctim.tv_sec * USEC_PER_SEC +
               (usec_t)st->st_ctim.tv_nsec / NSEC_PER_USEC;
}

bool install_is_fresh(const struct install *i)
{
        for (size_t k = 0; k < i->stamps->n; k++) {
                const struct stamp *s = &i->stamps->items[k];
                struct stat now;

                if (stat(s->path, &now) < 0)
                        now.st_ino = 0;
                if (now.st_ino != s->st.st_ino)
                        return false;
                if (now.st_ino != 0 &&
                    (now.st_dev != s->st.st_dev || ctime_of(&now) != ctime_of(&s->st) ||
                     ctime_of(&now) + CTIME_TICK >= i->stamps->read))
                        return false;
        }
        return i->links != NULL; // with it, all folders were stamped
}

// ---- the index

static int add_link(struct install_links *l, struct map *map, const char *key, const char *name,
                    enum install_rank rank)
{
        struct link *link = malloc(sizeof(*link) + strlen(name) + 1);

        if (!link)
                return -ENOMEM;
        *link = (struct link){l->all, map_get(map, key), rank};
        strcpy(link->name, name);
        l->all = link;
        int r = map_set(map, key, link);

        return MIN(r, 0);
}

static int on_link(void *data, const char *dir, const char *folder, const char *name,
                   const char *target)
{
        struct install *i = data;
        struct install_links *l = i->links;
        enum install_rank rank = install_rank_of(i, dir);
        CLEANUP(free) char *template = NULL;

        if (!folder) // a link with the same name only links the file, /dev/null masks the name
                return streq(target, "/dev/null")
                               ? 0
                               : add_link(l, l->by_target, fs_path_basename(target), name, rank);
        int r = add_link(l, l->by_name, name, name, rank);

        if (r == 0 && unit_name_is_instance(name))
                r = unit_name_template(name, &template);
        return r < 0 || !template ? r : add_link(l, l->by_template, template, name, rank);
}

// Folders whose entries are examined: those of links and of drop-ins.
static int stamp_subfolders(struct install *i, const char *dir)
{
        static const char *const suffixes[] = {".wants", ".requires", ".upholds", ".d"};
        DIR *d = opendir(dir);
        int r = 0;

        if (!d)
                return 0; // missing ones are fine
        for (struct dirent *e; r == 0 && (e = readdir(d));)
                for (size_t k = 0; r == 0 && k < ARRAY_SIZE(suffixes); k++) {
                        if (!str_at_suffix(e->d_name, suffixes[k]))
                                continue;
                        CLEANUP(free) char *path = fs_path_join(dir, e->d_name);

                        r = path ? add_stamp(i, path) : -ENOMEM;
                }
        closedir(d);
        return r;
}

static int read_links(struct install *i)
{
        struct install_links *l = i->links = calloc(1, sizeof(*l));
        int r = l && (l->by_name = map_new()) && (l->by_template = map_new()) &&
                                (l->by_target = map_new())
                        ? 0
                        : -ENOMEM;

        for (char **dir = i->dirs; dir && *dir && r == 0; dir++) {
                r = stamp_subfolders(i, *dir);
                if (r == 0)
                        r = install_each_link(i, *dir, on_link, i);
        }
        return r;
}

void install_links_free(struct install_links *l)
{
        if (!l)
                return;
        for (struct link *link = l->all, *next; link; link = next) {
                next = link->next;
                free(link);
        }
        map_free(l->by_name);
        map_free(l->by_template);
        map_free(l->by_target);
        free(l);
}

// ---- what enables a unit

static void count_enabled(const struct map *map, const char *key, struct install_enablement *e)
{
        for (const struct link *l = key ? map_get(map, key) : NULL; l; l = l->next_alike)
                e->is_enabled[l->rank] = true;
}

static bool is_own(const struct install_enablement *e, const char *name)
{
        return streq(name, e->name) || streq(name, e->id) ||
               (e->default_name && streq(name, e->default_name));
}

static void count_aliases(const struct install_links *l, const char *target,
                          struct install_enablement *e)
{
        for (const struct link *a = map_get(l->by_target, target); a; a = a->next_alike)
                if (!is_own(e, a->name))
                        e->is_enabled[a->rank] = true;
}

int install_find_links(struct install *i, struct install_enablement *e)
{
        int r = i->links ? 0 : read_links(i);

        if (r < 0) {
                install_links_free(TAKE(i->links));
                return r;
        }
        count_enabled(i->links->by_name, e->name, e);
        count_enabled(i->links->by_name, e->id, e);
        count_enabled(i->links->by_name, e->default_name, e);
        count_aliases(i->links, e->name, e);
        count_aliases(i->links, e->id, e);
        if (!unit_name_is_template(e->name))
                return 0;
        for (const struct link *l = map_get(i->links->by_template, e->name); l; l = l->next_alike)
                e->has_other = e->has_other || !is_own(e, l->name);
        return 0;
}
