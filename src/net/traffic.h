// What has passed over a TCP connection (TCP_INFO, tcp(7)).
#pragma once

#include "base/def.h"

struct tcp_info;

struct net_traffic {
        bool is_known;
        uint64_t received, sent; // bytes; sent: what the service wrote, on its way or not
};

// The connection may be over already, as long as it is open here. Not known: it is no TCP, or the
// kernel is older than 4.19.
void net_traffic_get(int fd, struct net_traffic *ret);
// From the kernel's answer, which may be shorter than ours. Public for tests.
void net_traffic_read(const struct tcp_info *info, size_t size, struct net_traffic *ret);
