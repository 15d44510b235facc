#include "net/accept.h"

#include "base/fd.h"
#include "base/nowait.h"

#include <poll.h>
#include <sys/socket.h>

static bool is_of_the_connection(int error)
{
        switch (error) {
        case EAGAIN:
        case ECONNABORTED:
        case ECONNREFUSED:
        case ECONNRESET:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENETDOWN:
        case ENETRESET:
        case ENETUNREACH:
        case ENONET:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
        case EPROTO:
        case ESHUTDOWN:
        case ETIMEDOUT:
        case EPERM: // a packet filter dropped the connection
                return true;
        default:
                return false;
        }
}

bool net_has_connection(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, 0) > 0;
}

int net_accept(int fd, bool is_ours_alone, struct address *ret_remote, int *ret_fd)
{
        socklen_t size = sizeof(ret_remote->addr);
        int connection;

        if (!is_ours_alone)
                nowait_begin();
        connection = accept4(fd, &ret_remote->addr.sa, &size, SOCK_CLOEXEC);
        if (!is_ours_alone)
                nowait_end();
        if (connection < 0) {
                if (errno == EINTR) { // another holder of the socket has made it blocking
                        (void)fd_set_nonblock(fd, true);
                        return ACCEPT_NONE;
                }
                if (is_of_the_connection(errno)) // or there is none
                        return ACCEPT_NONE;
                return -errno;
        }
        ret_remote->port_only = false;
        ret_remote->size = MIN(size, (socklen_t)sizeof(ret_remote->addr));
        *ret_fd = connection;
        return ACCEPT_OK;
}
