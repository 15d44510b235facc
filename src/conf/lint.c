#include "conf/lint_priv.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/directive.h"
#include "conf/specifier.h"
#include "conf/unit_name.h"

#include <sys/stat.h>
#include <unistd.h>

// The search path of programs without a folder (systemd.exec(5), "ExecSearchPath=").
static const char *const program_dirs[] = {
        "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
};

static int make_loader(struct lint *l, const char *extra_dir)
{
        CLEANUP(strv) char **path = NULL;
        struct conf_loader *loader;
        int r = 0;

        if (extra_dir)
                r = strv_push(&path, extra_dir);
        if (r == 0)
                r = strv_extend(&path, l->options.unit_path);
        if (r < 0)
                return r;
        const struct conf_loader_options options = {
                .unit_path = path,
                .is_user = l->options.is_user,
                .trust = extra_dir && l->options.trust == TRUST_ROOT ? TRUST_GIVEN
                                                                     : l->options.trust,
                .compat_systemd = l->options.compat_systemd,
                .settings = l->options.settings,
                .diag = l->options.diag,
        };

        r = conf_loader_new(&options, &loader);
        if (r < 0)
                return r;
        conf_loader_free(l->loader);
        l->loader = loader;
        return str_set(&l->extra_dir, extra_dir);
}

int lint_new(const struct lint_options *options, struct lint **ret)
{
        CLEANUP(lint) struct lint *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->options = *options;
        int r = make_loader(l, NULL);

        if (r < 0)
                return r;
        *ret = TAKE(l);
        return 0;
}

void lint_free(struct lint *l)
{
        if (!l)
                return;
        conf_loader_free(l->loader);
        free(l->extra_dir);
        lint_ports_done(l);
        free(l);
}

// ---- programs

static bool is_program(const char *path)
{
        struct stat st;

        if (access(path, X_OK) < 0 || stat(path, &st) < 0)
                return false;
        errno = EISDIR;
        return !S_ISDIR(st.st_mode);
}

static bool is_on_path(const struct unit_conf *conf, const char *name)
{
        if (conf->exec->exec_search_path) {
                STRV_FOREACH (dir, conf->exec->exec_search_path) {
                        CLEANUP(free) char *path = fs_path_join(*dir, name);

                        if (path && is_program(path))
                                return true;
                }
                return false;
        }
        for (size_t i = 0; i < ARRAY_SIZE(program_dirs); i++) {
                CLEANUP(free) char *path = fs_path_join(program_dirs[i], name);

                if (path && is_program(path))
                        return true;
        }
        return false;
}

static void check_commands(struct lint *l, const struct unit_conf *conf,
                           const struct command_list *list)
{
        for (size_t i = 0; i < list->n; i++) {
                const struct exec_command *command = &list->items[i];
                const char *path = command->path;

                if (specifier_has_marks(path) || (command->flags & EXEC_IGNORE_FAILURE))
                        continue;
                if (path[0] == '/' ? is_program(path) : is_on_path(conf, path))
                        continue;
                // Another machine may have it, and usherd does not refuse such a unit.
                diag_report(l->options.diag, DIAG_WARNING, conf->id, NULL, 0,
                            "Command %s is not executable: %s", path,
                            path[0] == '/' ? strerror(errno) : "not found in the search path");
        }
}

static void check_programs(struct lint *l, const struct unit_conf *conf)
{
        const struct command_list *list;
        size_t position = 0;

        while ((list = directive_next_commands(conf, &position, NULL)))
                check_commands(l, conf, list);
}

// ---- the service of a socket

int lint_load_named(struct lint *l, const char *name, struct unit_conf **ret)
{
        CLEANUP(free) char *known = NULL;
        int r = unit_name_of_deferred(name, &known);

        *ret = NULL;
        if (r == 0)
                r = conf_load(l->loader, known, NULL, ret);
        return r == -EINVAL ? 0 : r;
}

// Accept=yes starts instances of a template: a service without @ beside it is never started.
static bool has_plain_service(struct lint *l, const struct unit_conf *conf)
{
        CLEANUP(free) char *name = NULL;

        return conf->socket->accept &&
               unit_name_change_suffix(conf->id, UNIT_SERVICE, &name) == 0 &&
               conf_loader_has_file(l->loader, name);
}

