// The Manager interface: the environment block that services start from.
#include "base/strv.h"
#include "bus/bus_priv.h"

static struct environment *environment_of(void *userdata)
{
        return ((struct bus_client *)userdata)->server->manager->environment;
}

static int get_environment(sd_bus *bus UNUSED, const char *path UNUSED,
                           const char *interface UNUSED, const char *property UNUSED,
                           sd_bus_message *reply, void *userdata, sd_bus_error *error UNUSED)
{
        return bus_append_strv(reply, bus_client_is_trusted(userdata)
                                              ? environment_of(userdata)->inherited.block
                                              : NULL);
}

static int change(sd_bus_message *message, void *userdata, char *const *unset, char *const *set,
                  sd_bus_error *error)
{
        int r = bus_check_trusted(userdata, error);

        if (r < 0)
                return r;
        r = environment_change(environment_of(userdata), unset, set);
        switch (r) {
        case ENVIRONMENT_CHANGED:
                return sd_bus_reply_method_return(message, NULL);
        case ENVIRONMENT_BAD_NAME:
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "Invalid environment variable names or assignments");
        case ENVIRONMENT_BAD_ASSIGNMENT:
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "Invalid environment assignments");
        case ENVIRONMENT_TOO_LARGE:
                return sd_bus_error_setf(
                        error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                        "At most %d variables with %u bytes can be set: unset some first",
                        ENVIRONMENT_VARIABLES_MAX, ENVIRONMENT_BYTES_MAX);
        default:
                return r;
        }
}

static int on_set(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **set = NULL;
        int r = sd_bus_message_read_strv(message, &set);

        return r < 0 ? r : change(message, userdata, NULL, set, error);
}

static int on_unset(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **unset = NULL;
        int r = sd_bus_message_read_strv(message, &unset);

        return r < 0 ? r : change(message, userdata, unset, NULL, error);
}

static int on_unset_and_set(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        CLEANUP(strv) char **unset = NULL;
        CLEANUP(strv) char **set = NULL;
        int r = sd_bus_message_read_strv(message, &unset);

        if (r >= 0)
                r = sd_bus_message_read_strv(message, &set);
        return r < 0 ? r : change(message, userdata, unset, set, error);
}

#define METHOD(name, in, out, function) \
        SD_BUS_METHOD(name, in, out, function, SD_BUS_VTABLE_UNPRIVILEGED)

const sd_bus_vtable bus_manager_environment_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Environment", "as", get_environment, 0, 0),
        METHOD("SetEnvironment", "as", "", on_set),
        METHOD("UnsetEnvironment", "as", "", on_unset),
        METHOD("UnsetAndSetEnvironment", "asas", "", on_unset_and_set),
        SD_BUS_VTABLE_END,
};
