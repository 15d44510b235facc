#include "net/peer.h"

#include "base/str.h"
#include "conf/address.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stdio.h>

static const struct sockaddr_vm *vm_of(const struct address *a)
{
        return (const struct sockaddr_vm *)&a->addr;
}

// ---- both ends

const struct address *peer_known_local(const struct address *listener)
{
        switch (listener->addr.sa.sa_family) {
        case AF_INET:
                return listener->addr.in.sin_port != 0 &&
                                       listener->addr.in.sin_addr.s_addr != htonl(INADDR_ANY)
                               ? listener
                               : NULL;
        case AF_INET6:
                return listener->addr.in6.sin6_port != 0 &&
                                       !IN6_IS_ADDR_UNSPECIFIED(&listener->addr.in6.sin6_addr)
                               ? listener
                               : NULL;
        default:
                return NULL;
        }
}

int peer_info_get(int fd, const struct address *local, struct peer_info *ret)
{
        struct peer_info peer = {.local = {.size = sizeof(peer.local.addr)},
                                 .remote = {.size = sizeof(peer.remote.addr)}};
        socklen_t size = sizeof(peer.cred);

        if (getpeername(fd, &peer.remote.addr.sa, &peer.remote.size) < 0)
                return -errno;
        if (local)
                peer.local = *local;
        else if (getsockname(fd, &peer.local.addr.sa, &peer.local.size) < 0)
                return -errno;
        if (peer.local.addr.sa.sa_family == AF_UNIX &&
            getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer.cred, &size) < 0)
                peer.cred = (struct ucred){.uid = (uid_t)-1, .gid = (gid_t)-1};
        *ret = peer;
        return 0;
}

// ---- the key

bool peer_get_key(const struct peer_info *peer, struct peer_key *ret)
{
        const struct address *remote = &peer->remote;
        sa_family_t family = remote->addr.sa.sa_family;
        const void *data;
        size_t size;

        switch (family) {
        case AF_INET:
                data = &remote->addr.in.sin_addr;
                size = sizeof(remote->addr.in.sin_addr);
                break;
        case AF_INET6:
                data = &remote->addr.in6.sin6_addr;
                size = sizeof(remote->addr.in6.sin6_addr);
                break;
        case AF_VSOCK:
                data = &vm_of(remote)->svm_cid;
                size = sizeof(vm_of(remote)->svm_cid);
                break;
        case AF_UNIX:
                data = &peer->cred.uid;
                size = sizeof(peer->cred.uid);
                break;
        default:
                return false;
        }
        memcpy(ret->bytes, &family, sizeof(family));
        memcpy(ret->bytes + sizeof(family), data, size);
        ret->size = sizeof(family) + size;
        return true;
}

// ---- packed: the sizes of both addresses, the addresses, and for AF_UNIX the credentials

struct packed_head {
        uint8_t local_size, remote_size; // at most sizeof(struct sockaddr_un)
};

static bool has_cred(const struct peer_info *peer)
{
        return peer->local.addr.sa.sa_family == AF_UNIX;
}

size_t peer_packed_size(const struct peer_info *peer)
{
        return sizeof(struct packed_head) + peer->local.size + peer->remote.size +
               (has_cred(peer) ? sizeof(peer->cred) : 0);
}

void peer_pack(const struct peer_info *peer, void *ret)
{
        struct packed_head head = {(uint8_t)peer->local.size, (uint8_t)peer->remote.size};
        char *p = ret;

        p = mempcpy(p, &head, sizeof(head));
        p = mempcpy(p, &peer->local.addr, peer->local.size);
        p = mempcpy(p, &peer->remote.addr, peer->remote.size);
        if (has_cred(peer))
                memcpy(p, &peer->cred, sizeof(peer->cred));
}

void peer_unpack(const void *packed, struct peer_info *ret)
{
        const char *p = packed;
        struct packed_head head;

        *ret = (struct peer_info){0};
        memcpy(&head, p, sizeof(head));
        p += sizeof(head);
        ret->local.size = head.local_size;
        ret->remote.size = head.remote_size;
        memcpy(&ret->local.addr, p, head.local_size);
        memcpy(&ret->remote.addr, p + head.local_size, head.remote_size);
        if (has_cred(ret))
                memcpy(&ret->cred, p + head.local_size + head.remote_size, sizeof(ret->cred));
}

// ---- in words

static bool is_mapped(const struct address *a)
{
        return a->addr.sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->addr.in6.sin6_addr);
}

// The address without brackets, and the port; an IPv4-mapped address is shown as IPv4.
static bool format_inet(const struct address *a, char *text, size_t size, unsigned *ret_port)
{
        switch (a->addr.sa.sa_family) {
        case AF_INET:
                inet_ntop(AF_INET, &a->addr.in.sin_addr, text, (socklen_t)size);
                *ret_port = ntohs(a->addr.in.sin_port);
                return true;
        case AF_INET6:
                if (is_mapped(a))
                        inet_ntop(AF_INET, &a->addr.in6.sin6_addr.s6_addr[12], text,
                                  (socklen_t)size);
                else
                        inet_ntop(AF_INET6, &a->addr.in6.sin6_addr, text, (socklen_t)size);
                *ret_port = ntohs(a->addr.in6.sin6_port);
                return true;
        default:
                return false;
        }
}

