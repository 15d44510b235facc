// First byte: what sort of listener; the rest is what Listen*= has, or X-ListenName= or a group.
#include "conf/address.h"

#include "base/str.h"
#include "fuzz/input.h"

// What is printed is read as the same again.
static void check_round_trip(const struct port *port, int type)
{
        CLEANUP(free) char *text = address_format(&port->address, port->protocol);
        struct port again = {0};
        int r;

        assert(text && str_is_utf8(text) && port->text && port->address.size > 0);
        assert(port->address.size <= sizeof(port->address.addr));
        // What of a name cannot be printed is escaped, for people.
        if (port->address.addr.sa.sa_family == AF_UNIX && strchr(text, '\\'))
                return;
        r = type < 0 ? address_parse_netlink(text, &again) : address_parse(text, type, &again);
        assert(r == 0 && port_equal(port, &again));
        port_done(&again);
}

static void check_list(const struct port *port)
{
        CLEANUP(port_list) struct port_list list = {0};
        struct port copy;

        assert(port_copy(port, &copy) == 0 && port_equal(port, &copy));
        assert(port_list_add(&list, &copy) == 0);
        assert(list.n == 1 && port_equal(port, &list.items[0]));
        assert(*port_type_name(port));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, -1};
        struct input in = {data, size};
        int type = types[input_byte(&in) % ARRAY_SIZE(types)];
        CLEANUP(free) char *text = input_string(&in);
        struct port port = {0};
        int r = type < 0 ? address_parse_netlink(text, &port) : address_parse(text, type, &port);

        if (r < 0) {
                assert(!port.text && !port.path && *address_error(r));
                return 0;
        }
        check_round_trip(&port, type);
        check_list(&port);
        port_done(&port);
        return 0;
}
