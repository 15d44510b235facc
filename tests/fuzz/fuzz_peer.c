// A peer as the kernel may name it: for either end a family, a size and the bytes of the address;
// then pid and uid.
#include "net/peer.h"

#include "base/str.h"
#include "conf/unit_name.h"
#include "fuzz/input.h"

static void take_address(struct input *in, sa_family_t family, struct address *ret)
{
        static const size_t sizes[] = {[AF_UNIX] = sizeof(struct sockaddr_un),
                                       [AF_INET] = sizeof(struct sockaddr_in),
                                       [AF_INET6] = sizeof(struct sockaddr_in6)};
        size_t most = family < ARRAY_SIZE(sizes) && sizes[family] > 0 ? sizes[family] : 16;
        size_t size = most, given;

        // The kernel gives a name without its end, and of a nameless socket the family alone.
        if (family == AF_UNIX)
                size = sizeof(sa_family_t) + input_byte(in) % (most - sizeof(sa_family_t) + 1);
        CLEANUP(free) char *bytes = input_bytes(in, size - sizeof(sa_family_t), &given);

        *ret = (struct address){.size = (socklen_t)size};
        ret->addr.sa.sa_family = family;
        memcpy((char *)&ret->addr + sizeof(sa_family_t), bytes, given);
}

static void check_text(const char *text)
{
        assert(memchr(text, '\0', PEER_TEXT_MAX) && str_is_utf8(text));
        for (; *text; text++)
                assert((unsigned char)*text >= ' ' || *text == '\t');
}

static void check_packed(const struct peer_info *peer)
{
        CLEANUP(free) void *packed = malloc(peer_packed_size(peer));
        struct peer_info again;

        assert(packed);
        peer_pack(peer, packed);
        peer_unpack(packed, &again);
        assert(memcmp(&peer->local.addr, &again.local.addr, peer->local.size) == 0 &&
               memcmp(&peer->remote.addr, &again.remote.addr, peer->remote.size) == 0);
        assert(peer->local.size == again.local.size && peer->remote.size == again.remote.size);
        assert(peer->local.addr.sa.sa_family != AF_UNIX ||
               memcmp(&peer->cred, &again.cred, sizeof(peer->cred)) == 0);
}

static void check_instance(const struct peer_info *peer, uint64_t number)
{
        for (enum log_peer how = LOG_PEER_FULL; how <= LOG_PEER_NONE; how++) {
                CLEANUP(free) char *text = NULL, *name = NULL;

                assert(peer_format_instance(peer, number, how, &text) == 0);
                assert(unit_name_with_instance("a@.service", text, &name) == 0);
                assert(unit_name_is_valid(name) && unit_name_is_instance(name));
                assert(strtoull(text, NULL, 10) == number);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const sa_family_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_VSOCK, AF_NETLINK};
        char address[PEER_TEXT_MAX] = "", port[PEER_TEXT_MAX] = "", text[PEER_TEXT_MAX];
        struct input in = {data, size};
        struct peer_info peer = {0};
        struct peer_key key, other;

        unsigned choice = input_byte(&in);
        sa_family_t family = families[choice % ARRAY_SIZE(families)];

        take_address(&in, family, &peer.local);
        take_address(&in, family, &peer.remote);
        peer.cred.pid = (pid_t)input_number(&in, 4);
        peer.cred.uid = (uid_t)input_number(&in, 4);
        check_packed(&peer);
        check_instance(&peer, input_number(&in, 8));
        if (peer_format_remote(&peer, address, port)) {
                check_text(address);
                check_text(port);
        }
        for (enum log_peer how = LOG_PEER_FULL; how <= LOG_PEER_NONE; how++) {
                peer_format_text(&peer, how, text);
                check_text(text);
        }
        peer_format_local(&peer, text);
        check_text(text);
        if (peer_get_key(&peer, &key))
                assert(key.size <= sizeof(key.bytes) && peer_get_key(&peer, &other) &&
                       memcmp(key.bytes, other.bytes, key.size) == 0);
        return 0;
}
