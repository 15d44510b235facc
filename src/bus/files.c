// Methods of the Manager interface about unit files: states, enable and related operations.
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "conf/install.h"
#include "conf/unit_name.h"
#include "core/unit/index.h"

#include <fnmatch.h>

// The time that a list may use in one turn of the loop.
#define LIST_TURN (2 * USEC_PER_MSEC)

// The last complaint of conf/install, for the reply.
struct complaint {
        struct diag diag;
        char text[512];
};

static void on_complaint(struct diag *diag, const struct diag_entry *entry)
{
        struct complaint *c = diag->data;

        diag_format(entry, c->text, sizeof(c->text));
}

static int reply_error(sd_bus_error *error, int r, const struct complaint *c)
{
        static const struct {
                int error;
                const char *name;
        } names[] = {
                {-ENOENT, "org.freedesktop.systemd1.NoSuchUnit"},
                {-EADDRNOTAVAIL, "org.freedesktop.systemd1.UnitMasked"},
                {-EEXIST, "org.freedesktop.systemd1.UnitExists"},
                {-EINVAL, SD_BUS_ERROR_INVALID_ARGS},
        };

        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (names[i].error == r)
                        return sd_bus_error_set(error, names[i].name,
                                                c->text[0] ? c->text : strerror(-r));
        return c->text[0] ? sd_bus_error_set(error, SD_BUS_ERROR_FAILED, c->text) : r;
}

static int open_install(struct manager *m, const struct install_options *wanted,
                        struct complaint *c, struct install **ret)
{
        struct install_options options = *wanted;

        options.unit_path = m->options.unit_path;
        options.trust = index_trust(m);
        options.diag = &c->diag;
        *c = (struct complaint){.diag = {.emit = on_complaint, .data = c}};
        return install_open(&options, ret);
}

// ---- states

static int on_get_state(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        const char *name, *state;
        int r = sd_bus_message_read(message, "s", &name);

        if (r < 0)
                return r;
        r = conf_unit_file_state(c->server->manager->loader, name, &state);
        if (r == -ENOENT)
                return sd_bus_error_setf(error, SD_BUS_ERROR_FILE_NOT_FOUND,
                                         "Failed to get unit file state for %s: %s", name,
                                         strerror(ENOENT));
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", state);
}

// A list is made in steps, one in each turn of the loop, since it reads the files of all units. No
// further message of the client is read, and none is sent to it, until the list is complete.
struct bus_listing {
        struct bus_client *client;
        sd_bus_message *call, *reply;
        struct install *install;
        char **names, **next; // all names, and the next one
        char **states, **patterns;
        struct timer timer;
};

void bus_listing_free(struct bus_listing *l)
{
        if (!l)
                return;
        timer_stop(l->client->server->manager->events, &l->timer);
        l->client->listing = NULL;
        sd_bus_message_unref(l->call);
        sd_bus_message_unref(l->reply);
        install_close(l->install);
        strv_free(l->names);
        strv_free(l->states);
        strv_free(l->patterns);
        free(l);
}

static bool is_wanted(const struct bus_listing *l, const struct install_file *file)
{
        bool matches = !l->patterns || !*l->patterns;

        STRV_FOREACH (pattern, l->patterns)
                matches = matches || fnmatch(*pattern, fs_path_basename(file->path), 0) == 0;
        return matches && (!l->states || !*l->states || strv_contains(l->states, file->state));
}

static int append_file(struct bus_listing *l, const char *name)
{
        struct install_file file = {0};
        int r = install_get_file(l->install, name, &file);

        if (r >= 0 && is_wanted(l, &file))
                r = sd_bus_message_append(l->reply, "(ss)", file.path, file.state);
        free(file.path);
        return r == -ENOENT ? 0 : r; // the file has been removed since
}

static int finish_list(struct bus_listing *l)
{
        int r = sd_bus_message_close_container(l->reply);

        return r < 0 ? r : sd_bus_send(NULL, l->reply, NULL);
}

