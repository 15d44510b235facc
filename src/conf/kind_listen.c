// Listen*=: the ports of a socket unit, one list for all of these directives, in file order. `arg`
// of the row identifies the directive. An empty assignment to any of them clears all.
#include "base/fs.h"
#include "base/str.h"
#include "base/strv.h"
#include "conf/address.h"
#include "conf/kind_impl.h"

#include <ctype.h>

static void free_ports(void *field)
{
        port_list_done(field);
}

static int socket_type(intptr_t arg)
{
        return arg == PORT_ARG_STREAM     ? SOCK_STREAM
               : arg == PORT_ARG_DATAGRAM ? SOCK_DGRAM
                                          : SOCK_SEQPACKET;
}

// Parses a port that is a path. 0 with *ret filled, or the result of parse with ret->text NULL.
static int parse_path(const struct parse_context *c, enum port_kind kind, char *text,
                      struct port *ret)
{
        CLEANUP(free) char *path = strdup(text);

        if (!path)
                return -ENOMEM;
        if (kind == PORT_MQUEUE) { // a name, not a file: "/name"
                if (path[0] != '/' || path[1] == '\0' || strchr(path + 1, '/'))
                        return kind_complain(c,
                                             "%s= needs a name with one slash in front, "
                                             "ignoring: %s",
                                             c->directive->name, path);
        } else {
                int r = kind_clean_path(c, &path);

                if (!path)
                        return r;
        }
        *ret = (struct port){.kind = kind};
        if (str_set(&ret->text, path) < 0)
                return -ENOMEM;
        ret->path = TAKE(path);
        return 0;
}

// A hint for text that other programs accept as an address.
static const char *address_hint(const char *text)
{
        const char *colon = strchr(text, ':');

        if (str_after_prefix(text, "unix:"))
                return "; write the path alone";
        if (strstr(text, "://"))
                return "; not a URL: write the port, or ADDRESS:PORT";
        if (colon && strchr(colon + 1, ':') && text[0] != '[')
                return "; write an IPv6 address in brackets, [::1]:80";
        if (text[0] == '*' || text[0] == ':')
                return "; write the port alone for all addresses";
        if (isalpha((unsigned char)text[0]))
                return "; for a host or service name write X-ListenName=stream HOST SERVICE";
        return "";
}

static int parse_address(const struct parse_context *c, char *text, struct port *ret)
{
        intptr_t arg = c->directive->arg;
        CLEANUP(free) char *path = NULL;
        int r = 0;

        if (arg != PORT_ARG_NETLINK && text[0] == '/') {
                path = strdup(text);
                if (!path)
                        return -ENOMEM;
                r = kind_clean_path(c, &path);
                if (!path)
                        return r;
        }
        r = arg == PORT_ARG_NETLINK ? address_parse_netlink(text, ret)
                                    : address_parse(path ? path : text, socket_type(arg), ret);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return kind_complain(
                        c, "Failed to parse address value in %s=, ignoring: %s (%s%s)",
                        c->directive->name, text,
                        arg == PORT_ARG_NETLINK ? "not FAMILY [GROUP]" : address_error(r),
                        arg == PORT_ARG_NETLINK || r != -EINVAL ? "" : address_hint(text));
        return 0;
}

static bool is_host(const char *text)
{
        return streq(text, "*") || text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                     "0123456789-._:%")] == '\0';
}

// "stream HOST SERVICE", "datagram HOST SERVICE".
static int parse_name(const struct parse_context *c, const char *text, struct port *ret)
{
        CLEANUP(strv) char **words = NULL;
        int r = strv_split(text, " \t", &words);

        if (r < 0)
                return r;
        bool is_stream = words && words[0] && streq(words[0], "stream");

        if (strv_length(words) != 3 || (!is_stream && !streq(words[0], "datagram")))
                return kind_complain(c,
                                     "%s= needs \"stream\" or \"datagram\", a host name (or *) "
                                     "and a service, ignoring: %s",
                                     c->directive->name, text);
        if (!is_host(words[1]))
                return kind_complain_value(c, "host name", words[1]);
        *ret = (struct port){.kind = PORT_NAME, .type = is_stream ? SOCK_STREAM : SOCK_DGRAM};
        ret->text = strv_join(words, " ");
        if (!ret->text || str_set(&ret->host, words[1]) < 0 ||
            str_set(&ret->service, words[2]) < 0) {
                port_done(ret);
                return -ENOMEM;
        }
        return 0;
}

