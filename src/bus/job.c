// The Job interface.
#include "base/str.h"
#include "bus/bus_priv.h"

#define GETTER(name)                                                                               \
        static int name(sd_bus *bus UNUSED, const char *path UNUSED, const char *interface UNUSED, \
                        const char *property UNUSED, sd_bus_message *reply, void *userdata,        \
                        sd_bus_error *error UNUSED)

GETTER(get_id)
{
        const struct job *j = userdata;

        return sd_bus_message_append(reply, "u", j->id);
}

GETTER(get_unit)
{
        const struct job *j = userdata;
        CLEANUP(free) char *unit = bus_unit_path(j->unit->id);

        return unit ? sd_bus_message_append(reply, "(so)", j->unit->id, unit) : -ENOMEM;
}

GETTER(get_string)
{
        const struct job *j = userdata;

        return sd_bus_message_append(reply, "s",
                                     streq(property, "State") ? job_state_name(j->state)
                                                              : job_type_name(j->type));
}

static int on_cancel(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        int r = bus_check_trusted(bus_client_of(message), error);

        if (r < 0)
                return r;
        job_finish(userdata, JOB_CANCELED);
        return sd_bus_reply_method_return(message, NULL);
}

const sd_bus_vtable bus_job_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_PROPERTY("Id", "u", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("Unit", "(so)", get_unit, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("JobType", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_CONST),
        SD_BUS_PROPERTY("State", "s", get_string, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
        SD_BUS_METHOD("Cancel", "", "", on_cancel, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
