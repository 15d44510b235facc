// connections: which peers are connected to which socket. The supervisor lists the connections that
// it accepted (Accept=yes), the kernel lists all TCP connections and counts their traffic.
#include "base/clock.h"
#include "base/map.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/unit_name.h"
#include "ctl/ctl.h"
#include "net/diag.h"

#include <stdio.h>
#include <unistd.h>

#define SOCKET_INTERFACE "org.freedesktop.systemd1.Socket"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"

struct row {
        char *socket, *unit, *local, *peer, *state; // state NULL: the kernel reported none
        uint32_t pid;                               // 0: none
        bool has_traffic;
        uint64_t received, sent, segments_received, segments_sent;
};

// A listener with Accept=no, whose connections the service accepts.
struct shared {
        char *socket, *service;
        char *address; // as in the property Listen
        char *port;    // ":80" if the address is a wildcard; otherwise NULL
        uint32_t pid;
};

struct listing {
        struct ctl *ctl;
        struct row *rows;
        size_t n_rows;
        struct shared *shared;
        size_t n_shared;
        struct map *by_ends; // "LOCAL PEER" -> index + 1 of a row
};

static void listing_done(struct listing *l)
{
        for (size_t i = 0; i < l->n_rows; i++) {
                free(l->rows[i].socket);
                free(l->rows[i].unit);
                free(l->rows[i].local);
                free(l->rows[i].peer);
                free(l->rows[i].state);
        }
        for (size_t i = 0; i < l->n_shared; i++) {
                free(l->shared[i].socket);
                free(l->shared[i].service);
                free(l->shared[i].address);
                free(l->shared[i].port);
        }
        free(l->rows);
        free(l->shared);
        map_free(l->by_ends);
}

// 0 and *ret, or -ENOMEM.
static int add_row(struct listing *l, const char *socket, const char *unit, const char *local,
                   const char *peer, struct row **ret)
{
        struct row *more = reallocarray(l->rows, l->n_rows + 1, sizeof(*more));

        if (!more)
                return -ENOMEM;
        l->rows = more;
        struct row *row = *ret = &more[l->n_rows++];

        *row = (struct row){0};
        int r = str_set(&row->socket, socket);

        if (r == 0)
                r = str_set(&row->unit, unit);
        if (r == 0)
                r = str_set(&row->local, local);
        if (r == 0)
                r = str_set(&row->peer, peer);
        return r;
}

// ---- from the supervisor

static bool is_listed(const struct ctl_unit *sockets, size_t n, const char *id)
{
        for (size_t i = 0; i < n; i++)
                if (streq(sockets[i].id, id))
                        return true;
        return false;
}

static int read_accepted(struct listing *l, sd_bus_message *reply, const struct ctl_unit *sockets,
                         size_t n)
{
        const char *socket, *unit, *local, *peer, *state;
        uint32_t pid;
        int r = sd_bus_message_enter_container(reply, 'a', "(sssssu)");

        while (r >= 0 && (r = sd_bus_message_read(reply, "(sssssu)", &socket, &unit, &local, &peer,
                                                  &state, &pid)) > 0) {
                struct row *row;

                if (!is_listed(sockets, n, socket))
                        continue;
                r = add_row(l, socket, unit, local, peer, &row);
                if (r < 0)
                        return r;
                row->pid = pid;
                CLEANUP(free) char *ends = str_printf("%s %s", local, peer);

                if (!ends || map_set(l->by_ends, ends, (void *)(uintptr_t)l->n_rows) < 0)
                        return -ENOMEM;
        }
        return r;
}

static int get_accepted(struct listing *l, const struct ctl_unit *sockets, size_t n)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        sd_bus_message *reply = NULL;
        int r = sd_bus_call_method(l->ctl->bus, BUS_DESTINATION, BUS_ROOT, "org.usher.Connections",
                                   "List", &error, &reply, NULL);

        if (r >= 0)
                r = read_accepted(l, reply, sockets, n);
        if (r < 0)
                r = client_complain(&error, r, "Failed to list connections");
        sd_bus_error_free(&error);
        sd_bus_message_unref(reply);
        return r;
}

