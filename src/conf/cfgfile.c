// From records (cfgfile_parse.h) to settings and blocks; which files are read.
#include "conf/cfgfile.h"

#include "base/array.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/cfgfile_parse.h"
#include "conf/search.h"
#include "conf/unit_name.h"

#include <dirent.h>
#include <fcntl.h>

#define FILE_MAX_SIZE ((size_t)16 * 1024 * 1024)

struct cfgfile {
        char *dir; // of usher.conf
        char **paths;
        struct map *blocks; // unit name -> struct cfgfile_block
};

struct loading {
        struct cfgfile *c;
        struct settings *settings;
        struct diag *diag;
        const char *path; // of the current file
        enum trust_mode trust;
        uid_t owner; // trusted besides root
        bool is_bad;
};

static void block_free(struct cfgfile_block *b)
{
        if (!b)
                return;
        for (size_t i = 0; i < b->n_lines; i++) {
                free(b->lines[i].name);
                free(b->lines[i].value);
        }
        free(b->lines);
        free(b->name);
        free(b->file);
        free(b->dir);
        free(b);
}

DEFINE_CLEANUP(block, struct cfgfile_block *, block_free)

void cfgfile_free(struct cfgfile *c)
{
        size_t position = 0;
        void *block;

        if (!c)
                return;
        while (c->blocks && map_next(c->blocks, &position, NULL, &block))
                block_free(block);
        map_free(c->blocks);
        strv_free(c->paths);
        free(c->dir);
        free(c);
}

const struct cfgfile_block *cfgfile_find(const struct cfgfile *c, const char *unit_name)
{
        return map_get(c->blocks, unit_name);
}

const struct cfgfile_block *cfgfile_next(const struct cfgfile *c, size_t *position)
{
        void *block;

        return map_next(c->blocks, position, NULL, &block) ? block : NULL;
}

char *const *cfgfile_paths(const struct cfgfile *c)
{
        return c->paths;
}

// Complains about a line of the current file, which is then refused; gives 0, to find more faults.
#define COMPLAIN(l, line, ...) \
        ((l)->is_bad = true,   \
         diag_report((l)->diag, DIAG_ERROR, NULL, (l)->path, (line), __VA_ARGS__), 0)

// ---- blocks ------------------------------------------------------------------------------------

static int add_block(struct loading *l, const char *name, enum unit_type type,
                     struct cfgfile_block **ret)
{
        CLEANUP(block) struct cfgfile_block *b = NULL;
        struct cfgfile_block *made;
        int r;

        b = calloc(1, sizeof(*b));
        if (!b)
                return -ENOMEM;
        b->type = type;
        b->name = strdup(name);
        b->file = strdup(l->path);
        b->dir = strdup(l->c->dir);
        r = b->name && b->file && b->dir ? map_set(l->c->blocks, name, b) : -ENOMEM;
        if (r < 0)
                return r;
        made = TAKE(b);
        *ret = made;
        return 0;
}

// Finds or makes the block of a title. 1; 0: the title is invalid (complained about); -ENOMEM.
static int get_block(struct loading *l, const char *type_name, const char *title, unsigned line,
                     struct cfgfile_block **ret)
{
        CLEANUP(free) char *name = NULL;
        enum unit_type type = unit_type_from_name(type_name);
        struct cfgfile_block *b;
        int r;

        name = unit_name_type(title) == type ? strdup(title)
                                             : str_printf("%s.%s", title, type_name);
        if (!name)
                return -ENOMEM;
        if (!unit_name_is_valid(name))
                return COMPLAIN(l, line, "'%s' is no valid unit name.", name);
        b = map_get(l->c->blocks, name);
        if (!b) {
                r = add_block(l, name, type, &b);
                if (r < 0)
                        return r;
        }
        *ret = b;
        return 1;
}

static int add_line(struct loading *l, struct cfgfile_block *b, const char *name, char *value,
                    unsigned line)
{
        struct cfgfile_line *new;

        value = str_strip(value); // as around the value of a unit file
        if (!str_is_utf8(value) || strpbrk(value, "\n\r"))
                return COMPLAIN(l, line, "A value of %s= has a line break or is not UTF-8.", name);
        if (ARRAY_RESERVE(b->lines, b->n_lines, b->lines_capacity, 4) < 0)
                return -ENOMEM;
        new = &b->lines[b->n_lines];
        *new = (struct cfgfile_line){strdup(name), strdup(value), line,
                                     l->c->paths[strv_length(l->c->paths) - 1]};
        b->n_lines++;
        return new->name &&new->value ? 0 : -ENOMEM;
}

