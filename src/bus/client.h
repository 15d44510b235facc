// The clients of the control socket: their identity, their limits, and how the loop serves them.
//
// sd-bus does not read from a client directly: its bytes are read here (bus/intake.h), and passed
// on one message at a time, when the previous answer has been read and, for readers, when it is
// their turn. So a client has at most one unfinished message and one unread answer, whatever it
// does, and all clients together use at most the number of places times a bound.
//
// Readers are untrusted: any local user, by default. They have separate limits for places, signals,
// unread answers and time of the loop, of which no user gets all, and what they do takes nothing
// from those who control, nor from the owner.
#pragma once

#include "base/list.h"
#include "bus/intake.h"
#include "conf/settings.h"
#include "conf/unit_conf.h"
#include "core/loop/events.h"

#include <systemd/sd-bus.h>

struct bus_listing;
struct bus_server;

// ---- who may do what (access.c)

enum bus_access {
        BUS_ACCESS_NONE,
        BUS_ACCESS_READ,    // units and states (AllowRead=)
        BUS_ACCESS_CONTROL, // everything (AllowControl=)
        BUS_ACCESS_OWNER,   // root and usher's own user: everything, and places of their own
        _BUS_ACCESS_MAX,
};

// Of the peer of a connected socket; *ret_uid is set unless it is BUS_ACCESS_NONE.
enum bus_access bus_access_of(const struct settings *settings, int fd, uid_t *ret_uid);

struct bus_client;

// May it read the log lines of units (AllowLogs=)? Each call asks for the groups of a reader.
bool bus_may_read_logs(const struct bus_client *c);

// ---- clients (client.c)

// Bytes read from a client at once: the size of the server's buffer, and the limit of a reader's
// message.
#define BUS_PIECE ((size_t)64 << 10)

// The clients of one user with the same access.
struct bus_user {
        struct list_node node;
        uid_t uid;
        enum bus_access access;
        unsigned n_clients, n_listening, n_unread; // but for those that are dropped
        unsigned n_refs;                           // with those
        struct list_node turns;                    // its clients that wait for their turn
        struct list_node turn_node;
};

struct bus_client {
        struct bus_server *server;
        struct bus_user *user;
        struct list_node node, turn_node, unread_node, drop_node;
        sd_bus *bus;
        sd_event_source *source; // of fd
        int fd;                  // the socket; bus writes to it and closes it
        int feed_fd;             // what was read of it goes to bus through here
        struct intake intake;
        struct timer deadline; // for the authentication, or for a message that has begun
        usec_t crowded_since;  // too many messages wait for it since then; 0: no
        bool is_subscribed;
        bool is_listening; // a reader that gets signals; those who control always do
        bool has_called, is_dropped, is_busy;
        struct bus_listing *listing; // an answer that is being made; NULL: none
        char **refs;                 // units that stay in memory for it (bus/manager_units.c)
        struct unit_conf *absent;    // what a reader has asked for last that is not loaded
};

// May it do everything?
static inline bool bus_client_is_trusted(const struct bus_client *c)
{
        return c->user->access >= BUS_ACCESS_CONTROL;
}

// Serve a connected socket of user u; pair: sockets between us and sd-bus. Takes over the place and
// all three descriptors, even when it fails. 0 or -errno.
int bus_client_new(struct bus_server *s, struct bus_user *u, int fd, const int pair[2]);
// The client is detached now and freed later from the work queue, never inside its own callbacks.
// A second call does nothing.
void bus_client_drop(struct bus_client *c);
void bus_client_drop_work(struct work *w);
// Processes one line or message that the client has sent, or a part of it.
void bus_client_step(struct bus_client *c);
// Called after a signal was sent to the client; one that no longer reads is dropped.
void bus_client_sent(struct bus_client *c, int result);
// Sends signals to this reader from now on. 0, or an error in *error: too many readers get them.
int bus_client_listen(struct bus_client *c, sd_bus_error *error);
// The client from which the current message came, or for which a property is read.
struct bus_client *bus_client_of(sd_bus_message *message);
struct bus_client *bus_client_of_bus(sd_bus *bus);

// ---- places (places.c)

// Reserves a place for one more client of this user; another client may be dropped for it. NULL:
// there is none, or no memory. The caller passes it to bus_client_new() or drops it.
struct bus_user *bus_place_take(struct bus_server *s, uid_t uid, enum bus_access access);
void bus_place_drop(struct bus_user *u);
// Answers begin to wait for a reader, or have been read: if too many wait, one client is dropped.
void bus_place_set_unread(struct bus_client *c, bool is_unread);
void bus_place_touch_unread(struct bus_client *c); // it reads: it is the youngest again

// ---- turns (turns.c)

// Queues a reader that has sent something; it is served when it is its turn.
void bus_turn_queue(struct bus_client *c);
void bus_turn_cancel(struct bus_client *c);