static int add_shared(struct listing *l, const struct ctl_unit *u, const char *address)
{
        CLEANUP(strv) char **services = client_get_strv(l->ctl, u->path, BUS_UNIT, "Triggers");
        const char *service = services && services[0] ? services[0] : "";
        CLEANUP(free) char *path = client_unit_path(service);
        bool is_any = str_after_prefix(address, "[::]:") || str_after_prefix(address, "0.0.0.0:");
        struct shared *more = reallocarray(l->shared, l->n_shared + 1, sizeof(*more));

        if (!more || !path)
                return -ENOMEM;
        l->shared = more;
        struct shared *s = &more[l->n_shared++];

        *s = (struct shared){.socket = strdup(u->id),
                             .service = strdup(service),
                             .address = strdup(address),
                             .port = is_any ? strdup(strrchr(address, ':')) : NULL};
        s->pid = (uint32_t)client_get_number(l->ctl, path, SERVICE_INTERFACE, "MainPID", 0);
        return s->socket && s->service && s->address && (s->port || !is_any) ? 0 : -ENOMEM;
}

static int get_shared(struct listing *l, const struct ctl_unit *u)
{
        sd_bus_message *reply = NULL;
        const char *type, *address;
        int accept = 0;
        int r = sd_bus_get_property_trivial(l->ctl->bus, BUS_DESTINATION, u->path, SOCKET_INTERFACE,
                                            "Accept", NULL, 'b', &accept);

        if (r < 0 || accept)
                return r;
        r = sd_bus_get_property(l->ctl->bus, BUS_DESTINATION, u->path, SOCKET_INTERFACE, "Listen",
                                NULL, &reply, "a(ss)");
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(ss)");
        while (r >= 0 && (r = sd_bus_message_read(reply, "(ss)", &type, &address)) > 0)
                if (streq(type, "Stream") && address[0] != '/' && address[0] != '@')
                        r = add_shared(l, u, address);
        sd_bus_message_unref(reply);
        return r;
}

// ---- from the kernel

static const struct shared *find_shared(const struct listing *l, const char *local)
{
        for (size_t i = 0; i < l->n_shared; i++)
                if (l->shared[i].port ? streq(strrchr(local, ':'), l->shared[i].port)
                                      : streq(local, l->shared[i].address))
                        return &l->shared[i];
        return NULL;
}

static int on_connection(const struct net_diag_connection *c, void *data)
{
        struct listing *l = data;
        char local[PEER_TEXT_MAX], peer[PEER_TEXT_MAX];

        peer_format_address(&c->local, local);
        peer_format_address(&c->remote, peer);
        CLEANUP(free) char *ends = str_printf("%s %s", local, peer);

        if (!ends)
                return -ENOMEM;
        uintptr_t found = (uintptr_t)map_get(l->by_ends, ends);
        const struct shared *shared = found ? NULL : find_shared(l, local);
        struct row *row = found ? &l->rows[found - 1] : NULL;

        if (!found && !shared)
                return 0;
        int r = shared ? add_row(l, shared->socket, shared->service, local, peer, &row) : 0;

        if (r < 0)
                return r;
        if (shared)
                row->pid = shared->pid;
        row->has_traffic = c->has_traffic;
        row->received = c->received;
        row->sent = c->sent;
        row->segments_received = c->segments_received;
        row->segments_sent = c->segments_sent;
        return str_set(&row->state, c->state);
}

// ---- printing

static int compare(const void *a, const void *b)
{
        const struct row *x = a, *y = b;
        int order = strcmp(x->socket, y->socket);

        return order                      ? order
               : strcmp(x->unit, y->unit) ? strcmp(x->unit, y->unit)
                                          : strcmp(x->peer, y->peer);
}

