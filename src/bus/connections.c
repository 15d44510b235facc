// usher's own interface: the live connections of all sockets with Accept=yes.
#include "bus/bus_priv.h"
#include "core/socket/connection.h"

// X-LogPeer= counts for everybody who does not control usherd.
static int append(sd_bus_message *reply, const struct connection *c, bool is_trusted)
{
        CLEANUP(free) char *name = NULL;
        char local[PEER_TEXT_MAX], peer[PEER_TEXT_MAX];
        int r = connection_name(c, &name);

        if (r < 0)
                return r;
        connection_addresses(c, local, peer);
        if (!is_trusted)
                connection_peer(c, peer);
        return sd_bus_message_append(reply, "(sssssu)", c->sock->unit.id, name, local, peer,
                                     service_state_name(c->run->state), (uint32_t)c->run->main.pid);
}

// List(): socket, instance, local address, peer, state of the service, its main process (0: none).
static int on_list(sd_bus_message *m, void *userdata, sd_bus_error *error UNUSED)
{
        const struct bus_client *client = userdata;
        struct manager *manager = client->server->manager;
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(m, &reply);

        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(sssssu)");
        for (struct connection *c = connection_next(manager, NULL); r >= 0 && c;
             c = connection_next(manager, c))
                r = append(reply, c, bus_client_is_trusted(client));
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

const sd_bus_vtable bus_connections_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("List", NULL, "a(sssssu)", on_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