static int parse_ports(const struct parse_context *c, const char *value, void *field)
{
        static const int kinds[] = {
                [PORT_ARG_FIFO] = PORT_FIFO,
                [PORT_ARG_SPECIAL] = PORT_SPECIAL,
                [PORT_ARG_MQUEUE] = PORT_MQUEUE,
        };
        CLEANUP(free) char *text = NULL;
        struct port port = {0};
        intptr_t arg = c->directive->arg;
        bool is_path = arg == PORT_ARG_FIFO || arg == PORT_ARG_SPECIAL || arg == PORT_ARG_MQUEUE;

        if (!*value) {
                free_ports(field);
                return 0;
        }
        int r = kind_expand(c, value, SPECIFIERS_ALL, KIND_MARKS_REPORT, &text);

        if (!text)
                return r;
        r = is_path                ? parse_path(c, (enum port_kind)kinds[arg], text, &port)
            : arg == PORT_ARG_NAME ? parse_name(c, text, &port)
                                   : parse_address(c, text, &port);
        if (!port.text)
                return r;
        port.line = c->line;
        r = str_set(&port.file, c->file);
        if (r == 0)
                r = port_list_add(field, &port);
        port_done(&port);
        return r;
}

static intptr_t get_item_arg(const void *field, size_t i)
{
        const struct port *port = &((const struct port_list *)field)->items[i];

        switch (port->kind) {
        case PORT_FIFO:
                return PORT_ARG_FIFO;
        case PORT_SPECIAL:
                return PORT_ARG_SPECIAL;
        case PORT_NETLINK:
                return PORT_ARG_NETLINK;
        case PORT_MQUEUE:
                return PORT_ARG_MQUEUE;
        case PORT_NAME:
                return PORT_ARG_NAME;
        case PORT_SOCKET:
        case _PORT_KIND_MAX:
                break;
        }
        return port->type == SOCK_STREAM  ? PORT_ARG_STREAM
               : port->type == SOCK_DGRAM ? PORT_ARG_DATAGRAM
                                          : PORT_ARG_SEQPACKET;
}

// Writes the names of AF_UNIX sockets literally, since a port's text has unprintable characters
// escaped.
static int format_port(const struct directive *d, const struct port *port, struct buf *b)
{
        const struct sockaddr_un *un = &port->address.addr.un;
        bool is_abstract =
                port->kind == PORT_SOCKET && un->sun_family == AF_UNIX && !un->sun_path[0];

        if (!is_abstract) {
                kind_put_specifiers(b, d, port->path ? port->path : port->text);
                return b->error;
        }
        CLEANUP(free)
        char *name = str_ndup(un->sun_path + 1,
                              port->address.size - offsetof(struct sockaddr_un, sun_path) - 1);

        if (!name)
                return -ENOMEM;
        buf_putc(b, '@');
        kind_put_specifiers(b, d, name);
        return b->error;
}

static int format_ports(const struct directive *d, const void *field, char ***ret_lines)
{
        const struct port_list *list = field;
        int r = 0;

        for (size_t i = 0; r == 0 && i < list->n; i++) {
                CLEANUP(buf) struct buf b = BUF_NULL;

                r = format_port(d, &list->items[i], &b);
                if (r == 0)
                        r = kind_push_buf(ret_lines, &b);
        }
        return r;
}

static bool equal_ports(const void *a, const void *b)
{
        const struct port_list *x = a, *y = b;

        if (x->n != y->n)
                return false;
        for (size_t i = 0; i < x->n; i++)
                if (!port_equal(&x->items[i], &y->items[i]))
                        return false;
        return true;
}

static int copy_ports(const void *from, void *to)
{
        const struct port_list *list = from;
        struct port_list copy = {0};

        for (size_t i = 0; i < list->n; i++) {
                struct port port = {0};

                if (port_copy(&list->items[i], &port) < 0 || port_list_add(&copy, &port) < 0) {
                        port_done(&port);
                        free_ports(&copy);
                        return -ENOMEM;
                }
        }
        *(struct port_list *)to = copy;
        return 0;
}

const struct kind kind_ports = {
        .name = "ports",
        .size = sizeof(kind_ports_t),
        .parse = parse_ports,
        .format = format_ports,
        .free = free_ports,
        .item_arg = get_item_arg,
        .equal = equal_ports,
        .copy = copy_ports,
};
