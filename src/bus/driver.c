// The calls that a client makes to a message bus before any other: busctl calls Hello, looks up
// names and adds matches even if --address= names a connection without a bus in between. Two names
// are owned here: the bus's own, and the manager's. Interface: D-Bus Specification, "Message
// Bus Messages".
#include "base/str.h"
#include "bus/bus_priv.h"

#define DRIVER_NAME "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"
#define MANAGER_NAME "org.freedesktop.systemd1"
// Unique names: the supervisor's, and that of the client that asks, which sees no other clients.
#define OWN_UNIQUE ":1.0"
#define CLIENT_UNIQUE ":1.1"

static int on_hello(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        return sd_bus_reply_method_return(m, "s", CLIENT_UNIQUE);
}

static int on_list_names(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        return sd_bus_reply_method_return(m, "as", 4, DRIVER_NAME, MANAGER_NAME, OWN_UNIQUE,
                                          CLIENT_UNIQUE);
}

static int on_list_activatable(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        return sd_bus_reply_method_return(m, "as", 0);
}

// The unique name of a name's owner; NULL: it has none.
static const char *find_owner(const char *name)
{
        if (streq(name, DRIVER_NAME))
                return DRIVER_NAME;
        if (streq(name, MANAGER_NAME) || streq(name, OWN_UNIQUE))
                return OWN_UNIQUE;
        return streq(name, CLIENT_UNIQUE) ? CLIENT_UNIQUE : NULL;
}

// The argument of a call, which is a name, and its owner. 0, or an error in *error.
static int read_owner(sd_bus_message *m, const char **ret, sd_bus_error *error)
{
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        if (r < 0)
                return r;
        *ret = find_owner(name);
        if (!*ret)
                return sd_bus_error_setf(error, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                         "Nobody has the name %s.", name);
        return 0;
}

static int on_name_has_owner(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        const char *name;
        int r = sd_bus_message_read(m, "s", &name);

        return r < 0 ? r : sd_bus_reply_method_return(m, "b", find_owner(name) != NULL);
}

static int on_get_name_owner(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error)
{
        const char *owner;
        int r = read_owner(m, &owner, error);

        return r < 0 ? r : sd_bus_reply_method_return(m, "s", owner);
}

static int on_get_user(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const struct bus_client *c = userdata;
        const char *owner;
        int r = read_owner(m, &owner, error);

        if (r < 0)
                return r;
        return sd_bus_reply_method_return(
                m, "u", (uint32_t)(streq(owner, CLIENT_UNIQUE) ? c->user->uid : geteuid()));
}

static int on_get_id(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        char text[SD_ID128_STRING_MAX];
        sd_id128_t id;
        int r = sd_bus_get_bus_id(sd_bus_message_get_bus(m), &id);

        return r < 0 ? r : sd_bus_reply_method_return(m, "s", sd_id128_to_string(id, text));
}

// A match changes nothing: all signals are sent anyway, and no other client's messages pass here.
static int on_match(sd_bus_message *m, void *userdata UNUSED, sd_bus_error *error UNUSED)
{
        return sd_bus_reply_method_return(m, NULL);
}

// A monitor loses its name; it starts to print when the NameLost signal arrives.
static int on_become_monitor(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        int r = bus_client_listen(c, error);

        if (r >= 0)
                r = sd_bus_reply_method_return(m, NULL);

        return r < 0 ? r
                     : sd_bus_emit_signal(c->bus, DRIVER_PATH, DRIVER_NAME, "NameLost", "s",
                                          CLIENT_UNIQUE);
}

static const sd_bus_vtable driver_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Hello", NULL, "s", on_hello, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListNames", NULL, "as", on_list_names, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("ListActivatableNames", NULL, "as", on_list_activatable,
                      SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("NameHasOwner", "s", "b", on_name_has_owner, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetNameOwner", "s", "s", on_get_name_owner, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetConnectionUnixUser", "s", "u", on_get_user, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetId", NULL, "s", on_get_id, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("AddMatch", "s", NULL, on_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("RemoveMatch", "s", NULL, on_match, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

static const sd_bus_vtable monitoring_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("BecomeMonitor", "asu", NULL, on_become_monitor, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

int bus_driver_add(struct bus_client *c)
{
        int r = sd_bus_add_object_vtable(c->bus, NULL, DRIVER_PATH, DRIVER_NAME, driver_vtable, c);

        if (r < 0)
                return r;
        return sd_bus_add_object_vtable(c->bus, NULL, DRIVER_PATH, DRIVER_NAME ".Monitoring",
                                        monitoring_vtable, c);
}
