// The state of a unit file.
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/ini.h"
#include "conf/install_priv.h"
#include "conf/specifier.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include "base/parse.h"

#include <dirent.h>
#include <sys/stat.h>

// ---- the path

enum install_rank install_rank_of(const struct install *i, const char *dir)
{
        static const char *const vendor[] = {"/usr/lib/", "/usr/local/lib/", "/lib/", "/usr/share/",
                                             USHER_UNITDIR};
        const char *path = i->root ? dir + strlen(i->root) : dir;

        // The first, but for those for masks, is where the administrator's links go, wherever it
        // is.
        for (char *const *first = i->dirs; *first; first++)
                if (!unit_path_is_control(*first)) {
                        if (*first == dir)
                                return INSTALL_CONFIG;
                        break;
                }
        if (str_after_prefix(path, "/run/"))
                return INSTALL_RUNTIME;
        for (size_t k = 0; k < ARRAY_SIZE(vendor); k++)
                if (str_after_prefix(path, vendor[k]))
                        return INSTALL_VENDOR;
        return INSTALL_CONFIG;
}

int install_open(const struct install_options *options, struct install **ret)
{
        CLEANUP(install) struct install *i = calloc(1, sizeof(*i));
        int r = 0;

        if (!i)
                return -ENOMEM;
        i->is_runtime = options->is_runtime;
        i->is_forced = options->is_forced;
        i->trust = options->trust;
        i->preset_mode = options->preset_mode;
        i->diag = options->diag;
        if (options->root && !streq(options->root, "/")) {
                i->root = fs_path_simplify(options->root);
                if (!i->root)
                        return -ENOMEM;
        }
        STRV_FOREACH (dir, options->unit_path) {
                r = strv_push_take(&i->dirs, str_printf("%s%s", i->root ? i->root : "", *dir));
                if (r < 0)
                        return r;
        }
        r = install_stamp_folders(i);
        if (r == 0)
                r = search_new_in_root(i->root, i->dirs, i->trust, NULL, &i->search);
        if (r < 0)
                return r;
        *ret = TAKE(i);
        return 0;
}

void install_close(struct install *i)
{
        if (!i)
                return;
        search_free(i->search);
        install_links_free(i->links);
        install_stamps_free(i->stamps);
        strv_free(i->dirs);
        free(i->root);
        free(i);
}

// ---- links

static int each_in_folder(struct install *i, const char *dir, const char *folder,
                          int (*f)(void *data, const char *dir, const char *folder,
                                   const char *name, const char *target),
                          void *data)
{
        CLEANUP(free) char *path = folder ? fs_path_join(dir, folder) : strdup(dir);
        int r = 0;

        if (!path)
                return -ENOMEM;
        DIR *d = opendir(path);

        if (!d)
                return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
        for (struct dirent *e; r >= 0 && (e = readdir(d));) {
                CLEANUP(free) char *link = fs_path_join(path, e->d_name);
                CLEANUP(free) char *target = NULL;

                if (!link) {
                        r = -ENOMEM;
                        break;
                }
                bool is_folder = !folder && (str_at_suffix(e->d_name, ".wants") ||
                                             str_at_suffix(e->d_name, ".requires") ||
                                             str_at_suffix(e->d_name, ".upholds"));

                if (is_folder)
                        r = each_in_folder(i, dir, e->d_name, f, data);
                else if ((e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) &&
                         unit_name_is_valid(e->d_name) && fs_readlink(link, &target) == 0)
                        r = f(data, dir, folder, e->d_name, target);
        }
        closedir(d);
        return r;
}

int install_each_link(struct install *i, const char *dir,
                      int (*f)(void *data, const char *dir, const char *folder, const char *name,
                               const char *target),
                      void *data)
{
        return each_in_folder(i, dir, NULL, f, data);
}

// ---- [Install]

void install_section_done(struct install_section *s)
{
        strv_free(s->wanted_by);
        strv_free(s->required_by);
        strv_free(s->upheld_by);
        strv_free(s->alias);
        strv_free(s->also);
        free(s->default_instance);
        *s = (struct install_section){0};
}

struct section_reader {
        struct install_section section;
        struct specifier_context specifiers;
};

static bool is_install(void *data UNUSED, const char *section)
{
        return streq(section, "Install");
}

static int add_words(struct section_reader *reader, char ***list, const char *value)
{
        CLEANUP(strv) char **words = NULL;

        if (!*value) {
                strv_free(*list);
                *list = NULL;
                return 0;
        }
        int r = parse_words(value, PARSE_WORD_UNQUOTE, &words);

        if (r < 0)
                return r == -ENOMEM ? r : 0; // the loader complains about it
        STRV_FOREACH (word, words) {
                CLEANUP(free) char *text = NULL;

                r = specifier_expand(*word, &reader->specifiers, SPECIFIERS_INSTALL, &text, NULL);
                if (r == -ENOMEM)
                        return r;
                if (r == 0 && (r = strv_push_take(list, TAKE(text))) < 0)
                        return r;
        }
        return 0;
}

