// list-units, list-unit-files, list-jobs.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <fnmatch.h>
#include <stdio.h>

// Completes the patterns that the user typed: a plain word is the name of a unit.
static int mangle_patterns(char *const *args, char ***ret)
{
        CLEANUP(strv) char **patterns = NULL;

        STRV_FOREACH (arg, args) {
                char *name;

                if (client_is_pattern(*arg)) {
                        if (strv_push(&patterns, *arg) < 0)
                                return CTL_FAILED;
                        continue;
                }
                if (unit_name_mangle(*arg, UNIT_SERVICE, &name) < 0) {
                        fprintf(stderr, "usherctl: \"%s\" cannot be a unit name.\n", *arg);
                        return CTL_FAILED;
                }
                if (strv_push_take(&patterns, name) < 0)
                        return CTL_FAILED;
        }
        *ret = TAKE(patterns);
        return 0;
}

static void print_units_footer(const struct ctl *c, size_t n)
{
        if (c->no_legend || c->output != OUTPUT_SHORT)
                return;
        if (n > 0)
                printf("\nLOAD   = whether the unit's files could be read\n"
                       "ACTIVE = the state in general\n"
                       "SUB    = the state in particular, which depends on the type\n");
        printf("%s%zu loaded units listed.%s%s\n", color_on(c, COLOR_BOLD), n, color_off(c),
               c->all || c->states ? "" : " With --all also those that are inactive.");
}

int verb_list_units(struct ctl *c, char **args)
{
        static const char *const columns[] = {"UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION"};
        CLEANUP(strv) char **patterns = NULL;
        CLEANUP(table) struct table *t = NULL;
        struct ctl_unit *units = NULL;
        size_t n = 0;
        int r = mangle_patterns(args, &patterns);

        if (r == 0)
                r = units_get(c, patterns, UNITS_USUAL, &units, &n);
        if (r == 0 && table_new(columns, ARRAY_SIZE(columns), &t) < 0)
                r = CTL_FAILED;
        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct ctl_unit *u = &units[i];
                const char *const cells[] = {u->id, u->load, u->active, u->sub, u->description};
                bool is_bad = streq(u->active, "failed") ||
                              (!streq(u->load, "loaded") && !streq(u->load, "masked"));

                if (table_row(t, is_bad ? COLOR_RED : COLOR_NONE, is_bad ? "●" : "", cells) < 0)
                        r = CTL_FAILED;
        }
        if (r == 0) {
                table_print(c, t);
                print_units_footer(c, n);
        }
        units_free(units, n);
        return r;
}

// ---- list-unit-files

struct file {
        char *path, *state;
};

static void free_files(struct file *files, size_t n)
{
        for (size_t i = 0; files && i < n; i++) {
                free(files[i].path);
                free(files[i].state);
        }
        free(files);
}

static int add_file(struct file **files, size_t *n, const char *path, const char *state)
{
        struct file *more = reallocarray(*files, *n + 1, sizeof(*more));
        struct file file = {strdup(path), strdup(state)};

        if (!more || !file.path || !file.state) {
                free(file.path);
                free(file.state);
                *files = more ? more : *files;
                return -ENOMEM;
        }
        *files = more;
        more[(*n)++] = file;
        return 0;
}

static int get_files_offline(struct ctl *c, struct file **ret, size_t *ret_n)
{
        CLEANUP(strv) char **path = NULL;
        CLEANUP(install) struct install *install = NULL;
        struct install_file *files = NULL;
        size_t n = 0;
        int r = offline_unit_path(c, &path);

        if (r != 0)
                return r;
        const struct install_options options = {
                .unit_path = path, .root = c->root, .trust = offline_trust(c)};

        r = install_open(&options, &install);
        if (r == 0)
                r = install_list(install, &files, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_file(ret, ret_n, files[i].path, files[i].state);
        install_list_free(files, n);
        return r < 0 ? client_complain(NULL, r, "Failed to list unit files") : 0;
}

static int get_files(struct ctl *c, struct file **ret, size_t *ret_n)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *path, *state;

        if (offline_is_meant(c))
                return get_files_offline(c, ret, ret_n);
        int r = client_call(c, "ListUnitFiles", &error, &reply, NULL);

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &path, &state)) > 0)
                r = add_file(ret, ret_n, path, state);
        sd_bus_message_unref(reply);
        if (r < 0)
                r = client_complain(&error, r, "Failed to list unit files");
        sd_bus_error_free(&error);
        return r;
}

static bool is_file_wanted(const struct ctl *c, const struct file *f, char *const *patterns)
{
        const char *name = fs_path_basename(f->path), *type = strrchr(name, '.');
        bool matches = !patterns;

        STRV_FOREACH (pattern, patterns)
                matches = matches || fnmatch(*pattern, name, 0) == 0;
        return matches && (!c->types || strv_contains(c->types, type ? type + 1 : "")) &&
               (!c->states || strv_contains(c->states, f->state));
}

