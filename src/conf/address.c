#include "conf/address.h"

#include "base/fd.h"
#include "base/parse.h"
#include "base/str.h"
#include "conf/enums.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <unistd.h>

#define HOST_MAX 64 // an IPv6 address in text, with its NUL

// ---- text to address

// A number in any notation of parse_u32(), as with systemd: "0100" is octal. Names are not ports.
static int parse_port(const char *text, uint16_t *ret)
{
        uint32_t number;

        if (parse_u32(text, &number) < 0 || number == 0 || number > UINT16_MAX)
                return -EINVAL;
        *ret = (uint16_t)number;
        return 0;
}

static int parse_interface(const char *text, unsigned *ret)
{
        uint32_t number;
        unsigned index = if_nametoindex(text);

        if (index > 0)
                *ret = index;
        else if (parse_u32(text, &number) == 0 && number > 0 && number <= INT32_MAX)
                *ret = number;
        else
                return -ENODEV;
        return 0;
}

static int set_unix(const char *text, struct address *a)
{
        struct sockaddr_un *un = &a->addr.un;
        size_t n = strlen(text);
        bool is_abstract = text[0] == '@';

        // A path is terminated; an abstract name has its size instead.
        if (n + (is_abstract ? 0 : 1) > sizeof(un->sun_path))
                return -ENAMETOOLONG;
        if (is_abstract && n == 1)
                return -EINVAL;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, text, n);
        if (is_abstract)
                un->sun_path[0] = '\0';
        a->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (is_abstract ? 0 : 1));
        return 0;
}

static int set_vsock(const char *text, struct address *a)
{
        struct sockaddr_vm *vm = (struct sockaddr_vm *)&a->addr;
        const char *colon = strchr(text, ':');
        uint32_t cid = VMADDR_CID_ANY, port;

        if (!colon || parse_u32(colon + 1, &port) < 0)
                return -EINVAL;
        if (colon != text) {
                CLEANUP(free) char *number = str_ndup(text, (size_t)(colon - text));

                if (!number)
                        return -ENOMEM;
                if (parse_u32(number, &cid) < 0)
                        return -EINVAL;
        }
        vm->svm_family = AF_VSOCK;
        vm->svm_cid = cid;
        vm->svm_port = port;
        a->size = sizeof(*vm);
        return 0;
}

static void set_any(uint16_t port, struct address *a)
{
        a->port_only = true;
        if (address_has_ipv6()) {
                a->addr.in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                                    .sin6_port = htons(port),
                                                    .sin6_addr = in6addr_any};
                a->size = sizeof(a->addr.in6);
                return;
        }
        a->addr.in = (struct sockaddr_in){
                .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_ANY)}};
        a->size = sizeof(a->addr.in);
}

static int set_inet(const char *host, uint16_t port, struct address *a)
{
        struct sockaddr_in *in = &a->addr.in;

        if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
                return -EINVAL;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        a->size = sizeof(*in);
        return 0;
}

static int set_inet6(char *host, const char *scope, uint16_t port, struct address *a)
{
        struct sockaddr_in6 *in6 = &a->addr.in6;
        char *inner = strchr(host, '%');
        int r = 0;

        if (inner) {
                *inner++ = '\0';
                scope = inner;
        }
        if (inet_pton(AF_INET6, host, &in6->sin6_addr) != 1)
                return -EINVAL;
        if (scope)
                r = parse_interface(scope, &in6->sin6_scope_id);
        if (r < 0)
                return r;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons(port);
        a->size = sizeof(*in6);
        return address_has_ipv6() ? 0 : -EAFNOSUPPORT;
}

// "[v6]:N%if", "a.b.c.d:N".
static int set_host(const char *text, struct address *a)
{
        CLEANUP(free) char *copy = strdup(text);
        bool is_bracketed = text[0] == '[';
        char *end, *scope = NULL;
        uint16_t port;

        if (!copy)
                return -ENOMEM;
        end = is_bracketed ? strchr(copy, ']') : strchr(copy, ':');
        if (!end)
                return -EINVAL;
        if (is_bracketed)
                *end++ = '\0';
        if (*end != ':')
                return -EINVAL;
        *end++ = '\0';
        if (is_bracketed && (scope = strchr(end, '%')))
                *scope++ = '\0';
        if (parse_port(end, &port) < 0)
                return -EINVAL;
        return is_bracketed ? set_inet6(copy + 1, scope, port, a) : set_inet(copy, port, a);
}

// All families have streams and datagrams; only AF_UNIX, and vsock in some kernels, has sequenced
// packets.
static bool has_type(const struct address *a, int type)
{
        int family = a->addr.sa.sa_family;

        return type != SOCK_SEQPACKET || family == AF_UNIX || family == AF_VSOCK;
}

// Fills in the texts that a port keeps. 0 or -ENOMEM.
static int finish(struct port *port, const char *path)
{
        if (path && !(port->path = strdup(path)))
                return -ENOMEM;
        port->text = address_format(&port->address, port->protocol);
        return port->text ? 0 : -ENOMEM;
}

