// Finds the object that an object path names.
#include "base/str.h"
#include "bus/bus_priv.h"
#include "conf/assign.h"
#include "conf/unit_name.h"
#include "core/socket/connection.h"
#include "core/unit/index.h"
#include "core/unit/registry.h"

#define CONNECTION_TAG ((uintptr_t)1)
#define ABSENT_TAG ((uintptr_t)2)
#define TAGS (CONNECTION_TAG | ABSENT_TAG)

void *bus_object_of_unit(struct unit *u)
{
        return u;
}

void *bus_object_of_run(struct run *run)
{
        return (void *)((uintptr_t)run | CONNECTION_TAG);
}

int bus_view_get(void *object, struct bus_view *ret)
{
        struct bus_view v = {0};

        if ((uintptr_t)object & ABSENT_TAG) {
                const struct bus_client *c = (const void *)((uintptr_t)object & ~TAGS);

                v.manager = c->server->manager;
                v.conf = c->absent;
                v.id = c->absent->id;
        } else if ((uintptr_t)object & CONNECTION_TAG) {
                v.run = (struct run *)((uintptr_t)object & ~TAGS);
                v.manager = v.run->manager;
                v.conf = v.run->conf;
                int r = connection_name(connection_of(v.run), &v.name);

                if (r < 0)
                        return r;
                v.id = v.name;
        } else {
                v.unit = object;
                v.manager = v.unit->manager;
                v.conf = v.unit->conf;
                v.id = v.unit->id;
                if (v.unit->ops == &service_ops)
                        v.run = &CONTAINER_OF(v.unit, struct service, unit)->run;
        }
        *ret = v;
        return 0;
}

enum active_state bus_view_active_state(const struct bus_view *v)
{
        return v->unit  ? unit_active_state(v->unit)
               : v->run ? service_state_to_active(v->run->state)
                        : ACTIVE_INACTIVE;
}

const char *bus_view_sub_state(const struct bus_view *v)
{
        return v->unit  ? v->unit->ops->sub_state(v->unit)
               : v->run ? service_state_name(v->run->state)
                        : "dead";
}

const char *bus_view_description(const struct bus_view *v, char **buffer)
{
        char peer[PEER_TEXT_MAX];

        if (!v->run || !v->run->client)
                return v->unit ? unit_description(v->unit) : v->id;
        // A connection's peer is appended to the template's description.
        const char *text = v->conf->unit->description ? v->conf->unit->description : v->id;

        connection_peer(connection_of(v->run), peer);
        if (peer[0] == '\0')
                return text;
        *buffer = str_printf("%s (%s)", text, peer);
        return *buffer ? *buffer : text;
}

static int make_absent(struct bus_client *c, const char *name, void **ret)
{
        struct unit_conf *conf;
        int r = unit_conf_new_empty(name, unit_name_type(name), LOAD_NOT_FOUND, &conf);

        if (r < 0)
                return r;
        unit_conf_unref(c->absent);
        c->absent = conf;
        conf->load_error = str_printf("Unit %s is not loaded, and only those who control usherd "
                                      "load units by asking for them.",
                                      name);
        if (!conf->load_error)
                return -ENOMEM;
        *ret = (void *)((uintptr_t)c | ABSENT_TAG);
        return 0;
}

int bus_find_object(struct bus_client *c, const char *name, bool load, void **ret,
                    sd_bus_error *error)
{
        struct manager *m = c->server->manager;
        struct unit *u = NULL;
        struct connection *connection;
        int r;

        if (!unit_name_is_valid(name) || unit_name_is_template(name))
                return sd_bus_error_setf(error, SD_BUS_ERROR_INVALID_ARGS,
                                         "Unit name %s is not valid.", name);
        u = registry_find_unit(m, name);
        if (!u && (connection = connection_find(m, name))) {
                *ret = bus_object_of_run(connection->run);
                return 0;
        }
        if (!u && !load)
                return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit",
                                         "Unit %s not loaded.", name);
        if (!u && !bus_client_is_trusted(c))
                return make_absent(c, name, ret);
        r = !u                                 ? registry_load_unit(m, name, &u)
            : load && bus_client_is_trusted(c) ? index_look_again(u)
                                               : 0;
        if (r < 0)
                return sd_bus_error_set_errno(error, r);
        *ret = bus_object_of_unit(u);
        return 0;
}
