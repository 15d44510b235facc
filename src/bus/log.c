// usher's own interface: the lines that are kept in memory (core/loop/log_ring.h).
#include "base/buf.h"
#include "bus/bus_priv.h"
#include "conf/unit_name.h"
#include "core/loop/log_ring.h"
#include "core/socket/sock.h"
#include "core/unit/registry.h"

#define LINES_MAX 10000 // of one answer

// If the pattern names a socket, the lines of its services are added, since they say why
// connections fail. Any other pattern stays unchanged. New string, or NULL (no memory).
static char *widen_pattern(struct manager *m, const char *pattern)
{
        struct unit *u = unit_name_is_valid(pattern) ? registry_find_unit(m, pattern) : NULL;
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!u || u->ops != &sock_ops)
                return strdup(pattern);
        struct sock *s = CONTAINER_OF(u, struct sock, unit);
        CLEANUP(free) char *template = NULL;

        buf_puts(&b, pattern);
        if (sock_conf(s)->accept) {
                if (sock_template_name(s, &template) < 0)
                        return NULL;
                const char *rest = strchr(template, '@');

                if (rest)
                        buf_printf(&b, "\n%.*s@*%s", (int)(rest - template), template, rest + 1);
        }
        UNIT_FOREACH_DEPENDENCY (u, DEP_BIT(DEP_TRIGGERS), other)
                buf_printf(&b, "\n%s", other->id);
        return b.error ? NULL : strdup(buf_text(&b));
}

// GetLog(pattern, after, n): the last n lines, younger than number `after`, of units that match.
static int on_get_log(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        const struct bus_client *c = userdata;
        const struct log_ring *ring = c->server->manager->log_ring;
        const char *given;
        uint64_t after;
        uint32_t n;
        int r = sd_bus_message_read(m, "stu", &given, &after, &n);

        if (r < 0)
                return r;
        if (!bus_may_read_logs(c))
                return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                        "Access denied: logs are for root and those that "
                                        "AllowLogs= names.");
        CLEANUP(free) char *pattern = widen_pattern(c->server->manager, given);
        __attribute__((cleanup(sd_bus_message_unrefp))) sd_bus_message *reply = NULL;

        if (!pattern)
                return -ENOMEM;
        r = sd_bus_message_new_method_return(m, &reply);
        if (r >= 0)
                r = sd_bus_message_open_container(reply, 'a', "(ttiuss)");
        for (const struct log_ring_line *l = log_ring_find(ring, pattern, after, MIN(n, LINES_MAX));
             r >= 0 && l; l = log_ring_next(ring, pattern, l))
                r = sd_bus_message_append(reply, "(ttiuss)", l->number, (uint64_t)l->time, l->level,
                                          (uint32_t)l->pid, l->unit, l->text);
        if (r >= 0)
                r = sd_bus_message_close_container(reply);
        return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

const sd_bus_vtable bus_log_vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("GetLog", "stu", "a(ttiuss)", on_get_log, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};