static void on_list_turn(struct timer *t, usec_t now)
{
        struct bus_listing *l = CONTAINER_OF(t, struct bus_listing, timer);
        struct bus_client *c = l->client;
        struct events *e = c->server->manager->events;
        usec_t begin = now;
        int r = 0;

        for (; r >= 0 && *l->next && now < begin + LIST_TURN; now = clock_now())
                r = append_file(l, *l->next++);
        if (!bus_client_is_trusted(c))
                share_spend(&c->server->share, now - begin);
        if (r >= 0 && *l->next) {
                usec_t next = bus_client_is_trusted(c) ? now : share_next(&c->server->share, now);

                r = timer_set(e, t, next, on_list_turn);
                if (r >= 0)
                        return;
        }
        if (r >= 0)
                r = finish_list(l);
        if (r < 0)
                r = sd_bus_reply_method_errno(l->call, r, NULL);
        bus_listing_free(l);
        bus_client_sent(c, r);
}

// Takes ownership of the words, also on failure.
static int begin_list(sd_bus_message *message, struct bus_client *c, char **states, char **patterns)
{
        const struct install_options options = {0};
        struct complaint complaint;
        struct bus_listing *l = c->listing ? NULL : calloc(1, sizeof(*l));

        if (!l) {
                strv_free(states);
                strv_free(patterns);
                return -ENOMEM;
        }
        l->client = c;
        l->states = states;
        l->patterns = patterns;
        l->call = sd_bus_message_ref(message);
        c->listing = l;
        int r = open_install(c->server->manager, &options, &complaint, &l->install);

        if (r >= 0)
                r = install_list_names(l->install, &l->names);
        if (r >= 0 && !l->names)
                r = (l->names = calloc(1, sizeof(char *))) ? 0 : -ENOMEM;
        l->next = l->names;
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &l->reply);
        if (r >= 0)
                r = sd_bus_message_open_container(l->reply, 'a', "(ss)");
        if (r >= 0)
                r = timer_set(c->server->manager->events, &l->timer, clock_now(), on_list_turn);
        if (r < 0)
                bus_listing_free(l);
        return r < 0 ? r : 1; // the answer comes later
}

static int on_list(sd_bus_message *message, void *userdata, sd_bus_error *error UNUSED)
{
        return begin_list(message, userdata, NULL, NULL);
}

static int on_list_by_patterns(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        CLEANUP(strv) char **states = NULL;
        CLEANUP(strv) char **patterns = NULL;
        int r = bus_read_words(message, c, &states, error);

        if (r >= 0)
                r = bus_read_words(message, c, &patterns, error);
        return r < 0 ? r : begin_list(message, c, TAKE(states), TAKE(patterns));
}

// ---- changes

static int send_files_changed(sd_bus *bus, const void *data UNUSED)
{
        return sd_bus_emit_signal(bus, BUS_ROOT, BUS_MANAGER, "UnitFilesChanged", NULL);
}

static int reply_changes(sd_bus_message *message, struct bus_server *s, int carries,
                         const struct install_changes *changes)
{
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(message, &reply);

        if (r >= 0 && carries >= 0)
                r = sd_bus_message_append(reply, "b", carries > 0);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sss)");
        for (size_t i = 0; r >= 0 && i < changes->n; i++) {
                const struct install_change *change = &changes->items[i];

                r = sd_bus_message_append(reply, "(sss)",
                                          change->type == INSTALL_SYMLINK ? "symlink" : "unlink",
                                          change->file, change->source ? change->source : "");
        }
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        if (r >= 0)
                r = sd_bus_send(NULL, reply, NULL);
        sd_bus_message_unref(reply);
        if (r >= 0 && changes->n > 0)
                bus_tell(s, send_files_changed, NULL);
        return r;
}

typedef int (*install_fn)(struct install *install, char *const *names,
                          struct install_changes *changes);

