// Loads one unit: finds it, assigns its lines and those of its drop-ins, checks the whole.
#include "conf/load.h"
#include "conf/defaults.h"

#include "base/fd.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/assign.h"
#include "conf/builtin.h"
#include "conf/check.h"
#include "conf/defaults.h"
#include "conf/directive.h"
#include "conf/ini.h"
#include "conf/install.h"
#include "conf/search.h"
#include "conf/unit_name.h"
#include "conf/unit_path.h"

#include <stdio.h>
#include <sys/stat.h>

struct conf_loader {
        struct search *search;
        char *runtime_root;
        const struct cfgfile *cfgfile;
        struct settings settings;
        struct install *install; // for states of unit files; NULL: not needed yet
        bool is_user, compat_systemd, is_path_given;
        enum boot_role boot_role;
        enum trust_mode trust;
};

// One unit that is being loaded.
struct loading {
        struct conf_loader *loader;
        struct diag *diag;
        const char *id;
        enum unit_type type;
        struct specifier_context specifiers;
        struct conf_builder *builder;
        struct unit_conf *conf; // the builder's
};

// ---- the loader --------------------------------------------------------------------------------

static int add_blocks(struct conf_loader *loader)
{
        const struct cfgfile_block *block;
        size_t position = 0;
        int r = 0;

        while (loader->cfgfile && r >= 0 && (block = cfgfile_next(loader->cfgfile, &position)))
                r = search_add_block(loader->search, block->name, block->file, block->dir);
        return r;
}

// Copies the settings that loading needs, which are numbers.
static void take_settings(struct conf_loader *loader, const struct settings *settings)
{
        settings_init(&loader->settings);
        if (!settings)
                return;
        loader->settings.default_timeout_start = settings->default_timeout_start;
        loader->settings.default_timeout_stop = settings->default_timeout_stop;
        loader->settings.default_timeout_abort = settings->default_timeout_abort;
        loader->settings.default_restart = settings->default_restart;
        loader->settings.default_start_limit_interval = settings->default_start_limit_interval;
        loader->settings.default_start_limit_burst = settings->default_start_limit_burst;
        loader->settings.connection_log = settings->connection_log;
        loader->settings.log_peer = settings->log_peer;
        loader->settings.unsupported = settings->unsupported;
}

int conf_loader_new(const struct conf_loader_options *options, struct conf_loader **ret)
{
        CLEANUP(conf_loader) struct conf_loader *loader = calloc(1, sizeof(*loader));
        int r;

        if (!loader)
                return -ENOMEM;
        loader->cfgfile = options->cfgfile;
        loader->is_user = options->is_user;
        loader->compat_systemd = options->compat_systemd;
        loader->is_path_given = options->is_path_given;
        loader->boot_role = options->boot_role;
        loader->trust = options->trust;
        take_settings(loader, options->settings);
        r = str_set(&loader->runtime_root, options->runtime_root);
        if (r >= 0)
                r = search_new(options->unit_path, options->trust, options->diag, &loader->search);
        if (r >= 0)
                r = add_blocks(loader);
        if (r < 0)
                return r;
        *ret = TAKE(loader);
        return 0;
}

void conf_loader_free(struct conf_loader *loader)
{
        if (!loader)
                return;
        search_free(loader->search);
        install_close(loader->install);
        free(loader->runtime_root);
        settings_done(&loader->settings);
        free(loader);
}

struct search *conf_loader_search(struct conf_loader *loader)
{
        return loader->search;
}

int conf_loader_list(struct conf_loader *loader, char ***ret)
{
        return search_list(loader->search, ret);
}

bool conf_loader_has_file(struct conf_loader *loader, const char *name)
{
        return search_has(loader->search, name);
}

int conf_unit_file_state(struct conf_loader *loader, const char *name, const char **ret)
{
        CLEANUP(search_result) struct search_result found = {0};
        struct install_options options = {.unit_path = search_dirs(loader->search),
                                          .trust = loader->trust};
        int r = search_find(loader->search, name, &found);

        if (r >= 0 && found.verdict == SEARCH_BLOCK) {
                *ret = "static";
                return 0;
        }
        if (r < 0)
                return r;
        if (loader->install && !install_is_fresh(loader->install))
                install_close(TAKE(loader->install));
        if (!loader->install)
                r = install_open(&options, &loader->install);
        return r < 0 ? r : install_get_state(loader->install, name, ret);
}

void conf_loader_forget_states(struct conf_loader *loader)
{
        install_close(TAKE(loader->install));
}

// ---- the source of lines
// --------------------------------------------------------------------------

