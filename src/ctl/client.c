// The connection to the supervisor, method calls over it, and how their errors are reported.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_TRIES 250
#define CONNECT_PAUSE (20 * USEC_PER_MSEC)

// The runtime folder of the chosen supervisor; new string in *ret. 0 or -errno.
static int client_runtime_dir(const struct ctl *c, char **ret)
{
        const char *given = c->runtime_dir ? c->runtime_dir : getenv("USHER_RUNTIME_DIR");
        const char *home = getenv("XDG_RUNTIME_DIR");
        bool is_system = c->scope == SCOPE_SYSTEM || (c->scope == SCOPE_DEFAULT && geteuid() == 0);

        if (given && *given)
                return str_set(ret, given);
        if (is_system)
                return str_set(ret, "/run/usher");
        if (!home || !*home)
                return -ENXIO;
        *ret = fs_path_join(home, "usher");
        return *ret ? 0 : -ENOMEM;
}

static int socket_path(struct ctl *c, char **ret)
{
        CLEANUP(free) char *dir = NULL;
        int r = client_runtime_dir(c, &dir);

        if (r < 0)
                return r;
        *ret = fs_path_join(dir, "systemd/private");
        return *ret ? 0 : -ENOMEM;
}

// An address has its own escapes (D-Bus specification, "Server Addresses").
static char *make_address(const char *path)
{
        char *address = malloc(sizeof("unix:path=") + 3 * strlen(path)), *p;

        if (!address)
                return NULL;
        p = stpcpy(address, "unix:path=");
        for (; *path; path++) {
                bool is_plain = (*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z') ||
                                (*path >= '0' && *path <= '9') || strchr("-_/.\\*", *path);

                p += is_plain ? sprintf(p, "%c", *path)
                              : sprintf(p, "%%%02x", (unsigned char)*path);
        }
        *p = '\0';
        return address;
}

static int start_bus(const char *address, sd_bus **ret)
{
        sd_bus *bus = NULL;
        int r = sd_bus_new(&bus);

        if (r >= 0)
                r = sd_bus_set_address(bus, address);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0) {
                sd_bus_close_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

static int try_connect(struct ctl *c, const char *path)
{
        CLEANUP(free) char *address = make_address(path);
        sd_bus *bus = NULL;
        int r = address ? start_bus(address, &bus) : -ENOMEM;

        // The backlog is full. We try again, since usherd soon refuses the users who fill it.
        for (int i = 0; r == -EAGAIN && i < CONNECT_TRIES; i++) {
                usleep(CONNECT_PAUSE);
                r = start_bus(address, &bus);
        }
        // The answer to the authentication shows whether usherd admits us.
        while (r >= 0 && sd_bus_is_ready(bus) == 0 && (r = sd_bus_process(bus, NULL)) >= 0)
                if (r == 0 && sd_bus_is_ready(bus) == 0)
                        r = sd_bus_wait(bus, UINT64_MAX);
        if (r < 0) {
                sd_bus_close_unref(bus);
                return r;
        }
        c->bus = bus;
        return 0;
}

bool client_is_reachable(struct ctl *c)
{
        CLEANUP(free) char *path = NULL;

        return c->bus || (socket_path(c, &path) == 0 && try_connect(c, path) == 0);
}

int client_connect(struct ctl *c)
{
        CLEANUP(free) char *path = NULL;
        int r;

        if (c->bus)
                return 0;
        r = socket_path(c, &path);
        if (r == -ENXIO) {
                fprintf(stderr, "usherctl: neither --runtime-dir, $USHER_RUNTIME_DIR nor "
                                "$XDG_RUNTIME_DIR is set: where is usherd?\n");
                return CTL_FAILED;
        }
        if (r == 0)
                r = try_connect(c, path);
        if (r == 0)
                return 0;
        fprintf(stderr, "usherctl: cannot reach usherd at %s: %s\n", path ? path : "?",
                strerror(-r));
        if (r == -ENOENT || r == -ECONNREFUSED) {
                fprintf(stderr, "Is it running? Its --runtime-dir is to be given here, too.\n");
                runs_print();
        }
        return r == -EACCES || r == -EPERM || r == -ECONNRESET ? CTL_NO_PERMISSION : CTL_FAILED;
}

int client_call(struct ctl *c, const char *method, sd_bus_error *error, sd_bus_message **reply,
                const char *types, ...)
{
        va_list ap;

        va_start(ap, types);
        int r = sd_bus_call_methodv(c->bus, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER, method, error,
                                    reply, types, ap);

        va_end(ap);
        return r < 0 ? r : 0;
}

char *client_get_string(struct ctl *c, const char *path, const char *interface, const char *name)
{
        char *value = NULL;

        return sd_bus_get_property_string(c->bus, BUS_DESTINATION, path, interface, name, NULL,
                                          &value) < 0
                       ? NULL
                       : value;
}

int client_set_string(struct ctl *c, const char *name, const char *value)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_set_property(c->bus, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER, name, &error,
                                    "s", value);

        r = r < 0 ? client_complain(&error, r, "Failed to set %s to %s", name, value) : 0;
        sd_bus_error_free(&error);
        return r;
}

int client_set_bool(struct ctl *c, const char *name, bool value)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = sd_bus_set_property(c->bus, BUS_DESTINATION, BUS_ROOT, BUS_MANAGER, name, &error,
                                    "b", (int)value);

        r = r < 0 ? client_complain(&error, r, "Failed to set %s to %s", name, value ? "yes" : "no")
                  : 0;
        sd_bus_error_free(&error);
        return r;
}

