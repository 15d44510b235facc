// A connection between accept(2) and its instance: the gates that it passes, one after the other,
// each of which lets it through or turns it away. What is turned away is closed and counted;
// nothing is allocated for it, and it uses up no limit of those who are served (difference
// refused-uncounted).
//
// Called by core/socket/sock_run.
#pragma once

#include "base/def.h"

struct listener;
struct sock;

enum incoming_end {
        INCOMING_SERVED, // an instance has it
        INCOMING_CLOSED, // it was turned away, or its peer had gone already
        INCOMING_STOP,   // it could not be served: the socket has paused, or is on its way down
};

// Takes over fd, which was accepted just now.
// is_last: no other waits.
enum incoming_end incoming_pass(struct listener *l, int fd, usec_t now, bool is_last);
// The same for one whose instance could not begin: its user has all the processes that it may have.
void incoming_refused_by_service(struct sock *s);