int address_parse(const char *text, int type, struct port *ret)
{
        struct port port = {.kind = PORT_SOCKET, .type = type};
        const char *rest;
        uint16_t number;
        int r = 0;

        if (streq(text, "/"))
                r = -EINVAL;
        else if (text[0] == '/' || text[0] == '@')
                r = set_unix(text, &port.address);
        else if ((rest = str_after_prefix(text, "vsock:")))
                r = set_vsock(rest, &port.address);
        else if (parse_port(text, &number) == 0)
                set_any(number, &port.address);
        else
                r = set_host(text, &port.address);
        if (r == 0 && !has_type(&port.address, type))
                r = -EPROTOTYPE;
        if (r == 0)
                r = finish(&port, text[0] == '/' ? text : NULL);
        if (r < 0) {
                port_done(&port);
                return r;
        }
        *ret = port;
        return 0;
}

// ---- netlink

static const struct choice netlink_names[] = {
        {"route", NETLINK_ROUTE},
        {"usersock", NETLINK_USERSOCK},
        {"firewall", NETLINK_FIREWALL},
        {"inet-diag", NETLINK_SOCK_DIAG},
        {"nflog", NETLINK_NFLOG},
        {"xfrm", NETLINK_XFRM},
        {"selinux", NETLINK_SELINUX},
        {"iscsi", NETLINK_ISCSI},
        {"audit", NETLINK_AUDIT},
        {"fib-lookup", NETLINK_FIB_LOOKUP},
        {"connector", NETLINK_CONNECTOR},
        {"netfilter", NETLINK_NETFILTER},
        {"ip6-fw", NETLINK_IP6_FW},
        {"dnrtmsg", NETLINK_DNRTMSG},
        {"kobject-uevent", NETLINK_KOBJECT_UEVENT},
        {"generic", NETLINK_GENERIC},
        {"scsitransport", NETLINK_SCSITRANSPORT},
        {"ecryptfs", NETLINK_ECRYPTFS},
        {"rdma", NETLINK_RDMA},
};
static const struct choices netlink_families = {.items = netlink_names,
                                                .n = ARRAY_SIZE(netlink_names)};

int address_parse_netlink(const char *text, struct port *ret)
{
        struct port port = {.kind = PORT_NETLINK, .type = SOCK_RAW};
        struct sockaddr_nl *nl = (struct sockaddr_nl *)&port.address.addr;
        CLEANUP(free) char *family = NULL;
        CLEANUP(free) char *group = NULL;
        CLEANUP(free) char *more = NULL;
        uint32_t number, groups = 0;
        int r = parse_word(&text, " \t", 0, &family);

        if (r <= 0)
                return r < 0 ? r : -EINVAL;
        r = parse_word(&text, " \t", 0, &group);
        if (r > 0 && parse_u32(group, &groups) < 0)
                return -EINVAL;
        if (r > 0)
                r = parse_word(&text, " \t", 0, &more);
        if (r != 0)
                return r < 0 ? r : -EINVAL;
        port.protocol = choices_find(&netlink_families, family);
        if (port.protocol < 0) {
                if (parse_u32(family, &number) < 0 || number >= MAX_LINKS)
                        return -EINVAL;
                port.protocol = (int)number;
        }
        nl->nl_family = AF_NETLINK;
        nl->nl_groups = groups;
        port.address.size = sizeof(*nl);
        r = finish(&port, NULL);
        if (r < 0)
                return r;
        *ret = port;
        return 0;
}

const char *address_error(int error)
{
        switch (-error) {
        case EAFNOSUPPORT:
                return "the kernel does not support this address family";
        case ENODEV:
                return "there is no such network interface";
        case ENAMETOOLONG:
                return "the path is too long for a socket";
        case EPROTOTYPE:
                return "this address family has no sockets of this type";
        case ENOMEM:
                return "out of memory";
        default:
                return "not an address (a path, @name, PORT, IPV4:PORT or [IPV6]:PORT)";
        }
}

// ---- address to text

static char *format_unix(const struct address *a)
{
        size_t n = a->size - offsetof(struct sockaddr_un, sun_path);
        const char *path = a->addr.un.sun_path;

        if (n == 0)
                return strdup("<unnamed>");
        CLEANUP(free) char *name = str_ndup(path[0] ? path : path + 1, path[0] ? n : n - 1);
        CLEANUP(free) char *shown = name ? str_escape(name) : NULL;

        return shown ? str_printf("%s%s", path[0] ? "" : "@", shown) : NULL;
}

static char *format_inet6(const struct sockaddr_in6 *in6)
{
        char host[HOST_MAX], interface[IF_NAMESIZE];
        unsigned port = ntohs(in6->sin6_port);

        inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        if (in6->sin6_scope_id == 0)
                return str_printf("[%s]:%u", host, port);
        if (if_indextoname(in6->sin6_scope_id, interface))
                return str_printf("[%s]:%u%%%s", host, port, interface);
        return str_printf("[%s]:%u%%%u", host, port, in6->sin6_scope_id);
}

