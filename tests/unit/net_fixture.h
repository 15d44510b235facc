// For the tests of net: a [Socket] group with its defaults, changed by lines of a unit file, and
// free ports of the loopback address.
#pragma once

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "conf/address.h"
#include "conf/assign.h"
#include "unit/harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

// The conf of a socket unit with these lines in [Socket].
static inline struct unit_conf *socket_conf(const char *const *lines)
{
        struct specifier_context specifiers = {.unit_name = "test.socket"};
        CLEANUP(conf_builder) struct conf_builder *b = NULL;
        struct unit_conf *conf;

        assert_int_equal(conf_builder_new("test.socket", UNIT_SOCKET, &specifiers, NULL, &b), 0);
        for (; *lines; lines += 2)
                assert_int_equal(conf_builder_assign(b, "Socket", lines[0], lines[1], "FILE", 1),
                                 0);
        assert_int_equal(conf_builder_finish(b, &conf), 0);
        return conf;
}

#define SOCKET_CONF(...) socket_conf((const char *const[]){__VA_ARGS__, NULL})

// A port that nobody has just now.
static inline unsigned free_port(int type)
{
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof(in);
        CLEANUP(fd) int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(fd, (struct sockaddr *)&in, size), 0);
        assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
        return ntohs(in.sin_port);
}

static inline const char *loopback(unsigned port)
{
        static char text[32];

        snprintf(text, sizeof(text), "127.0.0.1:%u", port);
        return text;
}

// A socket that is connected to what a descriptor listens on.
static inline int connect_to(int listener, int type)
{
        struct sockaddr_storage address;
        socklen_t size = sizeof(address);
        int fd;

        assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
        fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
        return fd;
}
