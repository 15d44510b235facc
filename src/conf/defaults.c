#include "conf/defaults.h"

#include "base/str.h"

void defaults_fill_service(const struct conf_builder *b, struct service_group *g)
{
        if (!conf_builder_is_set(b, "Service", "Type"))
                g->type = g->bus_name       ? SERVICE_DBUS
                          : g->exec_start.n ? SERVICE_SIMPLE
                                            : SERVICE_ONESHOT;
        if (g->type == SERVICE_ONESHOT && !conf_builder_is_set(b, "Service", "TimeoutStartSec"))
                g->timeout_start_sec = USEC_INFINITY;
        if (!conf_builder_is_set(b, "Service", "TimeoutAbortSec"))
                g->timeout_abort_sec = g->timeout_stop_sec;
        if (g->notify_access == NOTIFY_NONE &&
            (g->type == SERVICE_NOTIFY || g->type == SERVICE_NOTIFY_RELOAD || g->watchdog_sec > 0 ||
             g->file_descriptor_store_max > 0))
                g->notify_access = NOTIFY_MAIN;
}

void defaults_fill_socket(const struct conf_builder *b, struct socket_group *g)
{
        // One process for each connection: more starts are ordinary (systemd.socket(5)).
        if (g->accept && !conf_builder_is_set(b, "Socket", "TriggerLimitBurst"))
                g->trigger_limit_burst = 200;
        if (g->accept && !conf_builder_is_set(b, "Socket", "PollLimitBurst"))
                g->poll_limit_burst = 150;
}

const char *defaults_companion(const struct directive *d)
{
        return d->group == GROUP_SERVICE && streq(d->name, "TimeoutSec") ? "TimeoutStopSec" : NULL;
}
