// The answer has, for each named port in order, its addresses as in ListenStream=, then "" and an
// error in words ("" if there is none).
#include "net/names.h"

#include "base/inquiry.h"
#include "base/str.h"
#include "conf/address.h"

#include <netdb.h>
#include <stdio.h>

#define FOUND_MAX 64 // addresses of one name

struct net_names {
        struct inquiry *inquiry;
        const struct port_list *ports;
};

// ---- in the process ----------------------------------------------------------------------------

static const char *error_text(int error)
{
        return error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error);
}

static bool is_seen(const struct addrinfo *first, const struct addrinfo *item)
{
        for (const struct addrinfo *a = first; a != item; a = a->ai_next)
                if (a->ai_addrlen == item->ai_addrlen &&
                    memcmp(a->ai_addr, item->ai_addr, a->ai_addrlen) == 0)
                        return true;
        return false;
}

// The wildcard address is written as a port alone.
static void put_port(struct inquiry_answer *answer, const struct addrinfo *found)
{
        union sockaddr_any any;
        char text[8];

        memcpy(&any, found->ai_addr, found->ai_addrlen);
        snprintf(text, sizeof(text), "%u",
                 ntohs(any.sa.sa_family == AF_INET6 ? any.in6.sin6_port : any.in.sin_port));
        inquiry_put_field(answer, text);
}

static void ask_one(struct inquiry_answer *answer, const struct port *port)
{
        struct addrinfo hints = {.ai_socktype = port->type, .ai_flags = AI_PASSIVE};
        struct addrinfo *found = NULL;
        bool is_any = streq(port->host, "*");
        int error = getaddrinfo(is_any ? NULL : port->host, port->service, &hints, &found);

        if (error == 0 && is_any)
                put_port(answer, found);
        for (const struct addrinfo *a = found; error == 0 && !is_any && a; a = a->ai_next) {
                struct address address = {.size = a->ai_addrlen};

                if (a->ai_addrlen > sizeof(address.addr) || is_seen(found, a))
                        continue;
                memcpy(&address.addr, a->ai_addr, a->ai_addrlen);
                CLEANUP(free) char *text = address_format(&address, 0);

                if (text)
                        inquiry_put_field(answer, text);
        }
        inquiry_put_field(answer, "");
        inquiry_put_field(answer, error == 0 ? "" : error_text(error));
        if (found)
                freeaddrinfo(found);
}

static void ask(struct inquiry_answer *answer, const void *question)
{
        const struct port_list *ports = question;

        for (size_t i = 0; i < ports->n; i++)
                if (ports->items[i].kind == PORT_NAME)
                        ask_one(answer, &ports->items[i]);
}

// ---- outside -----------------------------------------------------------------------------------

int net_names_new(const struct port_list *ports, struct net_names **ret)
{
        CLEANUP(net_names) struct net_names *names = calloc(1, sizeof(*names));

        if (!names)
                return -ENOMEM;
        names->ports = ports;
        int r = inquiry_start(ask, ports, &names->inquiry);

        if (r == 0)
                *ret = TAKE(names);
        return r;
}

int net_names_new_answered(const struct port_list *ports, const char *answer, size_t size,
                           struct net_names **ret)
{
        CLEANUP(net_names) struct net_names *names = calloc(1, sizeof(*names));

        if (!names)
                return -ENOMEM;
        names->ports = ports;
        int r = inquiry_new_answered(answer, size, &names->inquiry);

        if (r == 0)
                *ret = TAKE(names);
        return r;
}

void net_names_free(struct net_names *names)
{
        if (!names)
                return;
        inquiry_free(names->inquiry);
        free(names);
}

int net_names_fd(const struct net_names *names)
{
        return inquiry_fd(names->inquiry);
}

// Leaves out addresses that cannot be listened on (of a family that the kernel lacks).
static int add_found(struct port_list *list, const struct port *named, const char *text)
{
        struct port port = {0};
        int r = address_parse(text, named->type, &port);

        if (r < 0)
                return r == -ENOMEM ? r : 0;
        port.line = named->line;
        r = str_set(&port.file, named->file);
        if (r == 0)
                r = port_list_add(list, &port);
        port_done(&port);
        return r;
}

static int read_one(struct net_names *names, const struct port *port, net_names_cb cb, void *data)
{
        CLEANUP(port_list) struct port_list found = {0};
        const char *field;
        int r = 0;

        while (r == 0 && (field = inquiry_next_field(names->inquiry)) && field[0])
                if (found.n < FOUND_MAX)
                        r = add_found(&found, port, field);
        if (r < 0)
                return r;
        const char *error = inquiry_next_field(names->inquiry);

        if (!error)
                return -ETIMEDOUT;
        if (found.n == 0 && !error[0])
                error = "no address that could be listened on";
        return cb(port, &found, error[0] ? error : NULL, data);
}

int net_names_read(struct net_names *names, net_names_cb cb, void *data)
{
        int r = inquiry_read(names->inquiry);

        for (size_t i = 0; r == 0 && i < names->ports->n; i++)
                if (names->ports->items[i].kind == PORT_NAME)
                        r = read_one(names, &names->ports->items[i], cb, data);
        return r;
}