static bool on_section(void *data, const char *section)
{
        const struct loading *l = data;

        return !str_after_prefix(section, "X-") && directive_has_section(l->type, section);
}

static int on_assign(void *data, const char *section, const char *name, const char *value,
                     const char *file, unsigned line)
{
        struct loading *l = data;

        return conf_builder_assign(l->builder, section, name, value, file, line);
}

static struct ini_sink sink_of(struct loading *l)
{
        return (struct ini_sink){on_section, on_assign, l, l->id, l->diag};
}

static int set_error(struct loading *l, enum load_state state, const char *text)
{
        l->conf->load_state = state;
        return str_set(&l->conf->load_error, text);
}

// Warns about modes that an administrator may have overlooked.
static void check_mode(const struct loading *l, const char *path, mode_t mode)
{
        if (!S_ISREG(mode))
                return; // reading it will report the error
        if (mode & S_IWOTH)
                diag_report(l->diag, DIAG_NOTICE, l->id, path, 0,
                            "Configuration file %s is marked world-writable. Please remove world "
                            "writability permission bits. Proceeding anyway.",
                            path);
        if (mode & 0111)
                diag_report(l->diag, DIAG_NOTICE, l->id, path, 0,
                            "Configuration file %s is marked executable. Please remove executable "
                            "permission bits. Proceeding anyway.",
                            path);
}

// Opens a file of the unit. 0; 1: it is not trusted (complained about), so that the unit is
// refused; -errno.
static int open_file(struct loading *l, const char *path, int *ret_fd)
{
        struct fail why = {0};
        struct stat st;
        int fd = search_open_file(l->loader->search, path, &st, &why);

        if (fd >= 0) {
                check_mode(l, path, st.st_mode);
                *ret_fd = fd;
                return 0;
        }
        if (!why.error)
                return fd;
        trust_complain(&why, l->id, path, l->diag);
        CLEANUP(free) char *text = str_printf("%s: %s", path, why.detail);
        int r = text ? set_error(l, LOAD_ERROR, text) : -ENOMEM;

        return r < 0 ? r : 1;
}

// After such an error nothing is known about the file, and a loaded unit keeps its state.
static bool is_want(int error)
{
        return error == -ENOMEM || error == -EMFILE || error == -ENFILE;
}

// Reads the unit's own file.
static int take_fragment(struct loading *l, const char *path)
{
        struct ini_sink sink = sink_of(l);
        char text[256];
        CLEANUP(fd) int fd = -1;
        int r = open_file(l, path, &fd);

        if (r == 0)
                r = ini_parse_fd(fd, path, &sink);
        if (r >= 0 || is_want(r))
                return MIN(r, 0);
        if (r == -ENOENT) { // removed since the folder was read, or a dangling link
                diag_report(l->diag, DIAG_WARNING, l->id, path, 0, "File is gone.");
                snprintf(text, sizeof(text), "Unit %s not found.", l->id);
                return set_error(l, LOAD_NOT_FOUND, text);
        }
        if (r != -EBADMSG && r != -EINVAL && r != -ENOBUFS) // already complained about
                diag_report(l->diag, DIAG_ERROR, l->id, path, 0, "Cannot be read: %s",
                            strerror(-r));
        snprintf(text, sizeof(text), "Unit %s failed to load properly: %s.", l->id, strerror(-r));
        return set_error(l, LOAD_ERROR, text);
}

static int take_block(struct loading *l, const char *name)
{
        static const char *const sections[] = {"Unit", "Install"};
        const struct cfgfile_block *block = cfgfile_find(l->loader->cfgfile, name);
        const char *own = l->type == UNIT_SOCKET ? "Socket" : "Service";
        int r = 0;

        for (size_t i = 0; i < block->n_lines && r >= 0; i++) {
                const struct cfgfile_line *line = &block->lines[i];
                const char *section = l->type == UNIT_TARGET ? "Unit" : own;

                for (size_t n = 0; n < ARRAY_SIZE(sections); n++)
                        if (directive_find(l->type, sections[n], line->name)) {
                                section = sections[n];
                                break;
                        }
                r = conf_builder_assign(l->builder, section, line->name, line->value, line->file,
                                        line->line);
        }
        return r;
}

static int take_text(struct loading *l, const char *text)
{
        struct ini_sink sink = sink_of(l);
        int r = ini_parse(text, strlen(text), NULL, &sink);

        if (r == -EBADMSG || r == -EINVAL || r == -ENOBUFS)
                return set_error(l, LOAD_ERROR, "Unit failed to load properly.");
        return r;
}

