// Sockets: the unit type, its listeners, its state machine (sock.c, sock_open.c, sock_command.c),
// what happens on traffic (sock_run.c), pausing (sock_pause.c). Admission is core/socket/admit
// (pure), connections are core/socket/connection.
#pragma once

#include "core/service/run.h"
#include "core/unit/unit.h"
#include "net/look.h"

enum sock_state {
        SOCK_DEAD,
        SOCK_START_PRE,
        SOCK_START_CHOWN,
        SOCK_START_POST,
        SOCK_LISTENING,
        SOCK_DEFERRED, // DeferTrigger=: the service is to start, and may not yet
        SOCK_RUNNING,
        SOCK_STOP_PRE,
        SOCK_STOP_PRE_SIGTERM,
        SOCK_STOP_PRE_SIGKILL,
        SOCK_STOP_POST,
        SOCK_FINAL_SIGTERM,
        SOCK_FINAL_SIGKILL,
        SOCK_FAILED,
        SOCK_CLEANING,
        _SOCK_STATE_MAX,
};

enum sock_result {
        SOCK_SUCCESS,
        SOCK_FAILURE_RESOURCES,
        SOCK_FAILURE_TIMEOUT,
        SOCK_FAILURE_EXIT_CODE,
        SOCK_FAILURE_SIGNAL,
        SOCK_FAILURE_CORE_DUMP,
        SOCK_FAILURE_START_LIMIT_HIT,
        SOCK_FAILURE_TRIGGER_LIMIT_HIT,
        SOCK_FAILURE_SERVICE_START_LIMIT_HIT,
        _SOCK_RESULT_MAX,
};

enum pause_reason {
        PAUSE_NONE,
        PAUSE_TRIGGER_LIMIT,
        PAUSE_SERVICE_START_LIMIT,
        PAUSE_SKIPPED,
        PAUSE_EXHAUSTED,
        PAUSE_FULL, // X-MaxConnectionsAction=queue
        _PAUSE_REASON_MAX,
};

struct connection;
struct held;
struct removal;
struct sock;
struct sock_command;
struct sock_defer;
struct sock_history;
struct sock_names;
struct sock_park;
struct sock_retry;
struct admit; // counts by source (core/socket/admit.h)

// One port; of a name (X-ListenName=) each of its addresses.
struct listener {
        struct watch watch; // fd inside; fd = -1: not open
        struct sock *sock;
        const struct port *port; // in sock->ports_conf, or in sock->names
        struct rate poll_limit;
        struct timer poll_timer; // until polled again
        struct net_node node;    // its own in the file system
        usec_t trouble;          // when poll or accept told of any; 0: never
        usec_t opened;           // 0: it was passed to us
        const struct held *held; // a process of an earlier supervisor has it; NULL: none
        bool is_adopted;         // it was passed to us: who did so may have it, too
        bool is_missing;         // its address is not there (yet), or it could not be opened anew
        bool is_joining;         // that of a multicast group's interface
};

struct sock {
        struct unit unit;
        enum sock_state state;
        enum sock_result result;
        struct listener *listeners; // in file order
        size_t n_listeners;
        struct unit_conf *ports_conf; // reference: what the listeners were made for
        struct rate trigger_limit;
        // Counters as systemd names them; refused by reason for ourselves.
        uint64_t n_accepted, n_connections, n_refused; // n_connections: in the limits
        uint64_t n_refused_full, n_refused_source, n_refused_stopping, n_refused_limit,
                n_refused_service;
        uint64_t n_aborted, n_reopened;
        usec_t refusals_logged;          // when the last summary line was written
        struct admit *admit;             // NULL: there was no connection yet
        struct list_node connections;    // live ones (core/socket/connection.h)
        struct unit_conf *template_conf; // Accept=yes: shared conf of the instances
        struct spawn_plan *template_plan;
        struct sock_names *names;     // X-ListenName=: what they stand for; NULL: there are none
        struct sock_history *history; // of connections whose service failed; NULL: none did
        struct sock_park *park;       // its descriptors are kept over a restart; NULL: they are not
        struct sock_retry *retry;     // what is tried again; NULL: nothing
        struct sock_defer *defer;     // in state deferred
        struct sock_command *command; // what runs for it (ExecStartPre=, ...); NULL: nothing
        struct list_node nodes;       // what is done in file systems (sock_node.c)
        struct removal *removal;      // of nodes, under way; NULL: none is
        size_t n_started;             // listeners that the start has come to
        struct work start_work;       // the start goes on
        // Pause: listening, but not polled until `until`.
        enum pause_reason pause;
        usec_t pause_until, pause_length;
        usec_t pause_ended; // when the last one was over (back-off starts anew after a calm time)
        struct timer pause_timer;
        struct work room_work; // PAUSE_EXHAUSTED: waits until there is room (core/start/spawner.h)
        bool is_mending_told;  // since the last load
        uid_t node_uid;      // SocketUser=, SocketGroup= of nodes that are made later; -1: none, or
        gid_t node_gid;      // not known
        usec_t trigger_time; // when traffic last asked for the service (Accept=no)
        char *status_text, *failure; // failure: of the last start
};

extern const struct unit_ops sock_ops;

static inline struct sock *sock_of(const struct unit *u)
{
        return CONTAINER_OF(u, struct sock, unit);
}

static inline const struct socket_group *sock_conf(const struct sock *s)
{
        return s->unit.conf->socket;
}

// The running command of ExecStartPre= and its sisters; 0: none.
pid_t sock_control_pid(const struct sock *s);
// Whose that is; (uid_t)-1, (gid_t)-1: the supervisor's.
uint32_t sock_uid_gid(const struct sock *s, bool want_gid);

const char *sock_state_name(enum sock_state s);
const char *sock_result_name(enum sock_result r);

// Nobody holds what processes of an earlier supervisor have held (core/socket/earlier.h).
void sock_on_holder_gone(struct manager *m, const struct held *h);
// Close what was passed to us and no socket wanted, and say so.
void sock_adopt_done(struct manager *m);

// ---- for its connections (core/socket/incoming, core/socket/connection)

// "foo@.service"; new string.
int sock_template_name(const struct sock *s, char **ret);
// What is needed of the template before a connection is taken: 0 or -errno (-ENOENT: none is
// usable; logged).
int sock_template_load(struct sock *s);
// Does it ask for what only a unit can have? Else a connection needs neither registry nor job.
bool sock_template_needs_unit(const struct sock *s);
// A connection is not taken because of the trigger limit.
void sock_on_trigger_limit(struct sock *s, usec_t now);
// Something is lacking (fail_is_exhaustion()) for what traffic asks for: wait until there is room.
void sock_on_exhausted(struct sock *s, int error);
// A connection cannot be handed to an instance (it is closed already, or still in the backlog).
void sock_on_instance_failed(struct sock *s, int error);
// A connection's place in the limits was given back: a queueing socket resumes, and who waits for
// room tries again.
void sock_on_place_free(struct sock *s);
// A connection is over.
void sock_on_connection_end(struct sock *s);
void sock_history_add(struct sock *s, const struct run *run); // nothing for one that went well

// One of the last connections whose service failed.
#define SOCK_HISTORY_MAX 10
struct sock_failure {
        char *name; // of the instance
        enum service_result result;
        int code, status; // of the main process, as waitid(2); code 0: there was none
        usec_t time;      // CLOCK_REALTIME
};
// The i-th from the last; NULL: there is none.
const struct sock_failure *sock_history_get(const struct sock *s, size_t i);
// Why and until when it is paused, or its trouble, in words; NULL: nothing to tell.
const char *sock_status_text(const struct sock *s);
