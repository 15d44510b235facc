// list-sockets.
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"

#include <stdio.h>

#define INTERFACE "org.freedesktop.systemd1.Socket"

struct listener {
        char *address, *type, *unit, *activates, *accepted, *active, *refused, *state;
};

static void free_listeners(struct listener *l, size_t n)
{
        for (size_t i = 0; l && i < n; i++) {
                free(l[i].address);
                free(l[i].type);
                free(l[i].unit);
                free(l[i].activates);
                free(l[i].accepted);
                free(l[i].active);
                free(l[i].refused);
                free(l[i].state);
        }
        free(l);
}

// Addresses first, then paths; then by type.
static int compare(const void *a, const void *b)
{
        const struct listener *x = a, *y = b;
        bool p = x->address[0] == '/', q = y->address[0] == '/';
        int order = p != q ? (p ? 1 : -1) : strcmp(x->address, y->address);

        return order ? order : strcmp(x->type, y->type);
}

static char *number(struct ctl *c, const char *path, const char *name)
{
        return str_printf("%llu",
                          (unsigned long long)client_get_number(c, path, INTERFACE, name, 0));
}

// What it starts: the service, for Accept=yes the template.
static char *activates(struct ctl *c, const char *path, const char *unit)
{
        CLEANUP(strv) char **triggers = client_get_strv(c, path, BUS_UNIT, "Triggers");
        CLEANUP(free) char *prefix = NULL;
        int accept = 0;

        if (sd_bus_get_property_trivial(c->bus, BUS_DESTINATION, path, INTERFACE, "Accept", NULL,
                                        'b', &accept) >= 0 &&
            accept)
                return unit_name_prefix(unit, &prefix) < 0 ? NULL
                                                           : str_printf("%s@.service", prefix);
        return triggers ? strv_join(triggers, " ") : strdup("-");
}

static int add(struct listener **list, size_t *n, const struct ctl_unit *u, struct ctl *c,
               const char *type, const char *address)
{
        struct listener *more = reallocarray(*list, *n + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        *list = more;
        struct listener *l = &more[(*n)++];

        *l = (struct listener){
                .address = strdup(address),
                .type = strdup(type),
                .unit = strdup(u->id),
                .activates = activates(c, u->path, u->id),
                .state = str_printf("%s (%s)", u->active, u->sub),
                .accepted = number(c, u->path, "NAccepted"),
                .active = number(c, u->path, "NConnections"),
                .refused = number(c, u->path, "NRefused"),
        };
        return l->address && l->type && l->unit && l->activates && l->state && l->accepted &&
                               l->active && l->refused
                       ? 0
                       : -ENOMEM;
}

static int add_unit(struct listener **list, size_t *n, const struct ctl_unit *u, struct ctl *c)
{
        sd_bus_message *reply = NULL;
        const char *type, *address;
        int r = sd_bus_get_property(c->bus, BUS_DESTINATION, u->path, INTERFACE, "Listen", NULL,
                                    &reply, "a(ss)");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &type, &address)) > 0)
                r = add(list, n, u, c, type, address);
        sd_bus_message_unref(reply);
        return r;
}

static int print(struct ctl *c, const struct listener *list, size_t n)
{
        static const char *const wide[] = {"LISTEN",   "TYPE",   "UNIT",    "ACTIVATES",
                                           "ACCEPTED", "ACTIVE", "REFUSED", "STATE"};
        static const char *const typed[] = {"LISTEN", "TYPE", "UNIT", "ACTIVATES"};
        static const char *const plain[] = {"LISTEN", "UNIT", "ACTIVATES"};
        bool is_wide = c->full || c->output != OUTPUT_SHORT;
        CLEANUP(table) struct table *t = NULL;
        int r = table_new(is_wide         ? wide
                          : c->show_types ? typed
                                          : plain,
                          is_wide         ? ARRAY_SIZE(wide)
                          : c->show_types ? ARRAY_SIZE(typed)
                                          : ARRAY_SIZE(plain),
                          &t);

        for (size_t i = 0; r == 0 && i < n; i++) {
                const struct listener *l = &list[i];
                const char *const all[] = {l->address,  l->type,   l->unit,    l->activates,
                                           l->accepted, l->active, l->refused, l->state};
                const char *const some[] = {l->address, l->unit, l->activates};

                r = table_row(t, COLOR_NONE, NULL, is_wide || c->show_types ? all : some);
        }
        if (r < 0)
                return client_complain(NULL, r, "Failed to list sockets");
        table_print(c, t);
        if (!c->no_legend && c->output == OUTPUT_SHORT)
                printf("%s%zu sockets listed.\n", n > 0 ? "\n" : "", n);
        return 0;
}

int verb_list_sockets(struct ctl *c, char **args)
{
        CLEANUP(strv) char **patterns = NULL;
        struct ctl_unit *units = NULL;
        struct listener *list = NULL;
        size_t n_units = 0, n = 0;
        int r = 0;

        for (; r == 0 && *args; args++) {
                char *name;

                if (client_is_pattern(*args)) {
                        r = strv_push(&patterns, *args);
                        continue;
                }
                r = unit_name_mangle(*args, UNIT_SOCKET, &name);
                if (r == 0)
                        r = strv_push_take(&patterns, name);
        }
        if (r < 0)
                return client_complain(NULL, r, "Not a unit name");
        r = units_get(c, patterns, false, &units, &n_units);
        for (size_t i = 0; r == 0 && i < n_units; i++)
                if (unit_name_type(units[i].id) == UNIT_SOCKET) {
                        r = add_unit(&list, &n, &units[i], c);
                        if (r < 0)
                                r = client_complain(NULL, r, "%s", units[i].id);
                }
        if (r == 0 && n > 1)
                qsort(list, n, sizeof(*list), compare);
        if (r == 0)
                r = print(c, list, n);
        free_listeners(list, n);
        units_free(units, n_units);
        return r;
}
