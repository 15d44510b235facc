// Sockets: the unit type, its listeners, its state machine (sock.c, sock_open.c, sock_command.c),
// what happens on traffic (sock_run.c), pausing (sock_pause.c). Admission is core/socket/admit
// (pure), connections are core/socket/connection.
#pragma once

#include "core/service/run.h"
#include "core/socket/absence.h"
#include "core/socket/refusals.h"
#include "core/unit/unit.h"
#include "net/look.h"

enum sock_state {
        SOCK_DEAD,
        SOCK_START_PRE,
        SOCK_START_CHOWN,
        SOCK_START_POST,
        SOCK_LISTENING,
        SOCK_DEFERRED, // DeferTrigger=: the service should start, but may not yet
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
struct sock_owner;
struct sock_park;
struct sock_retry;
struct admit; // counts connections by source (core/socket/admit.h)

// One port; with X-ListenName=, one of the addresses of the name.
struct listener {
        struct watch watch; // fd inside; fd = -1: not open
        struct sock *sock;
        const struct port *port; // in sock->ports_conf, or in sock->names
        size_t line;             // the number of its Listen line in ports_conf
        struct rate poll_limit;
        struct timer poll_timer; // runs until it is polled again
        struct net_node node;    // the node that it owns in the file system
        usec_t trouble;          // time of the last error from poll or accept; 0: never
        usec_t opened;           // 0: it was passed to us
        const struct held *held; // a process of an earlier supervisor holds it; NULL: none
        bool is_adopted;         // it was passed to us: the process that did so may hold it, too
        bool is_ours_alone;      // opened here, and never passed to a process
        bool has_owner;          // its node was made with the owner that the unit sets
        bool is_told;            // its absence has been logged
        enum absence absence;    // why it is not open, and will be tried again
        bool is_joining;         // the interface of a multicast group is missing
};

struct sock {
        struct unit unit;
        enum sock_state state;
        enum sock_result result;
        struct listener *listeners; // in file order
        size_t n_listeners;
        char **lent; // the addresses that a reload closed after its service had got them
        struct unit_conf *ports_conf; // reference: the listeners were made from it
        struct rate trigger_limit;
        // Counters, named as in systemd; refused connections by reason for usher's own use.
        uint64_t n_accepted, n_connections, n_refused; // n_connections: in the limits
        uint64_t n_refused_by[_REFUSAL_COUNTED];
        uint64_t n_aborted, n_reopened;
        struct refusals *refusals;       // for their log lines; NULL: none was refused
        struct admit *admit;             // NULL: no connection yet
        struct list_node connections;    // live ones (core/socket/connection.h)
        struct unit_conf *template_conf; // Accept=yes: shared conf of the instances
        struct spawn_plan *template_plan;
        struct sock_names *names;     // addresses of X-ListenName=; NULL: no such names
        struct sock_history *history; // connections whose service failed; NULL: none did
        struct sock_park *park;       // descriptors kept over a restart; NULL: none
        struct sock_owner *owner;     // SocketUser=, SocketGroup=; NULL: neither
        struct sock_retry *retry;     // what is tried again; NULL: nothing
        char *missing_unit;           // one without which it cannot start, or serve; NULL: none
        struct sock_defer *defer;     // in state deferred
        struct sock_command *command; // the running command (ExecStartPre=, ...); NULL: none
        struct list_node nodes;       // operations on file systems in progress (sock_node.c)
        struct removal *removal;      // of its nodes, in progress; NULL: none
        size_t n_started;             // number of listeners that the start has dealt with
        struct work start_work;       // continues the start
        // Pause: listening, but not polled until `until`.
        enum pause_reason pause;
        usec_t pause_until, pause_length;
        usec_t pause_ended; // end of the last one (the back-off is reset after a calm time)
        struct timer pause_timer;
        struct work room_work; // PAUSE_EXHAUSTED: waits until there is room (core/start/spawner.h)
        bool is_mending_told;  // logged since the last load
        uid_t node_uid;        // SocketUser=, SocketGroup= for nodes made later; -1: none, or
        gid_t node_gid;        // not known
        usec_t trigger_time;   // when traffic last triggered the service (Accept=no)
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

// The pid of the running command of ExecStartPre= and the like; 0: none.
pid_t sock_control_pid(const struct sock *s);
// Its user and group; (uid_t)-1, (gid_t)-1: the supervisor's.
uint32_t sock_uid_gid(const struct sock *s, bool want_gid);

const char *sock_state_name(enum sock_state s);
const char *sock_result_name(enum sock_result r);

// The processes of an earlier supervisor that held it have ended (core/socket/earlier.h).
void sock_on_holder_gone(struct manager *m, const struct held *h);
// Closes descriptors that were passed to us and that no socket has adopted, and logs this.
void sock_adopt_done(struct manager *m);

// ---- for its connections (core/socket/incoming, core/socket/connection)

// "foo@.service"; new string.
int sock_template_name(const struct sock *s, char **ret);
// Checks the template before a connection is accepted: 0 or -errno (-ENOENT: none that is usable;
// logged).
int sock_template_load(struct sock *s);
// Does it need what only a unit can have? Otherwise a connection needs neither registry nor job.
bool sock_template_needs_unit(const struct sock *s);
// A connection is not served because of the trigger limit.
void sock_on_trigger_limit(struct sock *s, usec_t now);
// A resource is exhausted (fail_is_exhaustion()): traffic waits until there is enough.
void sock_on_exhausted(struct sock *s, int error);
// A connection cannot be passed to an instance (it is closed already, or still in the backlog).
void sock_on_instance_failed(struct sock *s, int error);
// A connection's place in the limits was released: a paused socket resumes, and starts that wait
// for resources are tried again.
void sock_on_place_free(struct sock *s);
// A connection is over.
void sock_on_connection_end(struct sock *s);
void sock_history_add(struct sock *s, const struct run *run); // ignored if the service succeeded

// One of the last connections whose service failed.
#define SOCK_HISTORY_MAX 10
struct sock_failure {
        char *name; // of the instance
        enum service_result result;
        int code, status; // of the main process, as waitid(2); code 0: none ran
        usec_t time;      // CLOCK_REALTIME
};
// The i-th from the last; NULL: there is none.
const struct sock_failure *sock_history_get(const struct sock *s, size_t i);
// Why and until when it is paused, or its error, as text; NULL: none of these.
const char *sock_status_text(const struct sock *s);
