// list-sockets.
#include "base/str.h"
#include "base/strv.h"
#include "ctl/ctl.h"

#include <stdio.h>

#define INTERFACE "org.freedesktop.systemd1.Socket"

enum cell {
        CELL_ADDRESS,
        CELL_TYPE,
        CELL_UNIT,
        CELL_ACTIVATES,
        CELL_ACCEPTED,
        CELL_ACTIVE,
        CELL_REFUSED,
        CELL_REFUSED_FULL,
        CELL_REFUSED_SOURCE,
        CELL_REFUSED_TRIGGER,
        CELL_REFUSED_STOPPING,
        CELL_STATE,
        CELL_REASON,
        _CELL_MAX,
};

static const char *const heads[_CELL_MAX] = {
        [CELL_ADDRESS] = "LISTEN",
        [CELL_TYPE] = "TYPE",
        [CELL_UNIT] = "UNIT",
        [CELL_ACTIVATES] = "ACTIVATES",
        [CELL_ACCEPTED] = "ACCEPTED",
        [CELL_ACTIVE] = "ACTIVE",
        [CELL_REFUSED] = "REFUSED",
        [CELL_REFUSED_FULL] = "BY-MAX",
        [CELL_REFUSED_SOURCE] = "BY-SOURCE",
        [CELL_REFUSED_TRIGGER] = "BY-TRIGGER",
        [CELL_REFUSED_STOPPING] = "BY-STOP",
        [CELL_STATE] = "STATE",
        [CELL_REASON] = "REASON",
};

// The properties that contain the numbers of these columns.
static const char *const counters[_CELL_MAX] = {
        [CELL_ACCEPTED] = "NAccepted",
        [CELL_ACTIVE] = "NConnections",
        [CELL_REFUSED] = "NRefused",
        [CELL_REFUSED_FULL] = "XNRefusedMaxConnections",
        [CELL_REFUSED_SOURCE] = "XNRefusedMaxConnectionsPerSource",
        [CELL_REFUSED_TRIGGER] = "XNRefusedTriggerLimit",
        [CELL_REFUSED_STOPPING] = "XNRefusedStopping",
};

struct listener {
        bool is_bad; // the unit was refused or has failed, so the socket does not listen
        char *cells[_CELL_MAX];
};

static void free_listeners(struct listener *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < _CELL_MAX; k++)
                        free(list[i].cells[k]);
        free(list);
}

// Sorts by address, with paths last, and then by type.
static int compare(const void *a, const void *b)
{
        const struct listener *x = a, *y = b;
        const char *one = x->cells[CELL_ADDRESS], *other = y->cells[CELL_ADDRESS];
        bool p = one[0] == '/', q = other[0] == '/';
        int order = p != q ? (p ? 1 : -1) : strcmp(one, other);

        return order ? order : strcmp(x->cells[CELL_TYPE], y->cells[CELL_TYPE]);
}

static char *number(struct ctl *c, const char *path, const char *name)
{
        return str_printf("%llu",
                          (unsigned long long)client_get_number(c, path, INTERFACE, name, 0));
}

// The service; with Accept=yes, the instances that run.
static char *activates(struct ctl *c, const char *path)
{
        CLEANUP(strv) char **triggers = client_get_strv(c, path, BUS_UNIT, "Triggers");

        return triggers && triggers[0] ? strv_join(triggers, " ") : strdup("-");
}

static bool is_bad(const struct ctl_unit *u)
{
        return streq(u->active, "failed") || !streq(u->load, "loaded");
}

static char *state(const struct ctl_unit *u)
{
        if (!streq(u->load, "loaded"))
                return strdup(u->load);
        return streq(u->active, u->sub) ? strdup(u->active)
                                        : str_printf("%s (%s)", u->active, u->sub);
}

// The reason why the socket does not listen, or what is wrong with it. New string, may be empty.
static char *reason(struct ctl *c, const struct ctl_unit *u)
{
        CLEANUP(free) char *status = client_get_string(c, u->path, INTERFACE, "StatusText");

        if (!streq(u->load, "loaded"))
                return client_get_load_error(c, u->path);
        if (status && *status)
                return TAKE(status);
        if (!is_bad(u))
                return strdup("");
        CLEANUP(free) char *result = client_get_string(c, u->path, INTERFACE, "Result");

        return strdup(jobs_why_failed(result));
}

