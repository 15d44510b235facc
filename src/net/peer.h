// The other end of a connection: the key by which connections are counted, and the names made from
// its address. Asks only the kernel.
#pragma once

#include "conf/enums.h"
#include "conf/types.h"

// The size of an address and port as text, with the NUL.
#define PEER_TEXT_MAX 160

// Family and address without the port, by which MaxConnectionsPerSource= counts.
struct peer_key {
        uint8_t bytes[20];
        size_t size;
};

struct peer_info {
        struct address local, remote;
        struct ucred cred; // AF_UNIX; pid 0: not in our pid namespace
};

// The local address of all connections of a listener on this address, or NULL if each connection
// must be asked (wildcard address, path). Do not use it with IP_TRANSPARENT, where it may be any
// address.
const struct address *peer_known_local(const struct address *listener);
// local: the local address, if known; NULL: the kernel is asked. 0, -ENOTCONN: the peer has gone
// already; other -errno.
int peer_info_get(int fd, const struct address *local, struct peer_info *ret);
// True and *ret; false: connections of this family are not counted by source.
bool peer_get_key(const struct peer_info *peer, struct peer_key *ret);
// The same in the size of its addresses, for callers that keep thousands.
size_t peer_packed_size(const struct peer_info *peer);
void peer_pack(const struct peer_info *peer, void *ret); // peer_packed_size() bytes, any alignment
void peer_unpack(const void *packed, struct peer_info *ret);
// The instance name, the part after "@": "3-127.0.0.1:80-127.0.0.1:4711", "3-PID-UID"; masked
// "3-127.0.0.1:80-127.0.0.0", "3-UID"; LOG_PEER_NONE: "3-hidden". New string; 0 or -ENOMEM.
int peer_format_instance(const struct peer_info *peer, uint64_t number, enum log_peer how,
                         char **ret);
// REMOTE_ADDR and REMOTE_PORT. 1; 0: the family has none.
int peer_format_remote(const struct peer_info *peer, char address[PEER_TEXT_MAX],
                       char port[PEER_TEXT_MAX]);
// For people: "127.0.0.1:4711", "[::1]:4711", "PID 42 (UID 1000)", "vsock:3:1024". Masked, it has
// no port, PID or CID, and only the network of the address: the first 24 bits of IPv4, 48 of IPv6
// (40 of 6to4, which leaves 24 bits of the IPv4 address in it): "127.0.0.0", "2001:db8::", "UID
// 1000", "vsock". LOG_PEER_NONE, or unknown: "".
void peer_format_text(const struct peer_info *peer, enum log_peer how, char text[PEER_TEXT_MAX]);
// The local address: "127.0.0.1:80", "/run/x.sock", "@x".
void peer_format_local(const struct peer_info *peer, char text[PEER_TEXT_MAX]);
// An address of either end; an IPv4-mapped address is shown as IPv4. "" for families without.
void peer_format_address(const struct address *address, char text[PEER_TEXT_MAX]);
