// is-enabled, enable, disable, reenable, mask, unmask: the supervisor does the work; if none runs,
// or with --root or --units, usherctl itself reads and changes the folders.
#include "base/buf.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

int install_from_options(struct ctl *c, struct diag *diag, struct install **ret)
{
        CLEANUP(strv) char **path = NULL;
        int r = offline_unit_path(c, &path);

        if (r != 0)
                return r;
        const struct install_options options = {
                .unit_path = path,
                .root = c->root,
                .trust = offline_trust(c),
                .is_runtime = c->runtime,
                .is_forced = c->force,
                .preset_mode = c->preset_mode ? install_preset_mode_from_name(c->preset_mode)
                                              : INSTALL_PRESET_FULL,
                .diag = diag,
        };

        r = install_open(&options, ret);
        return r < 0 ? client_complain(NULL, r, "Failed to read the unit path") : 0;
}

// Completes the names that the user typed; paths of files stay unchanged.
static int mangle(char *const *args, char ***ret)
{
        CLEANUP(strv) char **names = NULL;

        STRV_FOREACH (arg, args) {
                char *name = NULL;
                int r = strchr(*arg, '/') ? ((name = realpath(*arg, NULL)) ? 0 : -errno)
                                          : unit_name_mangle(*arg, UNIT_SERVICE, &name);

                if (r == 0)
                        r = strv_push_take(&names, name);
                if (r < 0)
                        return client_complain(NULL, r, "%s", *arg);
        }
        *ret = TAKE(names);
        return 0;
}

// ---- is-enabled

static const char *const good_states[] = {"enabled",  "enabled-runtime", "static",   "alias",
                                          "indirect", "generated",       "transient"};

static int get_state(struct ctl *c, struct install *install, const char *name, char **ret)
{
        const char *state;
        sd_bus_message *reply = NULL;
        int r;

        if (install) {
                r = install_get_state(install, name, &state);
                return r < 0 ? r : str_set(ret, state);
        }
        r = client_call(c, "GetUnitFileState", NULL, &reply, "s", name);
        if (r >= 0)
                r = sd_bus_message_read(reply, "s", &state);
        if (r >= 0)
                r = str_set(ret, state);
        sd_bus_message_unref(reply);
        return r;
}

int verb_is_enabled(struct ctl *c, char **args)
{
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(strv) char **names = NULL;
        CLEANUP(buf) struct buf json = BUF_NULL;
        int r = mangle(args, &names), code = CTL_FAILED;

        if (r == 0 && offline_is_meant(c))
                r = install_from_options(c, NULL, &install);
        if (r != 0)
                return r;
        STRV_FOREACH (name, names) {
                CLEANUP(free) char *state = NULL;

                r = get_state(c, install, *name, &state);
                if (r < 0) {
                        fprintf(stderr, "usherctl: Failed to get unit file state for %s: %s\n",
                                *name, strerror(-r));
                        return CTL_FAILED;
                }
                print_state_of(c, &json, *name, state);
                for (size_t i = 0; i < ARRAY_SIZE(good_states); i++)
                        if (streq(good_states[i], state))
                                code = CTL_OK;
        }
        if (c->output != OUTPUT_SHORT && !c->quiet)
                json_list_print(&json);
        return code;
}

// ---- changes

void print_file_change(const struct ctl *c, bool is_link, const char *file, const char *source)
{
        if (c->quiet)
                return;
        if (is_link)
                fprintf(stderr, "Created symlink %s → %s.\n", shown(file), shown(source));
        else
                fprintf(stderr, "Removed %s.\n", shown(file));
}

static void warn_nothing_to_install(const struct ctl *c, int carries)
{
        if (carries == 0 && !c->quiet)
                fprintf(stderr,
                        "These units have no [Install] that says where to link them (WantedBy=, "
                        "RequiredBy=,\nAlias=): they are meant to be pulled in by others, or "
                        "started by hand.\n");
}

typedef int (*install_fn)(struct install *install, char *const *names,
                          struct install_changes *changes);

struct operation {
        const char *what, *method; // the method of Manager
        install_fn run;
        bool has_force, has_flag;
        const char *now_method, *now_what; // with --now
        bool has_preset_mode, is_for_all;
};

static int reenable(struct install *install, char *const *names, struct install_changes *changes)
{
        int r = install_disable(install, names, changes);

        return r < 0 ? r : install_enable(install, names, changes);
}