// ---- records -----------------------------------------------------------------------------------

static int take_setting(struct loading *l, const char *name, const char *value, unsigned line)
{
        struct settings ignored;
        const char *near;
        int r;

        settings_init(&ignored);
        r = settings_set(l->settings ? l->settings : &ignored, name, value, l->path, line, l->diag);
        settings_done(&ignored);
        if (r == SETTINGS_BAD)
                l->is_bad = true;
        if (r == SETTINGS_UNKNOWN && !str_after_prefix(name, "X-")) {
                near = settings_nearest(name);
                l->is_bad = true; // the setting might be one that restricts access
                diag_report(l->diag, DIAG_ERROR, NULL, l->path, line, "Unknown setting '%s'.%s%s%s",
                            name, near ? " Did you mean " : "", near ? near : "", near ? "=?" : "");
        }
        return r < 0 ? r : 0;
}

static int take_record(struct loading *l, char tag, char **fields)
{
        struct cfgfile_block *block;
        int r;

        switch (tag) {
        case CFGFILE_VALUE: {
                unsigned line = (unsigned)strtoul(fields[4], NULL, 10);

                r = get_block(l, fields[0], fields[1], line, &block);
                return r > 0 ? add_line(l, block, fields[2], fields[3], line) : r;
        }
        case CFGFILE_SETTING:
                return take_setting(l, fields[0], fields[1],
                                    (unsigned)strtoul(fields[2], NULL, 10));
        case CFGFILE_BLOCK:
                if (l->is_bad) // the complaint about its title may have been made with a line
                        return 0;
                r = get_block(l, fields[0], fields[1], 0, &block);
                return r < 0 ? r : 0;
        default:
                return COMPLAIN(l, (unsigned)strtoul(fields[0], NULL, 10), "%s", fields[1]);
        }
}

// The records come from our own child, but it has read a file: check all of them.
static int take_records(struct loading *l, char *records, size_t size)
{
        char *p = records, *end = records + size;
        int r = 0;

        while (p < end && r >= 0) {
                char *fields[CFGFILE_FIELDS_MAX];
                char tag = *p++;
                size_t n = tag == CFGFILE_VALUE ? 5 : tag == CFGFILE_SETTING ? 3 : 2;

                if (!strchr("vsbe", tag))
                        return -EIO;
                for (size_t i = 0; i < n; i++) {
                        char *stop = p < end ? memchr(p, '\0', (size_t)(end - p)) : NULL;

                        if (!stop)
                                return -EIO;
                        fields[i] = p;
                        p = stop + 1;
                }
                r = take_record(l, tag, fields);
        }
        return r;
}

static int take_text(struct loading *l, const char *text, size_t size)
{
        CLEANUP(cfgfile_scan) struct cfgfile_scan scan;
        CLEANUP(free) char *records = NULL;
        size_t n = 0;
        int r = cfgfile_scan(text, size, &scan);

        if (r < 0)
                return r;
        if (scan.fault)
                return COMPLAIN(l, scan.fault_line, "%s", scan.fault);
        r = cfgfile_parse_apart(&scan, &records, &n);
        return r < 0 ? r : take_records(l, records, n);
}

static int make_empty(const char *path, struct cfgfile **ret)
{
        CLEANUP(cfgfile) struct cfgfile *c = calloc(1, sizeof(*c));
        const char *slash = strrchr(path, '/');

        if (!c)
                return -ENOMEM;
        c->blocks = map_new();
        c->dir = slash ? str_ndup(path, (size_t)(slash - path)) : strdup(".");
        if (c->blocks && c->dir)
                *ret = TAKE(c);
        return c ? -ENOMEM : 0;
}

// Keeps the path of the current file for its lines.
static int begin_file(struct loading *l, const char *path)
{
        int r = strv_push(&l->c->paths, path);

        if (r == 0)
                l->path = l->c->paths[strv_length(l->c->paths) - 1];
        return r;
}

int cfgfile_from_records(const char *path, char *records, size_t size, struct settings *settings,
                         struct diag *diag, struct cfgfile **ret)
{
        CLEANUP(cfgfile) struct cfgfile *c = NULL;
        struct loading l = {.settings = settings, .diag = diag, .path = path};
        int r = make_empty(path, &c);