static int reenable(struct install *install, char *const *names, struct install_changes *changes)
{
        int r = install_disable(install, names, changes);

        return r < 0 ? r : install_enable(install, names, changes);
}

// The arguments and results of a method, in addition to runtime and the list of changes.
enum change_flags {
        TAKES_NAMES = 1 << 0,
        TAKES_PRESET_MODE = 1 << 1,
        TAKES_FORCE = 1 << 2,
        GIVES_CARRIES =
                1 << 3, // whether one of the units has an [Install] section that says something
        TAKES_NOTHING_ELSE = 1 << 4, // not even runtime
};

static int read_preset_mode(sd_bus_message *message, sd_bus_error *error,
                            enum install_preset_mode *ret)
{
        const char *mode;
        int r = sd_bus_message_read(message, "s", &mode);

        if (r < 0)
                return r;
        *ret = streq(mode, "") ? INSTALL_PRESET_FULL : install_preset_mode_from_name(mode);
        return *ret == _INSTALL_PRESET_MODE_INVALID
                       ? sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                           "Preset mode %s is none of full, enable-only, "
                                           "disable-only",
                                           mode)
                       : 0;
}

static int change(sd_bus_message *message, struct bus_client *client, sd_bus_error *error,
                  install_fn f, enum change_flags flags)
{
        struct install_options options = {0};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        CLEANUP(strv) char **names = NULL;
        struct complaint complaint;
        int runtime = 0, force = 0;
        int r = bus_check_trusted(client, error);

        if (r >= 0 && (flags & TAKES_NAMES))
                r = sd_bus_message_read_strv(message, &names);
        if (r >= 0 && (flags & TAKES_PRESET_MODE))
                r = read_preset_mode(message, error, &options.preset_mode);
        if (r >= 0 && !(flags & TAKES_NOTHING_ELSE))
                r = sd_bus_message_read(message, "b", &runtime);
        if (r >= 0 && (flags & TAKES_FORCE))
                r = sd_bus_message_read(message, "b", &force);
        options.is_runtime = runtime;
        options.is_forced = force;
        if (r >= 0)
                r = open_install(client->server->manager, &options, &complaint, &install);
        if (r < 0)
                return r;
        r = f(install, names, &changes);
        if (r < 0)
                return reply_error(error, r, &complaint);
        return reply_changes(message, client->server, flags & GIVES_CARRIES ? r : -1, &changes);
}

static int on_enable(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_enable,
                      TAKES_NAMES | TAKES_FORCE | GIVES_CARRIES);
}

static int on_reenable(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, reenable,
                      TAKES_NAMES | TAKES_FORCE | GIVES_CARRIES);
}

static int on_disable(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_disable, TAKES_NAMES);
}

static int on_mask(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_mask, TAKES_NAMES | TAKES_FORCE);
}

static int on_unmask(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_unmask, TAKES_NAMES);
}

static int on_preset(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_preset,
                      TAKES_NAMES | TAKES_FORCE | GIVES_CARRIES);
}

static int on_preset_with_mode(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_preset,
                      TAKES_NAMES | TAKES_PRESET_MODE | TAKES_FORCE | GIVES_CARRIES);
}

static int on_preset_all(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_preset_all,
                      TAKES_PRESET_MODE | TAKES_FORCE);
}

static int on_revert(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        return change(message, userdata, error, install_revert, TAKES_NAMES | TAKES_NOTHING_ELSE);
}

// ---- the default target, dependencies, links

static int on_add_dependency(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        struct install_options options = {0};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        CLEANUP(strv) char **names = NULL;
        struct complaint complaint;
        const char *target, *type;
        int runtime = 0, force = 0;
        int r = bus_check_trusted(c, error);

        if (r >= 0)
                r = sd_bus_message_read_strv(message, &names);
        if (r >= 0)
                r = sd_bus_message_read(message, "ssbb", &target, &type, &runtime, &force);
        if (r < 0)
                return r;
        if (!streq(type, "Wants") && !streq(type, "Requires"))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "%s is neither Wants nor Requires", type);
        options.is_runtime = runtime;
        options.is_forced = force;
        r = open_install(c->server->manager, &options, &complaint, &install);
        if (r < 0)
                return r;
        r = install_add_dependency(install, names, target,
                                   streq(type, "Wants") ? ".wants" : ".requires", &changes);
        return r < 0 ? reply_error(error, r, &complaint)
                     : reply_changes(message, c->server, -1, &changes);
}

