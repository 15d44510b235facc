#include "core/socket/absence.h"

#include "base/fail.h"

#include <stdio.h>
#include <sys/socket.h>

// What a port is opened in.
enum place {
        IN_NETWORK = 1 << 0,
        IN_FOLDER = 1 << 1, // as a node: AF_UNIX, FIFO
        IN_FILE = 1 << 2,   // ListenSpecial=
        IN_QUEUES = 1 << 3,
        IN_KERNEL = 1 << 4, // abstract AF_UNIX sockets, netlink: nothing of it comes later
        ANYWHERE = (1 << 5) - 1,
};

static const struct {
        int error;
        unsigned places;
        enum absence absence;
} rows[] = {
        // The machine gets its addresses and interfaces while it runs.
        {EADDRNOTAVAIL, IN_NETWORK, ABSENT_ADDRESS},
        {ENODEV, IN_NETWORK, ABSENT_INTERFACE},
        // Devices are found late, and their drivers are loaded late.
        {ENOENT, IN_FILE, ABSENT_FILE},
        {ENODEV, IN_FILE, ABSENT_FILE},
        {ENXIO, IN_FILE, ABSENT_FILE},
        // File systems are mounted late, and read-only ones are remounted. Missing folders are made
        // where that is possible.
        {ENOENT, IN_FOLDER, ABSENT_FOLDER},
        {EROFS, IN_FOLDER | IN_FILE, ABSENT_WRITABLE},
        {ENOSPC, IN_FOLDER | IN_QUEUES, ABSENT_SPACE},
        {EDQUOT, IN_FOLDER, ABSENT_SPACE},
        {EINPROGRESS, ANYWHERE, ABSENT_REMOVAL},
};

static enum place place_of(const struct port *port)
{
        switch (port->kind) {
        case PORT_SOCKET:
                if (port->address.addr.sa.sa_family != AF_UNIX)
                        return IN_NETWORK;
                return port->path ? IN_FOLDER : IN_KERNEL;
        case PORT_FIFO:
                return IN_FOLDER;
        case PORT_SPECIAL:
                return IN_FILE;
        case PORT_MQUEUE:
                return IN_QUEUES;
        case PORT_NETLINK:
        case PORT_NAME:
        case _PORT_KIND_MAX:
        default:
                return IN_KERNEL;
        }
}

enum absence absence_of_error(const struct port *port, int error, bool is_up)
{
        enum place place = place_of(port);

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (rows[i].error == -error && (rows[i].places & place))
                        return rows[i].absence;
        if (is_up && error == -ETIMEDOUT)
                return ABSENT_ANSWER;
        // A start that lacks them fails, and its restart is the administrator's to ask for; what is
        // up is never lost for that reason.
        return is_up && fail_is_exhaustion(error) ? ABSENT_RESOURCES : ABSENT_NOTHING;
}

const char *absence_format(enum absence a, const char *what, char *buf, size_t size)
{
        static const char *const formats[_ABSENCE_MAX] = {
                [ABSENT_NOTHING] = "%s",
                [ABSENT_ADDRESS] = "address %s",
                [ABSENT_INTERFACE] = "interface of %s",
                [ABSENT_NAME] = "an address of %s",
                [ABSENT_USER] = "user %s",
                [ABSENT_GROUP] = "group %s",
                [ABSENT_NAME_SERVICE] = "an answer of the name services about %s",
                [ABSENT_FILE] = "file %s",
                [ABSENT_FOLDER] = "the folder of %s",
                [ABSENT_WRITABLE] = "a writable file system at %s",
                [ABSENT_SPACE] = "space for %s",
                [ABSENT_RESOURCES] = "memory or descriptors for %s",
                [ABSENT_ANSWER] = "an answer of the file system at %s",
                [ABSENT_REMOVAL] = "the former %s to be removed",
                [ABSENT_HOLDER] = "the process that holds %s",
                [ABSENT_REPAIR] = "%s to be free again",
                [ABSENT_UNIT] = "unit %s",
        };
        const char *format = formats[a];
        int before = (int)(strchr(format, '%') - format);

        (void)snprintf(buf, size, "%.*s%s%s", before, format, what, format + before + 2);
        return buf;
}
