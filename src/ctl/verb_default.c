// get-default, set-default, add-wants, add-requires, revert: the supervisor makes the changes; if
// none runs, or with --root or --units, usherctl itself changes the folders.
#include "base/str.h"
#include "base/strv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

int verb_get_default(struct ctl *c, char **args UNUSED)
{
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(free) char *name = NULL;
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        const char *text;
        int r;

        if (offline_is_meant(c)) {
                r = install_from_options(c, NULL, &install);
                if (r != 0)
                        return r;
                r = install_get_default(install, &name);
        } else {
                r = client_call(c, "GetDefaultTarget", &error, &reply, NULL);
                if (r >= 0)
                        r = sd_bus_message_read(reply, "s", &text);
                if (r >= 0)
                        r = str_set(&name, text);
        }
        if (r >= 0)
                puts(shown(name));
        else if (r == -ENOENT && !sd_bus_error_is_set(&error))
                fprintf(stderr, "usherctl: There is no default.target: usherd starts the units "
                                "that are enabled.\n");
        else
                client_complain(&error, r, "Failed to get the default target");
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return r < 0 ? CTL_FAILED : CTL_OK;
}

// The change that a verb makes. names: units; target and suffix are NULL if the verb has none.
struct change {
        const char *what;
        char **names;
        const char *target, *suffix;
        int (*run)(struct install *install, const struct change *change,
                   struct install_changes *changes);
        int (*append)(sd_bus_message *call, const struct ctl *c, const struct change *change);
        const char *method;
};

static int change_offline(struct ctl *c, const struct change *change)
{
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        struct diag diag = {.emit = offline_on_complaint};
        int r = install_from_options(c, &diag, &install);

        if (r != 0)
                return r;
        r = change->run(install, change, &changes);
        for (size_t i = 0; i < changes.n; i++)
                print_file_change(c, changes.items[i].type == INSTALL_SYMLINK,
                                  changes.items[i].file, changes.items[i].source);
        if (r < 0 && diag.errors == 0)
                client_complain(NULL, r, "Failed to %s", change->what);
        return r < 0 ? CTL_FAILED : CTL_OK;
}

static int read_changes(struct ctl *c, sd_bus_message *reply)
{
        const char *type, *file, *source;
        int r = sd_bus_message_enter_container(reply, 'a', "(sss)");

        while (r >= 0 && (r = sd_bus_message_read(reply, "(sss)", &type, &file, &source)) > 0)
                print_file_change(c, streq(type, "symlink"), file, source);
        return r;
}

static int change_online(struct ctl *c, const struct change *change)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = NULL, *reply = NULL;
        int r = sd_bus_message_new_method_call(c->bus, &call, BUS_DESTINATION, BUS_ROOT,
                                               BUS_MANAGER, change->method);

        if (r >= 0)
                r = change->append(call, c, change);
        if (r >= 0)
                r = sd_bus_call(c->bus, call, 0, &error, &reply);
        if (r >= 0)
                r = read_changes(c, reply);
        if (r >= 0 && !c->no_reload)
                r = reload_after_change(c, &error);
        if (r < 0)
                client_complain(&error, r, "Failed to %s", change->what);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        sd_bus_error_free(&error);
        return r < 0 ? CTL_FAILED : CTL_OK; // for every error, like systemctl
}

static int mangle(char *const *args, enum unit_type type, char ***ret)
{
        CLEANUP(strv) char **names = NULL;

        STRV_FOREACH (arg, args) {
                char *name = NULL;
                int r = unit_name_mangle(*arg, type, &name);

                if (r == 0)
                        r = strv_push_take(&names, name);
                if (r < 0)
                        return client_complain(NULL, r, "\"%s\" cannot be a unit name", *arg);
        }
        *ret = TAKE(names);
        return 0;
}

static int run(struct ctl *c, struct change *change, char *const *args, enum unit_type type)
{
        CLEANUP(strv) char **names = NULL;
        bool is_offline = offline_is_meant(c);
        int r = mangle(args, type, &names);

        if (r != 0)
                return r;
        change->names = names;
        return is_offline ? change_offline(c, change) : change_online(c, change);
}

// ---- set-default

static int run_set_default(struct install *i, const struct change *change,
                           struct install_changes *changes)
{
        return install_set_default(i, change->names[0], changes);
}

static int append_set_default(sd_bus_message *call, const struct ctl *c UNUSED,
                              const struct change *change)
{
        return sd_bus_message_append(call, "sb", change->names[0], true);
}

int verb_set_default(struct ctl *c, char **args)
{
        struct change change = {.what = "set the default target",
                                .run = run_set_default,
                                .append = append_set_default,
                                .method = "SetDefaultTarget"};

        c->force = true; // an existing link is replaced
        return run(c, &change, args, UNIT_TARGET);
}

// ---- add-wants, add-requires

static int run_add(struct install *i, const struct change *change, struct install_changes *changes)
{
        return install_add_dependency(i, change->names, change->target, change->suffix, changes);
}

static int append_add(sd_bus_message *call, const struct ctl *c, const struct change *change)
{
        int r = sd_bus_message_append_strv(call, change->names);

        return r < 0 ? r
                     : sd_bus_message_append(call, "ssbb", change->target,
                                             streq(change->suffix, ".wants") ? "Wants" : "Requires",
                                             c->runtime, c->force);
}

static int add(struct ctl *c, char **args, const char *suffix)
{
        CLEANUP(free) char *target = NULL;
        struct change change = {.what = "add a dependency",
                                .suffix = suffix,
                                .run = run_add,
                                .append = append_add,
                                .method = "AddDependencyUnitFiles"};
        int r = unit_name_mangle(args[0], UNIT_TARGET, &target);

        if (r < 0)
                return client_complain(NULL, r, "\"%s\" cannot be a unit name", args[0]);
        change.target = target;
        return run(c, &change, args + 1, UNIT_SERVICE);
}

int verb_add_wants(struct ctl *c, char **args)
{
        return add(c, args, ".wants");
}

int verb_add_requires(struct ctl *c, char **args)
{
        return add(c, args, ".requires");
}

// ---- revert

static int run_revert(struct install *i, const struct change *change,
                      struct install_changes *changes)
{
        return install_revert(i, change->names, changes);
}

static int append_revert(sd_bus_message *call, const struct ctl *c UNUSED,
                         const struct change *change)
{
        return sd_bus_message_append_strv(call, change->names);
}

int verb_revert(struct ctl *c, char **args)
{
        struct change change = {.what = "revert",
                                .run = run_revert,
                                .append = append_revert,
                                .method = "RevertUnitFiles"};

        return run(c, &change, args, UNIT_SERVICE);
}