static int on_set_default(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        struct install_options options = {0};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(install_changes) struct install_changes changes = {0};
        struct complaint complaint;
        const char *name;
        int force = 0, r = bus_check_trusted(c, error);

        if (r >= 0)
                r = sd_bus_message_read(message, "sb", &name, &force);
        options.is_forced = force;
        if (r >= 0)
                r = open_install(c->server->manager, &options, &complaint, &install);
        if (r < 0)
                return r;
        r = install_set_default(install, name, &changes);
        return r < 0 ? reply_error(error, r, &complaint)
                     : reply_changes(message, c->server, -1, &changes);
}

static int on_get_default(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(free) char *name = NULL;
        struct complaint complaint;
        int r = bus_check_trusted(c, error); // it reads the folders

        if (r >= 0)
                r = open_install(c->server->manager, &(struct install_options){0}, &complaint,
                                 &install);
        if (r >= 0)
                r = install_get_default(install, &name);
        if (r == -ENOENT)
                return sd_bus_error_set(
                        error, SD_BUS_ERROR_FILE_NOT_FOUND,
                        "There is no default.target: usherd starts the units that are enabled.");
        return r < 0 ? r : sd_bus_reply_method_return(message, "s", name);
}

static int on_get_links(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        struct install_options options = {0};
        CLEANUP(install) struct install *install = NULL;
        CLEANUP(strv) char **links = NULL;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        struct complaint complaint;
        const char *name;
        int runtime = 0, r = bus_check_trusted(c, error); // it reads the folders

        if (r >= 0)
                r = sd_bus_message_read(message, "sb", &name, &runtime);
        options.is_runtime = runtime;
        if (r >= 0)
                r = open_install(c->server->manager, &options, &complaint, &install);
        if (r >= 0)
                r = install_get_links(install, name, &links);
        if (r >= 0)
                r = sd_bus_message_new_method_return(message, &reply);
        if (r >= 0)
                r = sd_bus_message_append_strv(reply, links);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_files_vtable[] = {
        SD_BUS_VTABLE_START(0),
        METHOD("GetUnitFileState", "s", "s", on_get_state),
        METHOD("ListUnitFiles", "", "a(ss)", on_list),
        METHOD("ListUnitFilesByPatterns", "asas", "a(ss)", on_list_by_patterns),
        METHOD("EnableUnitFiles", "asbb", "ba(sss)", on_enable),
        METHOD("ReenableUnitFiles", "asbb", "ba(sss)", on_reenable),
        METHOD("PresetUnitFiles", "asbb", "ba(sss)", on_preset),
        METHOD("PresetUnitFilesWithMode", "assbb", "ba(sss)", on_preset_with_mode),
        METHOD("PresetAllUnitFiles", "sbb", "a(sss)", on_preset_all),
        METHOD("DisableUnitFiles", "asb", "a(sss)", on_disable),
        METHOD("MaskUnitFiles", "asbb", "a(sss)", on_mask),
        METHOD("UnmaskUnitFiles", "asb", "a(sss)", on_unmask),
        METHOD("RevertUnitFiles", "as", "a(sss)", on_revert),
        METHOD("AddDependencyUnitFiles", "asssbb", "a(sss)", on_add_dependency),
        METHOD("SetDefaultTarget", "sb", "a(sss)", on_set_default),
        METHOD("GetDefaultTarget", "", "s", on_get_default),
        METHOD("GetUnitFileLinks", "sb", "as", on_get_links),
        SD_BUS_VTABLE_END,
};