uint64_t client_get_number(struct ctl *c, const char *path, const char *interface, const char *name,
                           uint64_t fallback)
{
        sd_bus_message *reply = NULL;
        const char *contents = NULL;
        uint64_t value = fallback;
        uint32_t small;
        char type;
        int r = sd_bus_get_property(c->bus, BUS_DESTINATION, path, interface, name, NULL, &reply,
                                    "t");

        if (r >= 0) {
                (void)sd_bus_message_read(reply, "t", &value);
        } else if (sd_bus_get_property(c->bus, BUS_DESTINATION, path, interface, name, NULL, &reply,
                                       "u") >= 0 &&
                   sd_bus_message_read(reply, "u", &small) > 0) {
                value = small;
        } else if (sd_bus_get_property(c->bus, BUS_DESTINATION, path, interface, name, NULL, &reply,
                                       "i") >= 0) {
                int number;

                if (sd_bus_message_peek_type(reply, &type, &contents) > 0 &&
                    sd_bus_message_read(reply, "i", &number) > 0)
                        value = (uint64_t)(int64_t)number;
        }
        sd_bus_message_unref(reply);
        return value;
}

char **client_get_strv(struct ctl *c, const char *path, const char *interface, const char *name)
{
        char **value = NULL;

        return sd_bus_get_property_strv(c->bus, BUS_DESTINATION, path, interface, name, NULL,
                                        &value) < 0
                       ? NULL
                       : value;
}

char *client_unit_path(const char *unit)
{
        char *path = NULL;

        return sd_bus_path_encode(BUS_ROOT "/unit", unit, &path) < 0 ? NULL : path;
}

const char *client_type_interface(const char *unit)
{
        enum unit_type type = unit_name_type(unit);

        return type == UNIT_SOCKET   ? "org.freedesktop.systemd1.Socket"
               : type == UNIT_TARGET ? "org.freedesktop.systemd1.Target"
                                     : "org.freedesktop.systemd1.Service";
}

char *client_get_load_error(struct ctl *c, const char *path)
{
        sd_bus_message *reply = NULL;
        const char *id, *text = NULL;
        char *copy = NULL;

        if (sd_bus_get_property(c->bus, BUS_DESTINATION, path, BUS_UNIT, "LoadError", NULL, &reply,
                                "(ss)") >= 0 &&
            sd_bus_message_read(reply, "(ss)", &id, &text) >= 0)
                copy = strdup(text);
        sd_bus_message_unref(reply);
        return copy;
}

// ---- errors

static int client_exit_code(const sd_bus_error *error, int r)
{
        static const struct {
                const char *name;
                int code;
        } codes[] = {
                {SD_BUS_ERROR_ACCESS_DENIED, CTL_NO_PERMISSION},
                {"org.freedesktop.systemd1.OnlyByDependency", CTL_NO_PERMISSION},
                {"org.freedesktop.systemd1.NoSuchUnit", CTL_NOT_INSTALLED},
                {"org.freedesktop.systemd1.JobTypeNotApplicable", CTL_UNIMPLEMENTED},
                {SD_BUS_ERROR_NOT_SUPPORTED, CTL_UNIMPLEMENTED},
                {"org.freedesktop.systemd1.NoIsolation", CTL_NO_PERMISSION},
                {"org.freedesktop.systemd1.TransactionIsDestructive", CTL_NO_PERMISSION},
                {"org.freedesktop.systemd1.LoadFailed", CTL_NOT_CONFIGURED},
        };

        for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
                if (sd_bus_error_has_name(error, codes[i].name))
                        return codes[i].code;
        // The errno of an error that came over the bus is not reliable: sd-bus maps "Failed" to
        // EACCES.
        bool is_remote = error && sd_bus_error_is_set(error);

        return !is_remote && (r == -EACCES || r == -EPERM) ? CTL_NO_PERMISSION : CTL_FAILED;
}

int client_complain(const sd_bus_error *error, int r, const char *fmt, ...)
{
        bool has_text = error && sd_bus_error_is_set(error) && error->message;
        va_list ap;

        CLEANUP(free) char *what = NULL;

        va_start(ap, fmt);
        if (vasprintf(&what, fmt, ap) < 0)
                what = NULL;
        va_end(ap);
        fprintf(stderr, "usherctl: %s: %s\n", what ? shown(what) : "?",
                has_text ? shown(error->message) : strerror(-r));
        return client_exit_code(error, r);
}

// ---- names

bool client_is_pattern(const char *name)
{
        return strpbrk(name, "*?[") != NULL;
}

int client_unit_names(struct ctl *c, char *const *args, char ***ret)
{
        CLEANUP(strv) char **names = NULL;
        CLEANUP(strv) char **patterns = NULL;
        struct ctl_unit *units = NULL;
        size_t n = 0;
        int r = 0;

        STRV_FOREACH (arg, args) {
                char *name = NULL;

                if (client_is_pattern(*arg)) {
                        r = strv_push(&patterns, *arg);
                } else if (unit_name_mangle(*arg, UNIT_SERVICE, &name) < 0) {
                        fprintf(stderr, "usherctl: \"%s\" cannot be a unit name.\n", *arg);
                        return CTL_FAILED;
                } else {
                        r = strv_push_take(&names, name);
                }
                if (r < 0)
                        return CTL_FAILED;
        }
        if (patterns)
                r = units_get(c, patterns, UNITS_USUAL, &units, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                if (!strv_contains(names, units[i].id) && strv_push(&names, units[i].id) < 0)
                        r = CTL_FAILED;
        units_free(units, n);
        if (r == 0)
                *ret = TAKE(names);
        return r;
}