// A faulty drop-in is complained about and ignored from the fault on, as in systemd.
static int take_dropins(struct loading *l)
{
        struct ini_sink sink = sink_of(l);
        int r = search_dropins(l->loader->search, l->id, l->conf->names, &l->conf->dropin_paths);

        STRV_FOREACH (path, r < 0 ? NULL : l->conf->dropin_paths) {
                CLEANUP(fd) int fd = -1;

                r = open_file(l, *path, &fd);
                if (r == 0)
                        r = ini_parse_fd(fd, *path, &sink);
                if (r > 0 || is_want(r))
                        return MIN(r, 0);
                if (r < 0 && r != -EBADMSG && r != -EINVAL && r != -ENOBUFS)
                        diag_report(l->diag, DIAG_WARNING, l->id, *path, 0,
                                    "Drop-in cannot be read, ignored: %s", strerror(-r));
                r = 0;
        }
        return r;
}

// A template among the links of an instance means its instance of the same name; among those of a
// plain unit, the instance named like the unit.
static int resolve_templates(const char *id, char **links)
{
        for (char **link = links; link && *link; link++) {
                CLEANUP(free) char *instance = NULL;
                char *name = NULL;
                int r;

                if (!unit_name_is_template(*link))
                        continue;
                r = unit_name_instance(id, &instance);
                if (r >= 0 && !instance)
                        r = unit_name_prefix(id, &instance);
                if (r >= 0)
                        r = unit_name_with_instance(*link, instance, &name);
                if (r < 0)
                        return r;
                free(*link);
                *link = name;
        }
        return 0;
}

static int take_links(struct loading *l)
{
        const struct {
                const char *suffix;
                char ***list;
        } folders[] = {
                {".wants", &l->conf->linked_wants},
                {".requires", &l->conf->linked_requires},
                {".upholds", &l->conf->linked_upholds},
        };
        int r = 0;

        for (size_t i = 0; i < ARRAY_SIZE(folders) && r >= 0; i++) {
                r = search_links(l->loader->search, l->id, l->conf->names, folders[i].suffix,
                                 l->diag, folders[i].list);
                if (r >= 0)
                        r = resolve_templates(l->id, *folders[i].list);
        }
        return r;
}

// ---- one unit ----------------------------------------------------------------------------------

static int begin(struct loading *l, const char *fragment_path)
{
        const struct conf_rules rules = {
                .compat_systemd = l->loader->compat_systemd,
                .unsupported = (enum unsupported)l->loader->settings.unsupported,
        };
        int r;

        l->specifiers = (struct specifier_context){
                .unit_name = l->id,
                .fragment_path = fragment_path,
                .is_user = l->loader->is_user,
                .defer_instance = unit_name_is_template(l->id),
                .runtime_root = l->loader->runtime_root,
        };
        r = conf_builder_new(l->id, l->type, &l->specifiers, l->diag, &l->builder);
        if (r < 0)
                return r;
        conf_builder_set_rules(l->builder, &rules);
        l->conf = conf_builder_conf(l->builder);
        l->conf->defers_instance = l->specifiers.defer_instance;
        r = str_set(&l->conf->fragment_path, fragment_path);
        if (r >= 0)
                r = defaults_set_settings(l->builder, l->type, &l->loader->settings);
        if (r >= 0 && l->loader->compat_systemd)
                r = defaults_set_compat(l->builder, l->type);
        return r;
}

static int finish(struct loading *l, struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        bool has_service = l->conf->socket && l->conf->socket->service;
        int r = conf_builder_finish(l->builder, &conf);

        if (r >= 0)
                r = check_unit(conf, has_service, l->diag);
        if (r < 0)
                return r;
        *ret = TAKE(conf);
        return 0;
}

// The source of the unit's own lines; one of them is set.
struct source {
        const char *path, *block, *text;
};

static int load_source(struct loading *l, const struct source *source, char *const *names,
                       struct unit_conf **ret)
{
        CLEANUP(conf_builder) struct conf_builder *builder = NULL;
        int r = begin(l, source->path);

        builder = l->builder;
        if (r >= 0)
                r = strv_copy(names, &l->conf->names);
        if (r >= 0)
                r = source->block  ? take_block(l, source->block)
                    : source->path ? take_fragment(l, source->path)
                                   : take_text(l, source->text);
        if (r >= 0 &&
            (l->conf->load_state == LOAD_LOADED || l->conf->load_state == LOAD_BAD_SETTING))
                r = take_dropins(l);
        if (r >= 0)
                r = take_links(l);
        return r < 0 ? r : finish(l, ret);
}

