#include "core/service/bus_names.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "core/unit/registry.h"
#include "core/unit/unit.h"

#include <stdio.h>

#define DBUS "org.freedesktop.DBus"
#define DBUS_PATH "/org/freedesktop/DBus"
#define RETRY_FIRST (100 * USEC_PER_MSEC)
#define RETRY_LAST (30 * USEC_PER_SEC)
// Longer names are refused when the unit is read (D-Bus specification: 255 bytes).
#define MATCH_MAX 512

struct bus_names {
        struct manager *manager;
        struct list_node names;
        sd_bus *bus; // NULL: not connected
        struct timer retry_timer;
        usec_t retry_wait;
        struct work work; // checks the connection again later
        bool is_lost;     // the bus has closed it
        struct core_observer observer;
};

// ---- one name

static void drop_slots(struct bus_name *n)
{
        n->match = sd_bus_slot_unref(n->match);
        n->owner_query = sd_bus_slot_unref(n->owner_query);
        n->process_query = sd_bus_slot_unref(n->process_query);
}

static int on_process_reply(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
        struct bus_name *n = data;
        uint32_t pid = 0;

        n->process_query = sd_bus_slot_unref(n->process_query);
        if (n->has_owner && !sd_bus_message_is_method_error(m, NULL) &&
            sd_bus_message_read(m, "u", &pid) >= 0)
                n->on_process(n, (pid_t)pid);
        return 0;
}

static void ask_process(struct bus_name *n, sd_bus *bus, const char *owner)
{
        n->process_query = sd_bus_slot_unref(n->process_query);
        int r = sd_bus_call_method_async(bus, &n->process_query, DBUS, DBUS_PATH, DBUS,
                                         "GetConnectionUnixProcessID", on_process_reply, n, "s",
                                         owner);

        if (r < 0)
                log_write(LOG_DEBUG, "Cannot ask for the process of %s: %s", n->name, strerror(-r));
}

static void set_owner(struct bus_name *n, sd_bus *bus, const char *owner)
{
        n->has_owner = !str_is_empty(owner);
        n->manager->bus_names->retry_wait = 0; // the bus answers again
        log_write(LOG_DEBUG, "Bus name %s: %s", n->name, n->has_owner ? owner : "it has no owner");
        if (n->has_owner && n->on_process)
                ask_process(n, bus, owner);
        n->on_owner(n);
}

static int on_owner_changed(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
        struct bus_name *n = data;
        const char *name, *from, *to;

        // This signal carries everything that the answer to the pending question would.
        n->owner_query = sd_bus_slot_unref(n->owner_query);
        if (sd_bus_message_read(m, "sss", &name, &from, &to) >= 0 && streq(name, n->name))
                set_owner(n, sd_bus_message_get_bus(m), to);
        return 0;
}

static int on_owner_reply(sd_bus_message *m, void *data, sd_bus_error *error UNUSED)
{
        struct bus_name *n = data;
        const char *owner = NULL;

        n->owner_query = sd_bus_slot_unref(n->owner_query);
        // Other errors (the connection is lost) say nothing about the name.
        if (!sd_bus_message_is_method_error(m, SD_BUS_ERROR_NAME_HAS_NO_OWNER) &&
            (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "s", &owner) < 0))
                return 0;
        set_owner(n, sd_bus_message_get_bus(m), owner);
        return 0;
}

// Subscribes first and then asks, so that no change in between is missed.
static int ask(struct bus_names *b, struct bus_name *n)
{
        char match[MATCH_MAX];

        snprintf(match, sizeof(match),
                 "type='signal',sender='" DBUS "',path='" DBUS_PATH "',interface='" DBUS
                 "',member='NameOwnerChanged',arg0='%s'",
                 n->name);
        drop_slots(n);
        int r = sd_bus_add_match_async(b->bus, &n->match, match, on_owner_changed, NULL, n);

        if (r >= 0)
                r = sd_bus_call_method_async(b->bus, &n->owner_query, DBUS, DBUS_PATH, DBUS,
                                             "GetNameOwner", on_owner_reply, n, "s", n->name);
        return MIN(r, 0);
}

// ---- the connection

static struct unit *loaded_unit(struct manager *m, const char *name)
{
        struct unit *u = registry_find_unit(m, name);

        return u && u->conf->load_state == LOAD_LOADED ? u : NULL;
}

// If one of our units runs the bus, wait until it is active.
static bool is_awaited(struct manager *m)
{
        struct unit *u = loaded_unit(m, "dbus.service");
        enum active_state state = u ? unit_active_state(u) : ACTIVE_INACTIVE;

        if (!u && !loaded_unit(m, "dbus.socket"))
                return false;
        return state != ACTIVE_ACTIVE && state != ACTIVE_RELOADING;
}