char *address_format(const struct address *address, int protocol)
{
        const union sockaddr_any *a = &address->addr;
        const struct sockaddr_vm *vm = (const struct sockaddr_vm *)a;
        const struct sockaddr_nl *nl = (const struct sockaddr_nl *)a;
        char host[HOST_MAX];
        const char *name;

        switch (a->sa.sa_family) {
        case AF_UNIX:
                return format_unix(address);
        case AF_INET:
                inet_ntop(AF_INET, &a->in.sin_addr, host, sizeof(host));
                return str_printf("%s:%u", host, ntohs(a->in.sin_port));
        case AF_INET6:
                return format_inet6(&a->in6);
        case AF_VSOCK:
                if (vm->svm_cid == VMADDR_CID_ANY)
                        return str_printf("vsock::%u", vm->svm_port);
                return str_printf("vsock:%u:%u", vm->svm_cid, vm->svm_port);
        case AF_NETLINK:
                name = choices_name(&netlink_families, protocol);
                return name[0] ? str_printf("%s %u", name, nl->nl_groups)
                               : str_printf("%d %u", protocol, nl->nl_groups);
        default:
                return strdup("?");
        }
}

bool address_equal(const struct address *a, const struct address *b)
{
        const union sockaddr_any *x = &a->addr, *y = &b->addr;
        const struct sockaddr_vm *v = (const struct sockaddr_vm *)x,
                                 *w = (const struct sockaddr_vm *)y;
        const struct sockaddr_nl *n = (const struct sockaddr_nl *)x,
                                 *o = (const struct sockaddr_nl *)y;

        if (x->sa.sa_family != y->sa.sa_family)
                return false;
        switch (x->sa.sa_family) {
        case AF_UNIX:
                return a->size == b->size &&
                       memcmp(x->un.sun_path, y->un.sun_path,
                              a->size - offsetof(struct sockaddr_un, sun_path)) == 0;
        case AF_INET:
                return x->in.sin_port == y->in.sin_port &&
                       x->in.sin_addr.s_addr == y->in.sin_addr.s_addr;
        case AF_INET6:
                return x->in6.sin6_port == y->in6.sin6_port &&
                       x->in6.sin6_scope_id == y->in6.sin6_scope_id &&
                       memcmp(&x->in6.sin6_addr, &y->in6.sin6_addr, sizeof(struct in6_addr)) == 0;
        case AF_VSOCK:
                return v->svm_cid == w->svm_cid && v->svm_port == w->svm_port;
        case AF_NETLINK:
                return n->nl_groups == o->nl_groups;
        default:
                return false;
        }
}

// ---- ports

void port_done(struct port *port)
{
        free(port->host);
        free(port->service);
        free(port->path);
        free(port->text);
        free(port->file);
        *port = (struct port){0};
}

void port_list_done(struct port_list *list)
{
        for (size_t i = 0; i < list->n; i++)
                port_done(&list->items[i]);
        free(list->items);
        *list = (struct port_list){0};
}

int port_list_add(struct port_list *list, struct port *port)
{
        struct port *more = realloc(list->items, (list->n + 1) * sizeof(*more));

        if (!more)
                return -ENOMEM;
        list->items = more;
        more[list->n++] = *port;
        *port = (struct port){0};
        return 0;
}

bool port_equal(const struct port *a, const struct port *b)
{
        bool has_address = a->kind == PORT_SOCKET || a->kind == PORT_NETLINK;

        return a->kind == b->kind && a->type == b->type && a->protocol == b->protocol &&
               str_eq_ptr(a->path, b->path) && str_eq_ptr(a->host, b->host) &&
               str_eq_ptr(a->service, b->service) &&
               (!has_address || address_equal(&a->address, &b->address));
}

int port_copy(const struct port *from, struct port *to)
{
        struct port copy = *from;

        copy.host = copy.service = copy.path = copy.text = copy.file = NULL;
        if (str_set(&copy.host, from->host) < 0 || str_set(&copy.service, from->service) < 0 ||
            str_set(&copy.path, from->path) < 0 || str_set(&copy.text, from->text) < 0 ||
            str_set(&copy.file, from->file) < 0) {
                port_done(&copy);
                return -ENOMEM;
        }
        *to = copy;
        return 0;
}

const char *port_type_name(const struct port *port)
{
        switch (port->kind) {
        case PORT_FIFO:
                return "FIFO";
        case PORT_SPECIAL:
                return "Special";
        case PORT_NETLINK:
                return "Netlink";
        case PORT_MQUEUE:
                return "MessageQueue";
        case PORT_SOCKET:
        case PORT_NAME:
        case _PORT_KIND_MAX:
                break;
        }
        return port->type == SOCK_STREAM  ? "Stream"
               : port->type == SOCK_DGRAM ? "Datagram"
                                          : "SequentialPacket";
}

bool address_has_ipv6(void)
{
        static int known = -1;

        if (known < 0)
                known = access("/proc/net/if_inet6", F_OK) == 0;
        return known > 0;
}
