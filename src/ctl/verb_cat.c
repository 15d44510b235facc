// cat: the files of a unit that the supervisor has loaded or, if none runs, would load.
#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/search.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <fnmatch.h>
#include <stdio.h>

#define FILE_MAX ((size_t)16 * 1024 * 1024)

struct files {
        char *fragment; // "" or NULL: built in
        char **dropins;
        char *error; // why the supervisor does not use them; NULL: unknown
};

static void cleanup_files(struct files *f)
{
        free(f->fragment);
        strv_free(f->dropins);
        free(f->error);
}

// No supervisor runs: warns if one would refuse the file.
static void warn_refused(const struct search *s, const char *path)
{
        struct fail why = {0};
        CLEANUP(fd) int fd = search_open_file(s, path, NULL, &why);

        if (fd < 0 && why.error)
                fprintf(stderr, "usherctl: %s would be refused: %s\n", shown(path),
                        shown(why.detail));
}

static int print_file(struct ctl *c, const char *path, bool is_first)
{
        CLEANUP(free) char *text = NULL;
        size_t size = 0;
        int r = fs_read_file(path, FILE_MAX, &text, &size);

        printf("%s%s# %s%s\n", is_first ? "" : "\n", color_on(c, COLOR_BOLD), shown(path),
               color_off(c));
        if (r < 0) {
                fprintf(stderr, "usherctl: %s: %s\n", shown(path), strerror(-r));
                return CTL_FAILED;
        }
        if (isatty(STDOUT_FILENO))
                fputs(shown_lines(text), stdout);
        else
                fwrite(text, 1, size, stdout);
        if (size > 0 && text[size - 1] != '\n')
                putchar('\n');
        return 0;
}

// s: NULL if the list of files came from a supervisor.
static int print_files(struct ctl *c, const struct search *s, const char *unit,
                       const struct files *f, bool is_first)
{
        int r = 0;

        if (f->error && *f->error)
                fprintf(stderr, "usherctl: %s is not used: %s\n", unit, shown(f->error));
        if (f->fragment && *f->fragment) {
                if (s)
                        warn_refused(s, f->fragment);
                r = print_file(c, f->fragment, is_first);
        } else {
                printf("%s# %s is built in: it has no file.\n", is_first ? "" : "\n", unit);
        }
        STRV_FOREACH (dropin, f->dropins) {
                if (s)
                        warn_refused(s, *dropin);
                int one = print_file(c, *dropin, false);

                r = r ? r : one;
        }
        return r;
}

// 1: *ret is filled, 0: there is no such unit.
static int ask_files(struct ctl *c, const char *unit, struct files *ret)
{
        CLEANUP(free) char *path = client_unit_path(unit);
        CLEANUP(free) char *load = path ? client_get_string(c, path, BUS_UNIT, "LoadState") : NULL;

        if (!load || streq(load, "not-found"))
                return 0;
        ret->fragment = client_get_string(c, path, BUS_UNIT, "FragmentPath");
        ret->dropins = client_get_strv(c, path, BUS_UNIT, "DropInPaths");
        if (streq(load, "error"))
                ret->error = client_get_load_error(c, path);
        return 1;
}

static int find_files(struct search *s, const char *unit, struct files *ret)
{
        CLEANUP(search_result) struct search_result found = {0};
        int r = search_find(s, unit, &found);

        if (r < 0 || !found.path)
                return r;
        ret->fragment = TAKE(found.path);
        r = search_dropins(s, found.id, found.names, &ret->dropins);
        return r < 0 ? r : 1;
}

static int open_search(struct ctl *c, struct search **ret)
{
        CLEANUP(strv) char **path = NULL, **below = NULL;
        int r = offline_unit_path(c, &path);

        if (r != 0)
                return r;
        STRV_FOREACH (dir, path)
                if (strv_push_take(&below, str_printf("%s%s", c->root ? c->root : "", *dir)) < 0)
                        return CTL_FAILED;
        r = c->root ? search_new_in_root(c->root, below, offline_trust(c), NULL, ret)
                    : search_new(below, offline_trust(c), NULL, ret);
        return r < 0 ? client_complain(NULL, r, "Failed to read the unit path") : 0;
}

static int expand(struct ctl *c, struct search *s, char **args, char ***ret)
{
        CLEANUP(strv) char **all = NULL;

        if (!s)
                return client_unit_names(c, args, ret);
        if (search_list(s, &all) < 0)
                return CTL_FAILED;
        STRV_FOREACH (arg, args) {
                char *name;

                if (client_is_pattern(*arg)) {
                        STRV_FOREACH (found, all)
                                if (fnmatch(*arg, *found, 0) == 0 && strv_push(ret, *found) < 0)
                                        return CTL_FAILED;
                        continue;
                }
                if (unit_name_mangle(*arg, UNIT_SERVICE, &name) < 0)
                        return client_complain(NULL, -EINVAL, "\"%s\" cannot be a unit name", *arg);
                if (strv_push_take(ret, name) < 0)
                        return CTL_FAILED;
        }
        return 0;
}

int verb_cat(struct ctl *c, char **args)
{
        CLEANUP(strv) char **units = NULL;
        CLEANUP(search) struct search *s = NULL;
        int code = 0, r = offline_is_meant(c) ? open_search(c, &s) : client_connect(c);

        if (r == 0)
                r = expand(c, s, args, &units);
        if (r != 0)
                return r;
        STRV_FOREACH (unit, units) {
                CLEANUP(files) struct files files = {0};

                r = s ? find_files(s, *unit, &files) : ask_files(c, *unit, &files);
                if (r > 0) {
                        r = print_files(c, s, *unit, &files, unit == units);
                } else {
                        fprintf(stderr, "usherctl: No files found for %s.\n", *unit);
                        r = CTL_FAILED;
                }
                code = code ? code : r;
        }
        return code;
}

int find_unit_file(struct ctl *c, const char *unit, char **ret)
{
        CLEANUP(search) struct search *s = NULL;
        CLEANUP(files) struct files files = {0};
        int r = offline_is_meant(c) ? open_search(c, &s) : client_connect(c);

        if (r != 0)
                return r;
        r = s ? find_files(s, unit, &files) : ask_files(c, unit, &files);
        if (r <= 0) {
                fprintf(stderr, "usherctl: No files found for %s.\n", shown(unit));
                return CTL_FAILED;
        }
        return str_set(ret, files.fragment ? files.fragment : "") < 0 ? CTL_FAILED : 0;
}
