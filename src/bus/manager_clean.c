// Removing what an inactive unit has left behind: CleanUnit of the manager, Clean of a unit.
#include "base/str.h"
#include "base/strv.h"
#include "bus/bus_priv.h"
#include "spawn/plan.h"

static const struct {
        const char *name;
        unsigned bit;
} resources[] = {
        {"runtime", 1u << SPAWN_DIRECTORY_RUNTIME},
        {"state", 1u << SPAWN_DIRECTORY_STATE},
        {"cache", 1u << SPAWN_DIRECTORY_CACHE},
        {"logs", 1u << SPAWN_DIRECTORY_LOGS},
        {"configuration", 1u << SPAWN_DIRECTORY_CONFIGURATION},
        {"fdstore", UNIT_CLEAN_FDSTORE},
};

int bus_get_can_clean(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED,
                      const char *property UNUSED, sd_bus_message *reply, void *userdata,
                      sd_bus_error *error UNUSED)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(userdata, &v);

        if (r < 0 || (r = sd_bus_message_open_container(reply, 'a', "s")) < 0)
                return r;
        unsigned bits = v.unit && v.unit->ops->can_clean ? v.unit->ops->can_clean(v.unit) : 0;

        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(resources); i++)
                if (bits & resources[i].bit)
                        r = sd_bus_message_append(reply, "s", resources[i].name);
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int read_what(sd_bus_message *message, unsigned *ret, sd_bus_error *error)
{
        CLEANUP(strv) char **words = NULL;
        unsigned bits = 0;
        int r = sd_bus_message_read_strv(message, &words);

        if (r < 0)
                return r;
        STRV_FOREACH (word, words) {
                bool is_known = streq(*word, "all");

                for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
                        if (streq(*word, "all") || streq(*word, resources[i].name)) {
                                bits |= resources[i].bit;
                                is_known = true;
                        }
                if (!is_known)
                        return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                                 "Invalid resource type: %s", *word);
        }
        *ret = bits;
        return 0;
}

static int find(void *object, struct unit **ret, sd_bus_error *error)
{
        CLEANUP(bus_view) struct bus_view v = {0};
        int r = bus_view_get(object, &v);

        if (r < 0)
                return r;
        const struct unit_conf *conf = v.conf;

        if (conf->load_state == LOAD_NOT_FOUND)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not found.", v.id);
        if (conf->load_state == LOAD_MASKED)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.UnitMasked",
                                         "Unit %s is masked.", v.id);
        if (conf->load_state != LOAD_LOADED)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.BadUnitSetting",
                                         "Unit %s is not loaded properly: %s", v.id,
                                         conf->load_error ? conf->load_error : "");
        if (!v.unit || !v.unit->ops->clean)
                return sd_bus_error_setf(error, SD_BUS_ERROR_NOT_SUPPORTED,
                                         "Unit '%s' does not support cleaning.", v.id);
        *ret = v.unit;
        return 0;
}

// The rest of message is the list of resources; the caller is trusted.
static int clean(sd_bus_message *message, void *object, sd_bus_error *error)
{
        struct unit *u = NULL;
        unsigned what = 0;
        int r = read_what(message, &what, error);

        if (r < 0 || (r = find(object, &u, error)) < 0)
                return r;
        if (!u || u->job || unit_active_state(u) != ACTIVE_INACTIVE)
                r = -EBUSY;
        else
                r = u->ops->clean(u, what);
        if (r == -EUNATCH)
                return sd_bus_error_set(error, "org.freedesktop.systemd1.NothingToClean",
                                        "No matching resources found.");
        if (r == -EBUSY)
                return sd_bus_error_set(error, "org.freedesktop.systemd1.UnitBusy",
                                        "Unit is not inactive or has pending job.");
        return r < 0 ? r : sd_bus_reply_method_return(message, NULL);
}

int bus_on_clean(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(bus_client_of(message), error);

        return r < 0 ? r : clean(message, userdata, error);
}

static int on_clean_unit(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        const char *name = NULL;
        void *object = NULL;
        int r = bus_check_trusted(userdata, error);

        if (r < 0 || (r = sd_bus_message_read(message, "s", &name)) < 0 ||
            (r = bus_find_object(userdata, name, true, &object, error)) < 0)
                return r;
        return clean(message, object, error);
}

const sd_bus_vtable bus_manager_clean_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("CleanUnit", "sas", "", on_clean_unit, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
