// Measures what a control client sends before sd-bus gets it. sd-bus allocates a message as soon as
// its header announces it, up to 128 MiB, and accepts any number of descriptors. So the client's
// bytes are read here, without room for descriptors (the kernel closes them), and passed on in
// pieces that end where a line of the authentication or a message ends. No byte is passed on of a
// message that is larger than the client may send.
//
// Pure: the bytes come as arguments. Called by client.c. Format: D-Bus Specification, "Message
// Format" and "Authentication Protocol".
#pragma once

#include "base/def.h"

#define INTAKE_HEAD 16 // the fixed part of a message's header, which tells its size

struct intake {
        size_t limit;    // bytes that a message may have, header included
        size_t n_auth;   // bytes of the authentication so far
        bool is_running; // the authentication is over, messages follow: set by the owner
        bool is_in_line; // a line of the authentication has begun
        bool saw_return; // its last byte was a carriage return
        uint8_t n_head;  // bytes of the header that have come
        uint8_t head[INTAKE_HEAD];
        size_t left; // once the header is complete: bytes of the message still to come
};

// Returns how many of these n (>= 1) bytes belong to the current line or message; they count as
// consumed. -EBADMSG: no message begins like this. -EMSGSIZE: the message is larger than allowed,
// or the authentication does not end.
ssize_t intake_take(struct intake *in, const void *data, size_t n);
// Has a line or a message begun that is not complete yet?
bool intake_is_open(const struct intake *in);
