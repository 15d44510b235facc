#include "conf/unit_conf.h"

#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "conf/group.h"
#include "conf/unit_name.h"

struct unit_conf *unit_conf_ref(struct unit_conf *conf)
{
        conf->refs++;
        return conf;
}

void unit_conf_unref(struct unit_conf *conf)
{
        if (!conf || --conf->refs > 0)
                return;
        group_unref(conf->unit);
        group_unref(conf->install);
        group_unref(conf->socket);
        group_unref(conf->service);
        group_unref(conf->exec);
        group_unref(conf->kill);
        group_unref(conf->cgroup);
        free(conf->id);
        free(conf->load_error);
        free(conf->fragment_path);
        strv_free(conf->names);
        strv_free(conf->dropin_paths);
        strv_free(conf->linked_wants);
        strv_free(conf->linked_requires);
        strv_free(conf->linked_upholds);
        strv_free(conf->unacted);
        free(conf);
}

bool unit_conf_equal(const struct unit_conf *a, const struct unit_conf *b)
{
        return streq(a->id, b->id) && a->load_state == b->load_state &&
               strv_equal(a->names, b->names) && strv_equal(a->linked_wants, b->linked_wants) &&
               strv_equal(a->linked_requires, b->linked_requires) &&
               strv_equal(a->linked_upholds, b->linked_upholds) &&
               group_equal(GROUP_UNIT, a->unit, b->unit) &&
               group_equal(GROUP_INSTALL, a->install, b->install) &&
               group_equal(GROUP_SOCKET, a->socket, b->socket) &&
               group_equal(GROUP_SERVICE, a->service, b->service) &&
               group_equal(GROUP_EXEC, a->exec, b->exec) &&
               group_equal(GROUP_KILL, a->kill, b->kill) &&
               group_equal(GROUP_CGROUP, a->cgroup, b->cgroup);
}

int unit_conf_service_name(const struct unit_conf *socket, char **ret)
{
        CLEANUP(free) char *prefix = NULL;

        if (socket->socket->service)
                return str_set(ret, socket->socket->service);
        if (!socket->socket->accept)
                return unit_name_change_suffix(socket->id, UNIT_SERVICE, ret);
        int r = unit_name_prefix(socket->id, &prefix);

        if (r < 0)
                return r;
        *ret = str_printf("%s@.service", prefix);
        return *ret ? 0 : -ENOMEM;
}

const char *unit_conf_fd_name(const struct unit_conf *socket, size_t line)
{
        char *const *names = socket->socket->file_descriptor_name;
        size_t n = strv_length(names);

        if (n <= 1)
                return n == 1 ? names[0] : socket->id;
        return line < n ? names[line] : socket->id;
}

bool unit_conf_has_network(const struct unit_conf *socket)
{
        const struct port_list *ports = &socket->socket->ports;

        for (size_t i = 0; i < ports->n; i++) {
                const struct port *port = &ports->items[i];
                sa_family_t family = port->address.addr.sa.sa_family;

                if (port->kind == PORT_NAME ||
                    (port->kind == PORT_SOCKET && (family == AF_INET || family == AF_INET6)))
                        return true;
        }
        return false;
}

char *unit_conf_unguarded_advice(const char *directive)
{
        return str_printf("Usher does not act on %s=: peers would be answered that it excludes. "
                          "Filter them in a firewall or listen on other addresses, and write an "
                          "empty %s= in a drop-in; or write Unsupported=notice in usher.conf",
                          directive, directive);
}

char *unit_conf_why_unguarded(const struct unit_conf *socket, const struct unit_conf *service)
{
        CLEANUP(free) char *advice = NULL;

        if (!service->unguarded || !socket->socket || !unit_conf_has_network(socket))
                return NULL;
        advice = unit_conf_unguarded_advice(service->unguarded);
        return advice ? str_printf("its service %s has %s=. %s", service->id, service->unguarded,
                                   advice)
                      : NULL;
}

static bool has_port(const struct port_list *ports, const struct port *port)
{
        for (size_t i = 0; i < ports->n; i++)
                if (port_equal(&ports->items[i], port))
                        return true;
        return false;
}

bool unit_conf_is_worse(const struct unit_conf *old, const struct unit_conf *fresh)
{
        if (old->load_state != LOAD_LOADED)
                return false;
        if (fresh->load_state == LOAD_BAD_SETTING || fresh->load_state == LOAD_ERROR)
                return true;
        if (fresh->load_state != LOAD_LOADED || !fresh->skips_listener)
                return false;
        // An invalid line has replaced a valid one.
        for (size_t i = 0; i < old->socket->ports.n; i++)
                if (!has_port(&fresh->socket->ports, &old->socket->ports.items[i]))
                        return true;
        return false;
}