// What is left of an address when it is masked; false: the family has none.
static bool format_network(const struct address *a, char text[PEER_TEXT_MAX])
{
        uint8_t bytes[sizeof(struct in6_addr)] = {0};

        if (is_mapped(a)) {
                memcpy(bytes, &a->addr.in6.sin6_addr.s6_addr[12], 3);
                inet_ntop(AF_INET, bytes, text, PEER_TEXT_MAX);
        } else if (a->addr.sa.sa_family == AF_INET) {
                memcpy(bytes, &a->addr.in.sin_addr, 3);
                inet_ntop(AF_INET, bytes, text, PEER_TEXT_MAX);
        } else if (a->addr.sa.sa_family == AF_INET6) {
                const uint8_t *all = a->addr.in6.sin6_addr.s6_addr;

                // 6to4 (RFC 3056, 2002::/16) has an IPv4 address in the bits 16 to 47.
                memcpy(bytes, all, all[0] == 0x20 && all[1] == 0x02 ? 5 : 6);
                inet_ntop(AF_INET6, bytes, text, PEER_TEXT_MAX);
        } else if (a->addr.sa.sa_family == AF_VSOCK) {
                str_copy_cut(text, PEER_TEXT_MAX, "vsock");
        } else {
                return false;
        }
        return true;
}

// One end as instances are named by it; false: its family has no address.
static bool format_end(const struct address *a, char text[PEER_TEXT_MAX])
{
        char address[INET6_ADDRSTRLEN];
        unsigned port;

        if (format_inet(a, address, sizeof(address), &port))
                snprintf(text, PEER_TEXT_MAX, "%s:%u", address, port);
        else if (a->addr.sa.sa_family == AF_VSOCK)
                snprintf(text, PEER_TEXT_MAX, "%u:%u", vm_of(a)->svm_cid, vm_of(a)->svm_port);
        else
                return false;
        return true;
}

int peer_format_instance(const struct peer_info *peer, uint64_t number, enum log_peer how,
                         char **ret)
{
        char local[PEER_TEXT_MAX], remote[PEER_TEXT_MAX], *text;
        unsigned long long n = number;

        if (how == LOG_PEER_NONE)
                text = str_printf("%llu-hidden", n);
        else if (format_end(&peer->local, local) &&
                 (how == LOG_PEER_FULL ? format_end(&peer->remote, remote)
                                       : format_network(&peer->remote, remote)))
                text = str_printf("%llu-%s-%s", n, local, remote);
        else if (peer->cred.pid > 0 && how == LOG_PEER_FULL)
                text = str_printf("%llu-%d-%u", n, (int)peer->cred.pid, peer->cred.uid);
        else if (peer->cred.pid > 0)
                text = str_printf("%llu-%u", n, peer->cred.uid);
        else
                text = str_printf("%llu-unknown", n);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}

int peer_format_remote(const struct peer_info *peer, char address[PEER_TEXT_MAX],
                       char port[PEER_TEXT_MAX])
{
        unsigned number;

        if (format_inet(&peer->remote, address, PEER_TEXT_MAX, &number)) {
                snprintf(port, PEER_TEXT_MAX, "%u", number);
                return 1;
        }
        if (peer->remote.addr.sa.sa_family != AF_VSOCK)
                return 0;
        snprintf(address, PEER_TEXT_MAX, "vsock:%u", vm_of(&peer->remote)->svm_cid);
        snprintf(port, PEER_TEXT_MAX, "%u", vm_of(&peer->remote)->svm_port);
        return 1;
}

void peer_format_address(const struct address *a, char text[PEER_TEXT_MAX])
{
        char address[INET6_ADDRSTRLEN];
        unsigned port;

        text[0] = '\0';
        if (format_inet(a, address, sizeof(address), &port))
                snprintf(text, PEER_TEXT_MAX, strchr(address, ':') ? "[%s]:%u" : "%s:%u", address,
                         port);
        else if (a->addr.sa.sa_family == AF_VSOCK)
                snprintf(text, PEER_TEXT_MAX, "vsock:%u:%u", vm_of(a)->svm_cid, vm_of(a)->svm_port);
}

void peer_format_text(const struct peer_info *peer, enum log_peer how, char text[PEER_TEXT_MAX])
{
        text[0] = '\0';
        if (how == LOG_PEER_NONE || (how == LOG_PEER_MASKED && format_network(&peer->remote, text)))
                return;
        peer_format_address(&peer->remote, text);
        if (text[0] || peer->cred.pid <= 0)
                return;
        if (how == LOG_PEER_FULL)
                snprintf(text, PEER_TEXT_MAX, "PID %d (UID %u)", (int)peer->cred.pid,
                         peer->cred.uid);
        else
                snprintf(text, PEER_TEXT_MAX, "UID %u", peer->cred.uid);
}

void peer_format_local(const struct peer_info *peer, char text[PEER_TEXT_MAX])
{
        peer_format_address(&peer->local, text);
        CLEANUP(free) char *path = text[0] ? NULL : address_format(&peer->local, 0);

        if (path)
                str_copy_cut(text, PEER_TEXT_MAX, path);
}