static enum color color_of_file(const char *state)
{
        if (streq(state, "masked") || streq(state, "bad") || streq(state, "disabled"))
                return streq(state, "disabled") ? COLOR_YELLOW : COLOR_RED;
        return str_after_prefix(state, "enabled") ? COLOR_GREEN : COLOR_NONE;
}

bool files_have_preset(const char *state)
{
        static const char *const without[] = {"", "alias", "static", "generated", "transient"};

        for (size_t i = 0; i < ARRAY_SIZE(without); i++)
                if (streq(without[i], state))
                        return false;
        return true;
}

// Reads the presets of the folders whose unit files are listed. *ret stays NULL if a preset file is
// not trusted.
static int read_presets(struct ctl *c, struct install_presets **ret)
{
        CLEANUP(strv) char **dirs = NULL;
        struct diag diag = {.emit = offline_on_complaint};
        int r = 0;

        if (offline_is_meant(c)) {
                CLEANUP(strv) char **path = NULL;

                r = offline_unit_path(c, &path);
                if (r != 0)
                        return r;
                STRV_FOREACH (dir, path)
                        if (r == 0)
                                r = strv_push_take(
                                        &dirs, str_printf("%s%s", c->root ? c->root : "", *dir));
        } else {
                dirs = client_get_strv(c, BUS_ROOT, BUS_MANAGER, "UnitPath");
        }
        if (r == 0)
                r = install_presets_read(dirs, offline_trust(c), &diag, ret);
        if (r == -EPERM) // the complaint was printed; without the file, presets could be wrong
                return 0;
        return r < 0 ? client_complain(NULL, r, "Failed to read presets") : 0;
}

int verb_list_unit_files(struct ctl *c, char **args)
{
        static const char *const columns[] = {"UNIT FILE", "STATE", "PRESET"};
        CLEANUP(install_presets) struct install_presets *presets = NULL;
        CLEANUP(strv) char **patterns = NULL;
        CLEANUP(table) struct table *t = NULL;
        struct file *files = NULL;
        bool has_bad = false;
        size_t n = 0;
        int r = mangle_patterns(args, &patterns);

        if (r == 0)
                r = get_files(c, &files, &n);
        if (r == 0)
                r = read_presets(c, &presets);
        if (r == 0 && table_new(columns, ARRAY_SIZE(columns), &t) < 0)
                r = CTL_FAILED;
        for (size_t i = 0; r == 0 && i < n; i++) {
                const char *name = fs_path_basename(files[i].path), *state = files[i].state;
                const char *const cells[] = {name, state,
                                             presets && files_have_preset(state)
                                                     ? install_presets_ask(presets, name)
                                                     : "-"};

                if (!is_file_wanted(c, &files[i], patterns))
                        continue;
                has_bad |= streq(state, "bad");
                if (table_row(t, color_of_file(files[i].state), NULL, cells) < 0)
                        r = CTL_FAILED;
        }
        if (r == 0) {
                table_print(c, t);
                if (!c->no_legend && c->output == OUTPUT_SHORT)
                        printf("\n%zu unit files listed.%s\n", table_rows(t),
                               has_bad ? " usherctl lint says what is wrong with those that are "
                                         "bad."
                                       : "");
                if (patterns && table_rows(t) == 0)
                        r = CTL_FAILED;
        }
        free_files(files, n);
        return r;
}

// ---- list-jobs

int verb_list_jobs(struct ctl *c, char **args UNUSED)
{
        static const char *const columns[] = {"JOB", "UNIT", "TYPE", "STATE"};
        CLEANUP(table) struct table *t = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *unit, *type, *state, *job_path, *unit_path;
        uint32_t id;
        int r = client_connect(c);

        if (r != 0)
                return r;
        r = client_call(c, "ListJobs", &error, &reply, NULL);
        if (r >= 0)
                r = table_new(columns, ARRAY_SIZE(columns), &t);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(usssoo)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(usssoo)", &id, &unit, &type, &state,
                                                  &job_path, &unit_path)) > 0) {
                CLEANUP(free) char *number = str_printf("%u", id);
                const char *const cells[] = {number, unit, type, state};

                r = number ? table_row(t, COLOR_NONE, NULL, cells) : -ENOMEM;
        }
        sd_bus_message_unref(reply);
        if (r < 0) {
                r = client_complain(&error, r, "Failed to list jobs");
        } else {
                table_print(c, t);
                if (!c->no_legend && c->output == OUTPUT_SHORT)
                        printf(table_rows(t) ? "\n%zu jobs listed.\n" : "No jobs running.\n",
                               table_rows(t));
        }
        sd_bus_error_free(&error);
        return r;
}