// Ignores one that would make no valid unit name (the loader complains about it).
static int set_default_instance(struct section_reader *reader, const char *value)
{
        CLEANUP(free) char *text = NULL, *name = NULL;

        if (!*value)
                return str_set(&reader->section.default_instance, NULL);
        int r = specifier_expand(value, &reader->specifiers, SPECIFIERS_INSTALL, &text, NULL);

        if (r == 0)
                r = unit_name_with_instance("x@.service", text, &name);
        if (r < 0 || !unit_name_is_instance(name) || !unit_name_is_valid(name))
                return r == -ENOMEM ? r : 0;
        return str_set(&reader->section.default_instance, text);
}

static int on_install_line(void *data, const char *section UNUSED, const char *name,
                           const char *value, const char *file UNUSED, unsigned line UNUSED)
{
        struct section_reader *reader = data;
        struct install_section *s = &reader->section;
        const struct {
                const char *name;
                char ***list;
        } lists[] = {
                {"WantedBy", &s->wanted_by}, {"RequiredBy", &s->required_by},
                {"UpheldBy", &s->upheld_by}, {"Alias", &s->alias},
                {"Also", &s->also},
        };

        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                if (streq(name, lists[i].name))
                        return add_words(reader, lists[i].list, value);
        return streq(name, "DefaultInstance") ? set_default_instance(reader, value) : 0;
}

static int finish_section(struct section_reader *reader, int result, struct install_section *ret)
{
        if (result < 0)
                install_section_done(&reader->section);
        else
                *ret = reader->section;
        return MIN(result, 0);
}

static int read_file(struct install *i, const char *path, const struct ini_sink *sink)
{
        struct fail why = {0};
        CLEANUP(fd) int fd = search_open_file(i->search, path, NULL, &why);

        if (fd < 0 && why.error)
                trust_complain(&why, NULL, path, i->diag);
        return fd < 0 ? fd : ini_parse_fd(fd, path, sink);
}

int install_read_section(struct install *i, const char *name, const char *path,
                         struct install_section *ret)
{
        struct section_reader reader = {.specifiers = {.unit_name = name, .fragment_path = path}};
        struct ini_sink sink = {is_install, on_install_line, &reader, name, NULL};
        CLEANUP(strv) char **dropins = NULL;
        int r = read_file(i, path, &sink);

        if (r >= 0)
                r = search_dropins(i->search, name, NULL, &dropins);
        STRV_FOREACH (dropin, dropins)
                if (r >= 0)
                        r = read_file(i, *dropin, &sink);
        return finish_section(&reader, r, ret);
}

int install_parse_section(const char *name, const char *text, size_t size,
                          struct install_section *ret)
{
        struct section_reader reader = {.specifiers = {.unit_name = name}};
        struct ini_sink sink = {is_install, on_install_line, &reader, name, NULL};

        return finish_section(&reader, ini_parse(text, size, name, &sink), ret);
}

// ---- state

static enum install_rank rank_of_file(const struct install *i, const char *path)
{
        STRV_FOREACH (dir, i->dirs) {
                const char *rest = str_after_prefix(path, *dir);

                if (rest && rest[0] == '/')
                        return install_rank_of(i, *dir);
        }
        return INSTALL_CONFIG;
}

static const char *state_from_section(const struct install_section *s)
{
        if (s->wanted_by || s->required_by || s->upheld_by || s->alias)
                return "disabled";
        return s->also ? "indirect" : "static";
}

static const char *state_of_found(struct install *i, const char *name,
                                  const struct search_result *found)
{
        CLEANUP(install_section) struct install_section s = {0};
        struct install_enablement e = {.name = name, .id = found->id};
        CLEANUP(free) char *default_name = NULL;
        struct stat st;
        int unread = install_read_section(i, name, found->path, &s), r = 0;

        if (s.default_instance && unit_name_is_template(name))
                r = unit_name_with_instance(name, s.default_instance, &default_name);
        e.default_name = default_name;
        if (r >= 0)
                r = install_find_links(i, &e);
        if (r < 0 || unread == -EPERM)
                return "bad";
        if (e.is_enabled[INSTALL_CONFIG])
                return "enabled";
        if (e.is_enabled[INSTALL_RUNTIME])
                return "enabled-runtime";
        enum install_rank rank = rank_of_file(i, found->path);

        if (lstat(found->path, &st) == 0 && S_ISLNK(st.st_mode) && rank != INSTALL_VENDOR)
                return rank == INSTALL_RUNTIME ? "linked-runtime" : "linked";
        if (e.has_other)
                return "indirect";
        return unread < 0 ? "bad" : state_from_section(&s);
}

int install_get_state(struct install *i, const char *name, const char **ret)
{
        CLEANUP(search_result) struct search_result found = {0};

        if (!unit_name_is_valid(name))
                return -EINVAL;
        int r = search_find(i->search, name, &found);

        if (r < 0)
                return r;
        if (found.verdict == SEARCH_NOT_FOUND)
                return -ENOENT;
        if (found.verdict == SEARCH_MASKED)
                *ret = found.path && rank_of_file(i, found.path) == INSTALL_RUNTIME
                               ? "masked-runtime"
                               : "masked";
        else if (found.verdict == SEARCH_BLOCK)
                *ret = "static";
        else if (!streq(name, found.id) && !unit_name_is_instance(name))
                *ret = "alias";
        else
                *ret = state_of_found(i, name, &found);
        return 0;
}