static int add(struct listener **list, size_t *n, const struct ctl_unit *u, struct ctl *c,
               const char *type, const char *address)
{
        struct listener *more = reallocarray(*list, *n + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        *list = more;
        struct listener *l = &more[(*n)++];

        *l = (struct listener){.is_bad = is_bad(u),
                               .cells = {
                                       [CELL_ADDRESS] = strdup(address),
                                       [CELL_TYPE] = strdup(type),
                                       [CELL_UNIT] = strdup(u->id),
                                       [CELL_ACTIVATES] = activates(c, u->path),
                                       [CELL_STATE] = state(u),
                                       [CELL_REASON] = reason(c, u),
                               }};
        for (size_t i = 0; i < _CELL_MAX; i++) {
                if (counters[i])
                        l->cells[i] = number(c, u->path, counters[i]);
                if (!l->cells[i])
                        return -ENOMEM;
        }
        return 0;
}

static int add_unit(struct listener **list, size_t *n, const struct ctl_unit *u, struct ctl *c)
{
        sd_bus_message *reply = NULL;
        const char *type, *address;
        int r = sd_bus_get_property(c->bus, BUS_DESTINATION, u->path, INTERFACE, "Listen", NULL,
                                    &reply, "a(ss)");

        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        size_t before = *n;

        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &type, &address)) > 0)
                r = add(list, n, u, c, type, address);
        if (r >= 0 && *n == before) // a refused socket may have no address
                r = add(list, n, u, c, "-", "-");
        sd_bus_message_unref(reply);
        return r;
}

static void print_sum(const struct ctl *c, const struct listener *list, size_t n, size_t n_bad)
{
        printf("%s%zu sockets listed%s\n", n > 0 ? "\n" : "", n,
               n_bad > 0 ? ", and on those with × nobody listens:" : ".");
        for (size_t i = 0; i < n; i++) {
                char *const *cells = list[i].cells;

                // The reason is the same for all addresses of a unit, so it is printed once.
                if (list[i].is_bad &&
                    (i == 0 || !streq(list[i - 1].cells[CELL_UNIT], cells[CELL_UNIT])))
                        printf("%s× %s%s: %s: %s\n", color_on(c, COLOR_RED),
                               shown(cells[CELL_UNIT]), color_off(c), cells[CELL_STATE],
                               shown(cells[CELL_REASON]));
        }
}

static int print(struct ctl *c, const struct listener *list, size_t n)
{
        static const enum cell plain[] = {CELL_ADDRESS, CELL_UNIT, CELL_ACTIVATES};
        bool is_wide = c->wide || c->output != OUTPUT_SHORT;
        size_t n_columns = is_wide         ? (size_t)_CELL_MAX
                           : c->show_types ? CELL_ACTIVATES + 1
                                           : ARRAY_SIZE(plain);
        bool is_plain = n_columns == ARRAY_SIZE(plain);
        const char *head[_CELL_MAX], *row[_CELL_MAX];
        CLEANUP(table) struct table *t = NULL;

        for (size_t k = 0; k < n_columns; k++)
                head[k] = heads[is_plain ? plain[k] : k];
        int r = table_new(head, n_columns, &t);
        size_t n_bad = 0;

        for (size_t i = 0; r == 0 && i < n; i++) {
                for (size_t k = 0; k < n_columns; k++)
                        row[k] = list[i].cells[is_plain ? plain[k] : k];
                n_bad += list[i].is_bad;
                r = table_row(t, list[i].is_bad ? COLOR_RED : COLOR_NONE,
                              list[i].is_bad ? "×" : NULL, row);
        }
        if (r < 0)
                return client_complain(NULL, r, "Failed to list sockets");
        table_print(c, t);
        if (!c->no_legend && c->output == OUTPUT_SHORT)
                print_sum(c, list, n, n_bad);
        return 0;
}

int verb_list_sockets(struct ctl *c, char **args)
{
        struct ctl_unit *units = NULL;
        struct listener *list = NULL;
        size_t n_units = 0, n = 0;
        int r = units_get_sockets(c, args, &units, &n_units);

        for (size_t i = 0; r == 0 && i < n_units; i++) {
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
