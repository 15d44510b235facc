// X-ListenName=: the addresses of names. They are queried at each start, and again for names that
// had no answer.
#include "base/log.h"
#include "base/str.h"
#include "conf/address.h"
#include "core/socket/sock_priv.h"
#include "net/names.h"

#include <sys/epoll.h>

// The same X-ListenName= text may occur twice; one query is enough.
struct found {
        char *text; // of the port
        struct port_list ports;
};

struct sock_names {
        struct sock *sock;
        struct unit_conf *conf; // reference: its ports are queried for
        struct net_names *question;
        struct watch watch;
        struct found *items;
        size_t n;
        struct found *retired; // for listeners that could not be remade (memory)
        size_t n_retired;
};

static bool has_names(const struct sock *s)
{
        const struct port_list *ports = &sock_conf(s)->ports;

        for (size_t i = 0; i < ports->n; i++)
                if (ports->items[i].kind == PORT_NAME)
                        return true;
        return false;
}

static struct found *find(const struct sock_names *names, const char *text)
{
        for (size_t i = 0; names && i < names->n; i++)
                if (streq(names->items[i].text, text))
                        return &names->items[i];
        return NULL;
}

static void free_items(struct found *items, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(items[i].text);
                port_list_done(&items[i].ports);
        }
        free(items);
}

const struct port_list *sock_names_get(const struct sock *s, const struct port *port)
{
        static const struct port_list none;
        const struct found *f = find(s->names, port->text);

        return f ? &f->ports : &none;
}

const struct port *sock_names_missing(const struct sock *s)
{
        const struct port_list *ports = &sock_conf(s)->ports;

        for (size_t i = 0; i < ports->n; i++)
                if (ports->items[i].kind == PORT_NAME &&
                    sock_names_get(s, &ports->items[i])->n == 0)
                        return &ports->items[i];
        return NULL;
}

// ---- the answer

static int on_name(const struct port *port, struct port_list *found, const char *error, void *data)
{
        struct sock *s = data;
        struct sock_names *names = s->names;

        if (error) {
                log_unit(s->unit.id, s->retry ? LOG_DEBUG : LOG_WARNING, 0,
                         "Cannot listen on %s (%s:%u): %s", port->text,
                         port->file ? port->file : "built-in", port->line, error);
                return 0;
        }
        if (find(names, port->text))
                return 0;
        struct found *more = realloc(names->items, (names->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        names->items = more;
        more[names->n] = (struct found){.text = strdup(port->text)};
        if (!more[names->n].text)
                return -ENOMEM;
        more[names->n++].ports = *found;
        *found = (struct port_list){0};
        return 0;
}

// A name that has no answer any more keeps its addresses: its listeners stay.
static void keep_known(struct sock_names *names, struct found *old, size_t n_old)
{
        for (size_t i = 0; i < n_old; i++) {
                struct found *more;

                if (find(names, old[i].text) ||
                    !(more = realloc(names->items, (names->n + 1) * sizeof(*more))))
                        continue;
                names->items = more;
                more[names->n++] = old[i];
                old[i] = (struct found){0};
        }
}

// Addresses that listeners still refer to are kept beside the new ones.
static void give_back(struct sock_names *names, struct found *old, size_t n_old)
{
        free_items(names->retired, names->n_retired);
        names->retired = old;
        names->n_retired = n_old;
}

static void on_answer(struct watch *w, uint32_t revents UNUSED)
{
        struct sock_names *names = CONTAINER_OF(w, struct sock_names, watch);
        struct sock *s = names->sock;
        struct found *old = TAKE(names->items);
        size_t n_old = names->n;

        names->n = 0;
        int r = net_names_read(names->question, on_name, s);

        if (r == -EAGAIN) { // there was no query to make
                names->items = old;
                names->n = n_old;
                return;
        }
        if (r < 0)
                log_unit(s->unit.id, s->retry ? LOG_DEBUG : LOG_WARNING, -r,
                         "Cannot get the addresses of its names");
        keep_known(names, old, n_old);
        sock_names_cancel(s);
        // The old listeners have their ports in `old` until there are new ones.
        if (sock_on_names_known(s, r) < 0) {
                give_back(names, old, n_old);
                return;
        }
        free_items(old, n_old);
}

// ---- the question

static struct sock_names *get(struct sock *s)
{
        if (s->names || !(s->names = calloc(1, sizeof(*s->names))))
                return s->names;
        s->names->sock = s;
        s->names->watch = (struct watch){.fd = -1, .on_event = on_answer};
        return s->names;
}

int sock_names_ask(struct sock *s)
{
        if (!has_names(s))
                return 0;
        struct sock_names *names = get(s);

        if (!names)
                return -ENOMEM;
        if (names->question && names->conf == s->unit.conf)
                return 1; // in progress
        sock_names_cancel(s);
        names->conf = unit_conf_ref(s->unit.conf);
        int r = net_names_new(&sock_conf(s)->ports, &names->question);

        if (r == 0) {
                names->watch.fd = net_names_fd(names->question);
                r = watch_set(s->unit.manager->events, &names->watch, EPOLLIN);
        }
        if (r < 0) {
                log_unit(s->unit.id, LOG_ERR, -r, "Cannot query the addresses of its names");
                sock_names_cancel(s);
                return r;
        }
        return 1;
}

void sock_names_cancel(struct sock *s)
{
        struct sock_names *names = s->names;

        if (!names)
                return;
        if (names->watch.fd >= 0)
                watch_remove(s->unit.manager->events, &names->watch);
        names->watch.fd = -1;
        net_names_free(TAKE(names->question));
        unit_conf_unref(TAKE(names->conf));
}

void sock_names_done(struct sock *s)
{
        sock_names_cancel(s);
        if (s->names) {
                free_items(s->names->items, s->names->n);
                free_items(s->names->retired, s->names->n_retired);
        }
        free(TAKE(s->names));
}