static int change_offline(struct ctl *c, const struct operation *o, char *const *names)
{
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        struct diag diag = {.emit = offline_on_complaint};
        int r = install_from_options(c, &diag, &install);

        if (r != 0)
                return r;
        r = o->run(install, names, &changes);
        for (size_t i = 0; i < changes.n; i++)
                print_file_change(c, changes.items[i].type == INSTALL_SYMLINK,
                                  changes.items[i].file, changes.items[i].source);
        if (r < 0) {
                if (diag.errors == 0)
                        client_complain(NULL, r, "Failed to %s", o->what);
                return CTL_FAILED;
        }
        if (o->has_flag)
                warn_nothing_to_install(c, r);
        return 0;
}

static int read_changes(struct ctl *c, sd_bus_message *reply, const struct operation *o)
{
        const char *type, *file, *source;
        int carries = 1, r = o->has_flag ? sd_bus_message_read(reply, "b", &carries) : 0;

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(sss)", &type, &file, &source)) > 0)
                print_file_change(c, streq(type, "symlink"), file, source);
        if (r >= 0)
                warn_nothing_to_install(c, carries);
        return r;
}

static int change_online(struct ctl *c, const struct operation *o, char *const *names)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *call = NULL, *reply = NULL;
        int r = sd_bus_message_new_method_call(c->bus, &call, BUS_DESTINATION, BUS_ROOT,
                                               BUS_MANAGER, o->method);

        if (r >= 0 && !o->is_for_all)
                r = sd_bus_message_append_strv(call, (char **)names);
        if (r >= 0 && o->has_preset_mode)
                r = sd_bus_message_append(call, "s", c->preset_mode ? c->preset_mode : "");
        if (r >= 0)
                r = sd_bus_message_append(call, "b", c->runtime);
        if (r >= 0 && o->has_force)
                r = sd_bus_message_append(call, "b", c->force);
        if (r >= 0)
                r = sd_bus_call(c->bus, call, 0, &error, &reply);
        if (r >= 0)
                r = read_changes(c, reply, o);
        if (r >= 0 && !c->no_reload)
                r = reload_after_change(c, &error);
        sd_bus_message_unref(call);
        sd_bus_message_unref(reply);
        if (r < 0)
                client_complain(&error, r, "Failed to %s", o->what);
        sd_bus_error_free(&error);
        return r < 0 ? CTL_FAILED : CTL_OK; // for every error, like systemctl
}

static int change(struct ctl *c, char **args, const struct operation *o)
{
        CLEANUP(strv) char **names = NULL;
        bool offline = offline_is_meant(c);
        int r = mangle(args, &names);

        if (r == 0 && c->now && offline) {
                fprintf(stderr, "usherctl: --now needs a running usherd.\n");
                return CTL_FAILED;
        }
        if (r == 0)
                r = offline ? change_offline(c, o, names) : change_online(c, o, names);
        if (r == 0 && c->now && o->now_method)
                r = jobs_run(c, o->now_method, o->now_what, names);
        return r;
}

int verb_enable(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "enable",
                                           .method = "EnableUnitFiles",
                                           .run = install_enable,
                                           .has_force = true,
                                           .has_flag = true,
                                           .now_method = "StartUnit",
                                           .now_what = "start"};

        return change(c, args, &o);
}

int verb_disable(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "disable",
                                           .method = "DisableUnitFiles",
                                           .run = install_disable,
                                           .now_method = "StopUnit",
                                           .now_what = "stop"};

        return change(c, args, &o);
}

int verb_reenable(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "reenable",
                                           .method = "ReenableUnitFiles",
                                           .run = reenable,
                                           .has_force = true,
                                           .has_flag = true,
                                           .now_method = "StartUnit",
                                           .now_what = "start"};

        return change(c, args, &o);
}

int verb_preset(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "preset",
                                           .method = "PresetUnitFilesWithMode",
                                           .run = install_preset,
                                           .has_force = true,
                                           .has_flag = true,
                                           .has_preset_mode = true};

        return change(c, args, &o);
}

int verb_preset_all(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "preset all unit files",
                                           .method = "PresetAllUnitFiles",
                                           .run = install_preset_all,
                                           .has_force = true,
                                           .has_preset_mode = true,
                                           .is_for_all = true};

        return change(c, args, &o);
}

int verb_mask(struct ctl *c, char **args)
{
        static const struct operation o = {.what = "mask",
                                           .method = "MaskUnitFiles",
                                           .run = install_mask,
                                           .has_force = true,
                                           .now_method = "StopUnit",
                                           .now_what = "stop"};

        return change(c, args, &o);
}

int verb_unmask(struct ctl *c, char **args)
{
        static const struct operation o = {
                .what = "unmask", .method = "UnmaskUnitFiles", .run = install_unmask};

        return change(c, args, &o);
}