static int check_service(struct lint *l, const struct unit_conf *conf)
{
        CLEANUP(unit_conf) struct unit_conf *service = NULL;
        CLEANUP(free) char *name = NULL;
        int r = unit_conf_service_name(conf, &name);

        if (r == 0)
                r = lint_load_named(l, name, &service);
        if (r < 0 || !service)
                return r;
        if (service->load_state != LOAD_LOADED) {
                bool is_there = service->load_state == LOAD_BAD_SETTING ||
                                service->load_state == LOAD_ERROR;

                if (is_there && !l->is_all)
                        r = lint_unit(l, service->id); // reports its faults
                diag_report(l->options.diag, DIAG_ERROR, conf->id, NULL, 0,
                            "service %s is %s: the socket %s%s", name,
                            service->load_state == LOAD_NOT_FOUND ? "not there"
                            : service->load_state == LOAD_MASKED  ? "masked"
                                                                  : "bad",
                            conf->socket->accept ? "cannot serve connections" : "cannot start",
                            has_plain_service(l, conf)
                                    ? "; Accept=yes starts instances of a template, and there is a "
                                      "service without @: rename it, or set Accept=no"
                                    : "");
                return r;
        }
        CLEANUP(free) char *why = unit_conf_why_unguarded(conf, service);

        if (why)
                diag_report(l->options.diag, DIAG_ERROR, conf->id, conf->fragment_path, 0,
                            "The socket cannot start: %s", why);
        lint_check_restart(l, conf, service);
        lint_check_output(l, conf, service);
        // With lint_all() it is checked by itself.
        return l->is_all ? 0 : lint_unit(l, service->id);
}

static int check(struct lint *l, const char *name, const struct unit_conf *conf)
{
        struct diag *diag = l->options.diag;

        if (conf->load_state == LOAD_NOT_FOUND)
                diag_report(diag, DIAG_ERROR, name, NULL, 0, "%s", conf->load_error);
        else if (conf->load_state == LOAD_BAD_SETTING)
                diag_report(diag, DIAG_ERROR, name, NULL, 0, "Unit %s has a bad unit file setting.",
                            name);
        else if (conf->load_state == LOAD_ERROR)
                diag_report(diag, DIAG_ERROR, name, NULL, 0, "Unit %s cannot be read: %s", name,
                            conf->load_error ? conf->load_error : "no reason known");
        if (conf->load_state != LOAD_LOADED)
                return 0;
        check_programs(l, conf);
        lint_check_users(l, conf);
        lint_check_connections(l, conf);
        lint_check_environment_files(l, conf);
        int r = lint_check_requirements(l, conf);

        if (r == 0)
                r = lint_check_ports(l, conf);
        return r == 0 && conf->socket ? check_service(l, conf) : r;
}

// ---- targets of a check

int lint_unit(struct lint *l, const char *name)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        int r = conf_load(l->loader, name, l->options.diag, &conf);

        return r < 0 ? r : check(l, name, conf);
}

int lint_file(struct lint *l, const char *path)
{
        CLEANUP(unit_conf) struct unit_conf *conf = NULL;
        CLEANUP(free) char *dir = NULL;
        CLEANUP(free) char *real = realpath(path, NULL);
        const char *base = fs_path_basename(path);
        int r = real ? 0 : -errno;

        if (r < 0)
                return r;
        // The given name counts, even if it is a link.
        dir = str_ndup(path, base > path ? (size_t)(base - path) : 0);
        CLEANUP(free) char *folder = dir ? realpath(*dir ? dir : ".", NULL) : NULL;

        if (!folder)
                return -errno;
        if (!str_eq_ptr(l->extra_dir, folder))
                r = make_loader(l, folder);
        if (r == 0)
                r = conf_load_file(l->loader, path, l->options.diag, &conf);
        return r < 0 ? r : check(l, base, conf);
}

int lint_all(struct lint *l)
{
        CLEANUP(strv) char **names = NULL;
        int r = conf_loader_list(l->loader, &names), n = 0;

        l->is_all = true;
        STRV_FOREACH (name, names) {
                enum unit_type type = unit_name_type(*name);

                if (r < 0 || (type != UNIT_SOCKET && type != UNIT_SERVICE && type != UNIT_TARGET))
                        continue;
                r = lint_unit(l, *name);
                n++;
        }
        l->is_all = false;
        return r < 0 ? r : n;
}
