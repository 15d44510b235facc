// usher's own interface: the report of the last reload. (The reply to the stock systemctl can only
// be a success.)
#include "bus/bus_priv.h"

// GetReport(): whether a unit or usher.conf has become invalid, the complaints and the news, and
// whether the list of these was cut.
static int on_get_report(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        const struct reload_report *report = &c->server->manager->report;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        int r = bus_check_trusted(c, error);

        if (r >= 0)
                r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", report->is_worse);
        if (r >= 0)
                r = bus_append_strv(reply, report->lines);
        if (r >= 0)
                r = sd_bus_message_append(reply, "b", report->is_truncated);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

const sd_bus_vtable bus_reload_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetReport", NULL, "basb", on_get_report, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
