#include "net/flush.h"

#include "base/fd.h"
#include "base/nowait.h"

#include <poll.h>
#include <unistd.h>

#define FLUSH_MAX 1024 // connections or reads
#define READ_SIZE 2048

static bool is_readable(int fd)
{
        struct pollfd p = {.fd = fd, .events = POLLIN};

        return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

// A connection off the backlog, or -1.
static bool drop_connection(int fd)
{
        int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (connection < 0)
                return false;
        fd_close(connection);
        return true;
}

static bool drop_data(int fd)
{
        char data[READ_SIZE];

        // For sockets, where an empty datagram counts, too. Pipes and queues have no MSG_DONTWAIT.
        if (recv(fd, data, sizeof(data), MSG_DONTWAIT) >= 0)
                return true;
        return errno == ENOTSOCK && read(fd, data, sizeof(data)) > 0;
}

void net_flush(int fd, const struct port *port)
{
        bool has_backlog = port->kind == PORT_SOCKET &&
                           (port->type == SOCK_STREAM || port->type == SOCK_SEQPACKET);

        if (port->kind == PORT_SPECIAL)
                return; // reading a device may have other effects
        // Another holder of the descriptor may take the data first and make our read block.
        nowait_begin();
        for (unsigned i = 0; i < FLUSH_MAX && is_readable(fd); i++)
                if (!(has_backlog ? drop_connection(fd) : drop_data(fd)))
                        break;
        nowait_end();
}
