// What a socket may need that is not there yet: the one list of it. What is listed is waited for
// and tried again (core/socket/sock_retry); every other error is one that only a change of the
// unit, or of what is in the way, can mend, so the start fails: a port in use by somebody else, a
// path that is taken by another kind of file, a lack of permission, a setting that the kernel
// refuses. Pure.
#pragma once

#include "conf/unit_conf.h"

enum absence {
        ABSENT_NOTHING,
        ABSENT_ADDRESS,
        ABSENT_INTERFACE,
        ABSENT_NAME, // of X-ListenName=, without an address
        ABSENT_USER, // SocketUser=
        ABSENT_GROUP,
        ABSENT_NAME_SERVICE, // there is no answer to who that user or group is
        ABSENT_FILE,         // ListenSpecial=
        ABSENT_FOLDER,       // of a node, and it cannot be made
        ABSENT_WRITABLE,     // a node's file system is read-only
        ABSENT_SPACE,        // on the file system, or for a queue
        ABSENT_RESOURCES,    // descriptors, memory
        ABSENT_ANSWER,       // of a file system, while the socket is up
        ABSENT_REMOVAL,      // the former node is still being removed
        ABSENT_HOLDER,       // a process of an earlier supervisor still has the address
        ABSENT_REPAIR,       // it was open before, and cannot be opened again
        ABSENT_UNIT, // one that it requires, its service, or the template of its connections
        _ABSENCE_MAX,
};

#define ABSENCE_TEXT_MAX 256

// Why a port could not be opened, if a later try may succeed; else ABSENT_NOTHING. error: -errno.
// is_up: the socket listens already; a start fails if a file system gives no answer in time.
enum absence absence_of_error(const struct port *port, int error, bool is_up);
// "group www-data": what it waits for. Returns buf.
const char *absence_format(enum absence a, const char *what, char *buf, size_t size);
