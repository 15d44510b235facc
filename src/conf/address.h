// Socket addresses of Listen*= (systemd.socket(5)), from text to binary and back. Host names are
// never looked up; the kernel resolves "%ifname". net/peer formats the addresses of peers.
#pragma once

#include "base/buf.h"
#include "conf/types.h"

// Fill *ret for ListenStream=, ListenDatagram=, ListenSequentialPacket= (type: SOCK_STREAM,
// SOCK_DGRAM, SOCK_SEQPACKET): "/path", "@abstract", "N", "a.b.c.d:N", "[v6]:N" with %ifname or
// %ifindex after the port or inside the brackets, "vsock:CID:N". ret->text and ret->path are new
// strings; file and line stay empty. 0, -ENOMEM, or: -EINVAL not an address, -EAFNOSUPPORT the
// kernel lacks the family, -ENODEV no such interface, -ENAMETOOLONG the path is too long,
// -EPROTOTYPE the family does not have this type of socket.
int address_parse(const char *text, int type, struct port *ret);
// The same for ListenNetlink=: "family [group]".
int address_parse_netlink(const char *text, struct port *ret);
// One sentence for such an error.
const char *address_error(int error);

// "[::]:80", "127.0.0.1:80", "/run/x", "@name" (unprintable characters escaped), "vsock:2:80",
// "kobject-uevent 1" (protocol: the netlink family), as systemd prints them.
// New string or NULL (no memory).
char *address_format(const struct address *address, int protocol);
// Compares addresses, to keep a descriptor over a reload or to adopt one that was passed.
bool address_equal(const struct address *a, const struct address *b);

void port_done(struct port *port);
void port_list_done(struct port_list *list);
static inline void cleanup_port_list(struct port_list *list)
{
        port_list_done(list);
}
// Moves the port into the list. 0 or -ENOMEM.
int port_list_add(struct port_list *list, struct port *port);
bool port_equal(const struct port *a, const struct port *b); // except file and line
int port_copy(const struct port *from, struct port *to);     // 0 or -ENOMEM
// "Stream", "Datagram", "SequentialPacket", "FIFO", "Special", "Netlink", "MessageQueue", as in the
// Listen property.
const char *port_type_name(const struct port *port);

// Does the kernel have IPv6? Checked once. Public for tests.
bool address_has_ipv6(void);
