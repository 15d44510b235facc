// Who is at the other end of a connection: the key by which connections are counted, the names that
// are made of it. Asks the kernel alone.
#pragma once

#include "conf/enums.h"
#include "conf/types.h"

// Text of an address and port, NUL included.
#define PEER_TEXT_MAX 160

// Family and address without the port, as MaxConnectionsPerSource= counts.
struct peer_key {
        uint8_t bytes[20];
        size_t size;
};

struct peer_info {
        struct address local, remote;
        struct ucred cred; // AF_UNIX; pid 0: not visible from here
};

// What is known of our end of the connections of a listener on this address: it, or NULL where each
// must be asked (any address, a path). With IP_TRANSPARENT ours may be everybody's: do not ask.
const struct address *peer_known_local(const struct address *listener);
// local: our end, NULL: it is asked for. 0, -ENOTCONN: the peer has gone already; other -errno.
int peer_info_get(int fd, const struct address *local, struct peer_info *ret);
// True and *ret; false: this family is not counted by source.
bool peer_get_key(const struct peer_info *peer, struct peer_key *ret);
// The same in as few bytes as its addresses have, for those who keep thousands.
size_t peer_packed_size(const struct peer_info *peer);
void peer_pack(const struct peer_info *peer, void *ret); // peer_packed_size() bytes, any alignment
void peer_unpack(const void *packed, struct peer_info *ret);
// What stands behind the "@" of its instance: "3-127.0.0.1:80-127.0.0.1:4711", "3-PID-UID"; masked
// "3-127.0.0.1:80-127.0.0.0", "3-UID"; not told "3-hidden". New string; 0 or -ENOMEM.
int peer_format_instance(const struct peer_info *peer, uint64_t number, enum log_peer how,
                         char **ret);
// REMOTE_ADDR and REMOTE_PORT. 1; 0: the family has none.
int peer_format_remote(const struct peer_info *peer, char address[PEER_TEXT_MAX],
                       char port[PEER_TEXT_MAX]);
// For people: "127.0.0.1:4711", "[::1]:4711", "PID 42 (UID 1000)", "vsock:3:1024". Masked, without
// the port or the PID, and of the address only the network: the first 24 bits of IPv4, 48 of IPv6
// (of 6to4 40, so that 24 bits of the IPv4 address in it are left), no CID: "127.0.0.0",
// "2001:db8::", "UID 1000", "vsock". LOG_PEER_NONE, or unknown: "".
void peer_format_text(const struct peer_info *peer, enum log_peer how, char text[PEER_TEXT_MAX]);
// Our end: "127.0.0.1:80", "/run/x.sock", "@x".
void peer_format_local(const struct peer_info *peer, char text[PEER_TEXT_MAX]);
// An address of either end; IPv4 within IPv6 is shown as IPv4. "" for families without.
void peer_format_address(const struct address *address, char text[PEER_TEXT_MAX]);