// Makes a unit without reading a file.
static int load_empty(const struct search_result *found, enum load_state state, const char *what,
                      struct unit_conf **ret)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        int r = unit_conf_new_empty(found->id, unit_name_type(found->id), state, &conf);
        char text[UNIT_NAME_MAX + 64];

        if (r < 0)
                return r;
        snprintf(text, sizeof(text), "Unit %s %s.", found->id, what);
        r = str_set(&conf->load_error, text);
        if (r >= 0)
                r = str_set(&conf->fragment_path, found->path);
        if (r >= 0)
                r = strv_copy(found->names, &conf->names);
        if (r < 0)
                return r;
        *ret = TAKE(conf);
        return 0;
}

static bool is_run_by_usher(enum unit_type type)
{
        return type == UNIT_SERVICE || type == UNIT_SOCKET || type == UNIT_TARGET;
}

// The reason why the unit, whose file was found, is left out; NULL: it is not.
static const char *find_boot_reason(const struct conf_loader *loader,
                                    const struct search_result *found)
{
        CLEANUP(free) char *dir = NULL;

        if (found->verdict != SEARCH_FOUND || !is_run_by_usher(unit_name_type(found->id)))
                return NULL;
        const char *reason = boot_unit_find_reason(found->id, loader->boot_role);

        if (!reason)
                return NULL;
        dir = strndup(found->path, (size_t)(strrchr(found->path, '/') - found->path));
        // Without memory, not running it is safer.
        return !dir || unit_path_is_systemd(dir, loader->is_path_given) ? reason : NULL;
}

// Ignores its files, so that the units that they name are not started for them. FragmentPath= still
// names the one that was found, for `cat` and `edit`.
static int load_boot_unit(struct loading *l, const struct search_result *found, const char *reason,
                          struct unit_conf **ret)
{
        CLEANUP(conf_builder) struct conf_builder *builder = NULL;
        CLEANUP(free) char *text = boot_unit_make_text(l->type, reason);
        int r = text ? begin(l, found->path) : -ENOMEM;

        builder = l->builder;
        if (r >= 0)
                r = strv_copy(found->names, &l->conf->names);
        if (r >= 0)
                r = take_text(l, text);
        // What it lacks is what it does not do.
        return r < 0 ? r : conf_builder_finish(builder, ret);
}

int conf_load(struct conf_loader *loader, const char *name, struct diag *diag,
              struct unit_conf **ret)
{
        CLEANUP(search_result) struct search_result found = {0};
        struct loading l = {.loader = loader, .diag = diag, .type = unit_name_type(name)};
        struct source source = {0};
        const char *boot_reason;
        int r;

        if (!unit_name_is_valid(name))
                return -EINVAL;
        r = search_find(loader->search, name, &found);
        if (r < 0)
                return r;
        if (found.verdict == SEARCH_MASKED)
                return load_empty(&found, LOAD_MASKED, "is masked", ret);
        if (found.verdict == SEARCH_NOT_FOUND)
                source.text = builtin_find(name, loader->is_user);
        if (found.verdict == SEARCH_FOUND && (l.type == UNIT_TIMER || l.type == UNIT_PATH)) {
                diag_report(diag, DIAG_NOTICE, name, found.path, 0,
                            "usher runs no %s units: this one is not acted on", strrchr(name, '.'));
                return load_empty(&found, LOAD_NOT_FOUND, "is of a type that usher does not run",
                                  ret);
        }
        if (!is_run_by_usher(l.type) || (found.verdict == SEARCH_NOT_FOUND && !source.text))
                return load_empty(&found, LOAD_NOT_FOUND, "not found", ret);
        l.id = found.id;
        boot_reason = find_boot_reason(loader, &found);
        if (boot_reason)
                return load_boot_unit(&l, &found, boot_reason, ret);
        source.path = found.path;
        source.block = found.block;
        return load_source(&l, &source, found.names, ret);
}

int conf_load_file(struct conf_loader *loader, const char *path, struct diag *diag,
                   struct unit_conf **ret)
{
        const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
        struct loading l = {.loader = loader, .diag = diag, .id = name};
        struct source source = {.path = path};

        l.type = unit_name_type(name);
        if (!unit_name_is_valid(name) || !is_run_by_usher(l.type))
                return -EINVAL;
        return load_source(&l, &source, NULL, ret);
}

int conf_load_text(struct conf_loader *loader, const char *name, const char *text,
                   struct diag *diag, struct unit_conf **ret)
{
        struct loading l = {.loader = loader, .diag = diag, .id = name};
        struct source source = {.text = text};
        int r;

        l.type = unit_name_type(name);
        if (!unit_name_is_valid(name) || !is_run_by_usher(l.type))
                return -EINVAL;
        r = load_source(&l, &source, NULL, ret);
        if (r >= 0)
                (*ret)->transient = true;
        return r;
}