        if (r < 0)
                return r;
        l.c = c;
        r = begin_file(&l, path);
        if (r == 0)
                r = take_records(&l, records, size);
        if (r == 0 && l.is_bad)
                r = -EBADMSG;
        if (r == 0)
                *ret = TAKE(c);
        return r;
}

// ---- files -------------------------------------------------------------------------------------

// Opens the file or a folder of such files. Descriptor; -EPERM: it is not trusted (complained
// about); -errno.
static int open_trusted(struct loading *l, const char *path, int flags)
{
        struct fail why = {0};
        int fd = trust_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | flags, l->trust, l->owner,
                            NULL, &why);

        if (!why.error)
                return fd;
        l->is_bad = true;
        diag_report(l->diag, DIAG_ERROR, NULL, path, 0,
                    "Refused, as usherd does what it says with root's rights: %s", why.detail);
        return -EPERM;
}

static int take_file(struct loading *l, const char *path)
{
        CLEANUP(free) char *text = NULL;
        size_t size = 0;
        int r = begin_file(l, path);

        if (r < 0)
                return r;
        CLEANUP(fd) int fd = open_trusted(l, l->path, 0);

        r = fd < 0 ? fd : fs_read_fd(fd, FILE_MAX_SIZE, &text, &size);
        if (r >= 0)
                r = take_text(l, text, size);
        if (r < 0 && r != -ENOMEM && r != -EPERM)
                (void)COMPLAIN(l, 0, "Cannot be read: %s", strerror(-r));
        return r;
}

static int read_folder(const char *folder, DIR *d, char ***list)
{
        const struct dirent *de;

        while (errno = 0, (de = readdir(d))) {
                CLEANUP(free) char *full = NULL;

                if (de->d_name[0] == '.' || !str_at_suffix(de->d_name, ".conf"))
                        continue;
                full = fs_path_join(folder, de->d_name);
                int r = full ? 0 : -ENOMEM;

                if (full && search_path_is_mask(full) <= 0)
                        r = strv_push(list, full);
                if (r < 0)
                        return r;
        }
        return -errno;
}

static int list_dropins(struct loading *l, const char *path, char ***ret)
{
        CLEANUP(free) char *folder = str_printf("%s.d", path);
        CLEANUP(strv) char **list = NULL;

        if (!folder)
                return -ENOMEM;
        int fd = open_trusted(l, folder, O_DIRECTORY);

        if (fd < 0)
                return fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
        DIR *d = fdopendir(fd);

        if (!d) {
                fd_close(fd);
                return -ENOMEM;
        }
        int r = read_folder(folder, d, &list);

        closedir(d);
        if (r < 0)
                return r;
        strv_sort(list);
        *ret = TAKE(list);
        return 0;
}

// Checks the folder of the file: a user who may write it can replace the file. (If the command line
// names the file its owner is trusted, whatever the folder.)
static int check_folder(struct loading *l)
{
        if (l->trust != TRUST_ROOT)
                return 0;
        CLEANUP(fd) int fd = open_trusted(l, l->c->dir, O_DIRECTORY);

        return fd == -EPERM ? fd : 0; // reading the file reports any other error
}

int cfgfile_load(const char *path, enum trust_mode trust, struct settings *settings,
                 struct diag *diag, struct cfgfile **ret)
{
        CLEANUP(cfgfile) struct cfgfile *c = NULL;
        CLEANUP(strv) char **dropins = NULL;
        struct loading l = {.settings = settings,
                            .diag = diag,
                            .path = path,
                            .trust = trust,
                            .owner = trust_owner_of(path, trust)};
        int r = make_empty(path, &c);

        if (r < 0)
                return r;
        l.c = c;
        bool is_there = access(path, F_OK) == 0;

        r = list_dropins(&l, path, &dropins);
        if (r < 0 && r != -ENOMEM && r != -EPERM)
                (void)COMPLAIN(&l, 0, "The folder with .conf files cannot be read: %s",
                               strerror(-r));
        if (r >= 0 && (is_there || dropins))
                r = check_folder(&l);
        if (r >= 0 && is_there)
                r = take_file(&l, path);
        STRV_FOREACH (dropin, dropins)
                if (r >= 0)
                        r = take_file(&l, *dropin);
        if (l.is_bad && (r >= 0 || r == -EPERM))
                r = -EBADMSG;
        if (r < 0)
                return r;
        *ret = TAKE(c);
        return 0;
}
