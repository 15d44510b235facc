// The vendor's choice of enabled units (systemd.preset(5)): files NAME.preset beside the folders of
// the unit path, in DIR-preset for DIR. Of files with the same name only the first folder's counts;
// the lines of all are read in the order of the names, and the first line that matches a unit
// decides.
#include "base/fd.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install_priv.h"
#include "conf/unit_name.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>

#define FILE_MAX (1u << 20)

enum action { ACTION_ENABLE, ACTION_DISABLE, ACTION_IGNORE };

struct rule {
        enum action action;
        char *pattern;
        char **instances; // of a template, or NULL
};

struct install_presets {
        struct rule *items;
        size_t n;
};

void install_presets_free(struct install_presets *presets)
{
        if (!presets)
                return;
        for (size_t i = 0; i < presets->n; i++) {
                free(presets->items[i].pattern);
                strv_free(presets->items[i].instances);
        }
        free(presets->items);
        free(presets);
}

// ---- reading

static int add_line(struct diag *diag, const char *file, unsigned number, const char *line,
                    struct install_presets *rules)
{
        static const char *const words[] = {
                [ACTION_ENABLE] = "enable",
                [ACTION_DISABLE] = "disable",
                [ACTION_IGNORE] = "ignore",
        };
        CLEANUP(strv) char **parts = NULL;
        size_t action = 0;
        int r = strv_split(line, " \t\r", &parts);

        if (r < 0 || !parts || !parts[0] || strchr("#;", parts[0][0]))
                return r;
        while (action < ARRAY_SIZE(words) && !streq(words[action], parts[0]))
                action++;
        if (action == ARRAY_SIZE(words) || !parts[1] ||
            (parts[2] && (action != ACTION_ENABLE || !unit_name_is_template(parts[1])))) {
                diag_report(diag, DIAG_WARNING, NULL, file, number,
                            "Not \"enable\", \"disable\" or \"ignore\" and a pattern, ignoring the "
                            "line");
                return 0;
        }
        struct rule *more = realloc(rules->items, (rules->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        rules->items = more;
        struct rule *rule = &more[rules->n];

        *rule = (struct rule){.action = (enum action)action};
        rule->pattern = strdup(parts[1]);
        if (!rule->pattern)
                return -ENOMEM;
        rules->n++;
        return parts[2] ? strv_copy(parts + 2, &rule->instances) : 0;
}

static int add_text(struct diag *diag, const char *file, char *text, struct install_presets *rules)
{
        unsigned number = 0;
        int r = 0;

        for (char *line = text, *end; r == 0 && line; line = end) {
                end = strchr(line, '\n');
                if (end)
                        *end++ = '\0';
                r = add_line(diag, file, ++number, line, rules);
        }
        return r;
}

int install_presets_parse(char *text, const char *file, struct diag *diag,
                          struct install_presets **ret)
{
        CLEANUP(install_presets) struct install_presets *presets = calloc(1, sizeof(*presets));
        int r = presets ? add_text(diag, file, text, presets) : -ENOMEM;

        if (r == 0)
                *ret = TAKE(presets);
        return r;
}

struct reading {
        enum trust_mode trust;
        struct diag *diag;
        struct preset_file {
                char *path;
                uid_t owner; // trusted besides root
        } * files;
        size_t n;
};

static void cleanup_reading(struct reading *r)
{
        for (size_t i = 0; i < r->n; i++)
                free(r->files[i].path);
        free(r->files);
}

// Without the refused file the others would have a different meaning.
static int refuse(const struct reading *r, const char *path, int error, const struct fail *why)
{
        if (why->error)
                trust_complain(why, NULL, path, r->diag);
        return why->error ? -EPERM : error;
}

static int read_file(const struct reading *reading, const struct preset_file *file,
                     struct install_presets *rules)
{
        CLEANUP(free) char *text = NULL;
        struct fail why = {0};
        CLEANUP(fd)
        int fd = trust_open(file->path, O_RDONLY | O_NOCTTY | O_NONBLOCK, reading->trust,
                            file->owner, NULL, &why);
        int r = fd < 0 ? refuse(reading, file->path, fd, &why)
                       : fs_read_fd(fd, FILE_MAX, &text, NULL);

        if (r < 0 && !why.error) {
                diag_report(reading->diag, DIAG_WARNING, NULL, file->path, 0, "%s", strerror(-r));
                return r == -ENOMEM ? r : 0;
        }
        return r < 0 ? r : add_text(reading->diag, file->path, text, rules);
}

static int compare_files(const void *a, const void *b)
{
        const struct preset_file *one = a, *other = b;

        return strcmp(fs_path_basename(one->path), fs_path_basename(other->path));
}

static bool has_name(const struct reading *r, const char *name)
{
        for (size_t i = 0; i < r->n; i++)
                if (streq(fs_path_basename(r->files[i].path), name))
                        return true;
        return false;
}

static int add_file(struct reading *r, const char *folder, const char *name, uid_t owner)
{
        struct preset_file *more = reallocarray(r->files, r->n + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        r->files = more;
        more[r->n] = (struct preset_file){str_printf("%s/%s", folder, name), owner};
        return more[r->n].path ? (r->n++, 0) : -ENOMEM;
}

static int find_files(struct reading *reading, const char *dir)
{
        CLEANUP(free) char *folder = str_printf("%s-preset", dir);
        uid_t owner = trust_owner_of(dir, reading->trust);
        struct fail why = {0};

        if (!folder)
                return -ENOMEM;
        CLEANUP(fd)
        int fd = trust_open(folder, O_RDONLY | O_DIRECTORY, reading->trust, owner, NULL, &why);

        if (fd < 0) // most systems have few of these folders
                return refuse(reading, folder, fd == -ENOMEM ? fd : 0, &why);
        DIR *d = fdopendir(fd);
        int r = d ? 0 : -ENOMEM;

        if (d)
                TAKE_FD(fd);
        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                const char *suffix = str_at_suffix(e->d_name, ".preset");

                if (suffix && suffix != e->d_name && !has_name(reading, e->d_name))
                        r = add_file(reading, folder, e->d_name, owner);
        }
        if (d)
                closedir(d);
        return r;
}

int install_presets_read(char *const *dirs, enum trust_mode trust, struct diag *diag,
                         struct install_presets **ret)
{
        CLEANUP(install_presets) struct install_presets *presets = calloc(1, sizeof(*presets));
        CLEANUP(reading) struct reading reading = {.trust = trust, .diag = diag};
        int r = presets ? 0 : -ENOMEM;

        STRV_FOREACH (dir, dirs)
                if (r == 0)
                        r = find_files(&reading, *dir);
        if (r == 0 && reading.n > 1)
                qsort(reading.files, reading.n, sizeof(*reading.files), compare_files);
        for (size_t i = 0; i < reading.n && r == 0; i++)
                r = read_file(&reading, &reading.files[i], presets);
        if (r == 0)
                *ret = TAKE(presets);
        return r;
}

// ---- query

// Does the rule match the unit? *ret_instances: the instances that it names for a template.
static bool matches(const struct rule *rule, const char *name, char *const **ret_instances)
{
        CLEANUP(free) char *template = NULL, *instance = NULL;

        *ret_instances = NULL;
        if (!rule->instances)
                return fnmatch(rule->pattern, name, FNM_NOESCAPE) == 0;
        if (streq(rule->pattern, name)) {
                *ret_instances = rule->instances;
                return true;
        }
        return unit_name_is_instance(name) && unit_name_template(name, &template) == 0 &&
               streq(rule->pattern, template) && unit_name_instance(name, &instance) == 0 &&
               instance && strv_contains(rule->instances, instance);
}

static enum action ask(const struct install_presets *rules, const char *name,
                       char *const **ret_instances)
{
        for (size_t i = 0; i < rules->n; i++)
                if (matches(&rules->items[i], name, ret_instances))
                        return rules->items[i].action;
        *ret_instances = NULL;
        return ACTION_ENABLE; // as in systemd, if no line matches
}

const char *install_presets_ask(const struct install_presets *presets, const char *name)
{
        static const char *const words[] = {
                [ACTION_ENABLE] = "enabled",
                [ACTION_DISABLE] = "disabled",
                [ACTION_IGNORE] = "ignored",
        };
        char *const *instances;

        return words[ask(presets, name, &instances)];
}

enum install_preset_mode install_preset_mode_from_name(const char *name)
{
        static const char *const names[_INSTALL_PRESET_MODE_MAX] = {
                [INSTALL_PRESET_FULL] = "full",
                [INSTALL_PRESET_ENABLE_ONLY] = "enable-only",
                [INSTALL_PRESET_DISABLE_ONLY] = "disable-only",
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], name))
                        return (enum install_preset_mode)i;
        return _INSTALL_PRESET_MODE_INVALID;
}