static void disconnect(struct bus_names *b)
{
        LIST_FOREACH (&b->names, node)
                drop_slots(CONTAINER_OF(node, struct bus_name, node));
        sd_bus_close(b->bus);
        b->bus = sd_bus_unref(b->bus);
        b->is_lost = false;
}

static void run_work(struct work *w);

static int on_disconnected(sd_bus_message *m UNUSED, void *data, sd_bus_error *error UNUSED)
{
        struct bus_names *b = data;

        b->is_lost = true; // it cannot be freed inside its own callback
        work_queue(b->manager->events, WORK_STATE, &b->work, run_work);
        return 0;
}

static int try_connect(struct bus_names *b)
{
        int r = b->manager->options.is_user ? sd_bus_open_user(&b->bus)
                                            : sd_bus_open_system(&b->bus);

        if (r >= 0)
                r = sd_bus_match_signal_async(b->bus, NULL, DBUS ".Local", DBUS_PATH "/Local",
                                              DBUS ".Local", "Disconnected", on_disconnected, NULL,
                                              b);
        if (r >= 0)
                r = sd_bus_attach_event(b->bus, events_sd(b->manager->events),
                                        SD_EVENT_PRIORITY_NORMAL);
        LIST_FOREACH (&b->names, node)
                if (r >= 0)
                        r = ask(b, CONTAINER_OF(node, struct bus_name, node));
        if (r < 0)
                disconnect(b);
        return MIN(r, 0);
}

static void on_retry(struct timer *t, usec_t now UNUSED)
{
        run_work(&CONTAINER_OF(t, struct bus_names, retry_timer)->work);
}

static void retry_later(struct bus_names *b)
{
        b->retry_wait = b->retry_wait == 0 ? RETRY_FIRST : MIN(2 * b->retry_wait, RETRY_LAST);
        if (timer_set(b->manager->events, &b->retry_timer, usec_add(clock_now(), b->retry_wait),
                      on_retry) < 0)
                log_write(LOG_WARNING, "The message bus is not tried again: %s", strerror(ENOMEM));
}

// 0: connected, or will be when our own bus is active. -errno: the bus cannot be reached; tried
// again.
static int connect_bus(struct bus_names *b)
{
        if (b->bus)
                return 0;
        timer_stop(b->manager->events, &b->retry_timer);
        if (is_awaited(b->manager))
                return 0;
        int r = try_connect(b);

        if (r < 0)
                retry_later(b);
        return r;
}

static void run_work(struct work *w)
{
        struct bus_names *b = CONTAINER_OF(w, struct bus_names, work);

        if (b->is_lost) {
                log_write(LOG_NOTICE, "The message bus has closed the connection");
                disconnect(b);
                retry_later(b);
        } else {
                (void)connect_bus(b); // tried again later
        }
}

// Our own bus has become active, or has ended.
static void on_unit_changed(struct core_observer *o, struct unit *u)
{
        struct bus_names *b = CONTAINER_OF(o, struct bus_names, observer);

        if (!b->bus && registry_find_unit(b->manager, "dbus.service") == u)
                work_queue(b->manager->events, WORK_STATE, &b->work, run_work);
}

// ---- all

static int begin(struct manager *m)
{
        struct bus_names *b = calloc(1, sizeof(*b));

        if (!b)
                return -ENOMEM;
        b->manager = m;
        list_init(&b->names);
        b->observer.on_unit_changed = on_unit_changed;
        manager_add_observer(m, &b->observer);
        m->bus_names = b;
        return 0;
}

static void end_if_unused(struct bus_names *b)
{
        struct manager *m = b->manager;

        if (!list_is_empty(&b->names))
                return;
        manager_remove_observer(m, &b->observer);
        timer_stop(m->events, &b->retry_timer);
        work_cancel(&b->work);
        disconnect(b);
        m->bus_names = NULL;
        free(b);
}

int bus_name_watch(struct manager *m, struct bus_name *n, const char *name)
{
        if (str_eq_ptr(n->name, name))
                return connect_bus(m->bus_names);
        bus_name_unwatch(n);
        int r = m->bus_names ? 0 : begin(m);

        if (r < 0)
                return r;
        struct bus_names *b = m->bus_names;

        LIST_FOREACH (&b->names, node)
                if (streq(CONTAINER_OF(node, struct bus_name, node)->name, name))
                        return -EEXIST;
        r = str_set(&n->name, name);
        if (r < 0) {
                end_if_unused(b);
                return r;
        }
        n->manager = m;
        list_append(&b->names, &n->node);
        return b->bus ? ask(b, n) : connect_bus(b);
}

void bus_name_unwatch(struct bus_name *n)
{
        if (!n->name)
                return;
        drop_slots(n);
        list_remove(&n->node);
        free(TAKE(n->name));
        n->has_owner = false;
        end_if_unused(n->manager->bus_names);
}