// A connection's age is that of the process which serves it; "-" if there is no process.
static void format_age(uint32_t pid, char *text, size_t size)
{
        long hz = sysconf(_SC_CLK_TCK);
        uint64_t ticks;

        snprintf(text, size, "-");
        if (pid == 0 || hz <= 0 || proc_get_start_time((pid_t)pid, &ticks) < 0)
                return;
        usec_t begin = ticks * USEC_PER_SEC / (uint64_t)hz, now = clock_now_boottime();

        usec_format_span(now > begin ? now - begin : 0, USEC_PER_SEC, text, size);
}

static void format_number(const struct row *row, uint64_t n, char text[24])
{
        snprintf(text, 24, row->has_traffic ? "%llu" : "-", (unsigned long long)n);
}

static int print_row(struct table *t, const struct row *row)
{
        char pid[16] = "-", age[USEC_SPAN_MAX], received[24], sent[24], in[24], out[24];

        if (row->pid > 0)
                snprintf(pid, sizeof(pid), "%u", row->pid);
        format_age(row->pid, age, sizeof(age));
        format_number(row, row->received, received);
        format_number(row, row->sent, sent);
        format_number(row, row->segments_received, in);
        format_number(row, row->segments_sent, out);
        const char *const cells[] = {row->socket,
                                     row->unit,
                                     pid,
                                     row->peer[0] ? row->peer : "-",
                                     row->local[0] ? row->local : "-",
                                     row->state ? row->state : "-",
                                     age,
                                     received,
                                     sent,
                                     in,
                                     out};

        return table_row(t, COLOR_NONE, NULL, cells);
}

static int print(const struct listing *l)
{
        static const char *const columns[] = {"SOCKET", "UNIT",        "PID",         "PEER",
                                              "LOCAL",  "STATE",       "AGE",         "RECEIVED",
                                              "SENT",   "SEGMENTS-IN", "SEGMENTS-OUT"};
        const struct ctl *c = l->ctl;
        bool is_wide = c->wide || c->output != OUTPUT_SHORT;
        CLEANUP(table) struct table *t = NULL;
        int r = table_new(columns, ARRAY_SIZE(columns) - (is_wide ? 0 : 2), &t);

        for (size_t i = 0; r == 0 && i < l->n_rows; i++)
                r = print_row(t, &l->rows[i]);
        if (r < 0)
                return client_complain(NULL, r, "Failed to list connections");
        table_print(c, t);
        if (!c->no_legend && c->output == OUTPUT_SHORT)
                printf("%s%zu %s listed.\n", l->n_rows > 0 ? "\n" : "", l->n_rows,
                       l->n_rows == 1 ? "connection" : "connections");
        return 0;
}

static int collect(struct listing *l, const struct ctl_unit *sockets, size_t n)
{
        int r = get_accepted(l, sockets, n);

        for (size_t i = 0; r == 0 && i < n; i++) {
                r = get_shared(l, &sockets[i]);
                if (r < 0)
                        r = client_complain(NULL, r, "%s", sockets[i].id);
        }
        if (r != 0)
                return r;
        r = net_diag_walk(on_connection, l);
        return r < 0 ? client_complain(NULL, r, "Failed to ask the kernel for connections") : 0;
}

int verb_connections(struct ctl *c, char **args)
{
        struct listing l = {.ctl = c, .by_ends = map_new()};
        struct ctl_unit *sockets = NULL;
        size_t n = 0;
        int r = l.by_ends ? units_get_sockets(c, args, &sockets, &n)
                          : client_complain(NULL, -ENOMEM, "Failed to list connections");

        if (r == 0)
                r = collect(&l, sockets, n);
        if (r == 0 && l.n_rows > 1)
                qsort(l.rows, l.n_rows, sizeof(*l.rows), compare);
        if (r == 0)
                r = print(&l);
        units_free(sockets, n);
        listing_done(&l);
        return r;
}