// ---- changes

static int enable_instances(struct install *i, const char *template, char *const *instances,
                            struct install_changes *changes)
{
        int r = 0;

        STRV_FOREACH (instance, instances) {
                CLEANUP(free) char *name = NULL;

                if (r == 0)
                        r = unit_name_with_instance(template, *instance, &name);
                if (r == 0) {
                        char *names[] = {name, NULL};

                        r = install_enable(i, names, changes);
                        r = r > 0 ? 0 : r;
                }
        }
        return r;
}

static int apply(struct install *i, const struct install_presets *rules, const char *name,
                 enum install_preset_mode mode, struct install_changes *changes)
{
        char *names[] = {(char *)name, NULL};
        char *const *instances;
        enum action action = ask(rules, name, &instances);

        if (action == ACTION_ENABLE && mode != INSTALL_PRESET_DISABLE_ONLY)
                return instances ? enable_instances(i, name, instances, changes)
                                 : install_enable(i, names, changes);
        if (action == ACTION_DISABLE && mode != INSTALL_PRESET_ENABLE_ONLY)
                return install_disable(i, names, changes);
        return 0;
}

int install_preset(struct install *i, char *const *names, struct install_changes *changes)
{
        CLEANUP(install_presets) struct install_presets *presets = NULL;
        int n = 0, r = install_presets_read(i->dirs, i->trust, i->diag, &presets);

        STRV_FOREACH (name, names) {
                if (r < 0)
                        return r;
                r = apply(i, presets, *name, i->preset_mode, changes);
                n += r > 0;
        }
        return r < 0 ? r : n;
}

// Applies to unit files with an [Install] section, but not to masks, generated files and links.
int install_preset_all(struct install *i, char *const *names UNUSED,
                       struct install_changes *changes)
{
        static const char *const plain[] = {"enabled", "enabled-runtime", "disabled", "indirect"};
        CLEANUP(install_presets) struct install_presets *presets = NULL;
        struct install_file *files = NULL;
        size_t n_files = 0;
        int r = install_presets_read(i->dirs, i->trust, i->diag, &presets);

        if (r == 0)
                r = install_list(i, &files, &n_files);
        for (size_t k = 0; r >= 0 && k < n_files; k++)
                for (size_t s = 0; r >= 0 && s < ARRAY_SIZE(plain); s++)
                        if (streq(files[k].state, plain[s]))
                                r = apply(i, presets, fs_path_basename(files[k].path),
                                          i->preset_mode, changes);
        install_list_free(files, n_files);
        return r < 0 ? r : 1;
}
