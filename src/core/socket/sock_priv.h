// What the files of the socket unit share: the state functions (core/socket/sock*.c).
#pragma once

#include "core/socket/sock.h"
#include "core/start/command.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "net/listen.h"
#include "net/sockopt.h"

// ---- states (sock.c)
bool sock_state_is_up(enum sock_state s);   // its ports are open to stay so, or being opened
bool sock_state_is_open(enum sock_state s); // its ports are open
void sock_set_state(struct sock *s, enum sock_state state);
void sock_set_result(struct sock *s, enum sock_result result); // what went wrong first counts
// What its start failed of, in words; taken over. NULL: nothing.
void sock_set_failure(struct sock *s, char *text);
void sock_start_again_later(struct sock *s); // a start that waited, with other listeners
void sock_enter_listening(struct sock *s);
void sock_enter_running(struct sock *s);
void sock_enter_deferred(struct sock *s); // sock_defer.c
void sock_defer_done(struct sock *s);
void sock_enter_stop_pre(struct sock *s, enum sock_result result);
// What follows when the commands of the current state are over, and how they ended.
void sock_on_commands_done(struct sock *s, enum sock_result result);
void sock_on_command_timeout(struct sock *s);

// ---- its service, with Accept=no (sock_service.c)

// May the socket start, as far as its service is concerned? (logged)
bool sock_service_permits_start(struct sock *s);
void sock_trigger_notify(struct unit *u, struct unit *service);

// ---- descriptors (sock_open.c)

// One listener for each port of the conf, and for each address of its names; closed. Those of
// before are the caller's then. 0; -ENOMEM: nothing has changed.
int sock_listeners_new(struct sock *s);
void sock_listeners_free(struct sock *s);
// Opens all ports, in order. sock_on_opened() follows, at once where it can.
void sock_open(struct sock *s);
// sock.c: what follows. SOCK_SUCCESS or why not (everything is closed then; logged).
void sock_on_opened(struct sock *s, enum sock_result result);
// unlink: RemoveOnStop= applies.
void sock_close(struct sock *s, bool unlink);
// The listening descriptors, appended to *fds and *names (FileDescriptorName= for each), in file
// order. 0 or -ENOMEM.
int sock_collect_fds(struct sock *s, int **fds, size_t *n, char ***names);
// unit_ops.collect_fds
int sock_collect_for_service(struct unit *u, int **fds, size_t *n, char ***names);
struct net_listen_params sock_listen_params(const struct sock *s);
// Member of the groups of X-JoinGroup=, and no longer of those that old had (NULL: none).
void sock_join_groups(struct listener *l, const struct unit_conf *old);
void sock_on_sockopt_failed(const struct net_sockopt_failure *f, void *data); // data: the sock
void sock_close_listener(struct listener *l);
// Open one while the socket is up: its node goes to its owner, and a socket that is served is never
// removed for it. 0; 1: it is waited for, what comes of it is done; -errno (logged).
int sock_open_later(struct listener *l);

// ---- nodes in file systems (sock_node.c)

enum node_work {
        NODE_OPEN, // make the node, and listen
        NODE_GIVE, // SocketUser=, SocketGroup=; SocketMode=, where it is another one
        NODE_LINK, // Symlinks=
};

struct node_result {
        int r;                // 0 or -errno
        char why[512];        // if it is -errno: in words
        int fd;               // NODE_OPEN: the caller's
        struct net_node node; // its own
};

// 0: it is done, *ret says how; 1: it has to be waited for, sock_on_node_done() follows.
int sock_node_open(struct listener *l, const struct net_listen_params *params,
                   struct node_result *ret);
int sock_node_link(struct sock *s, struct node_result *ret);
int sock_node_give(struct listener *l, bool sets_mode, struct node_result *ret);
// The same while the socket is up: nobody waits, failures are logged. One that is under way is
// followed by another.
void sock_node_give_later(struct listener *l, bool sets_mode);
void sock_on_node_done(struct sock *s, struct listener *l, enum node_work work,
                       struct node_result *result); // sock_open.c
void sock_log_give_failure(const struct listener *l, const struct node_result *result);
bool sock_node_is_busy(const struct listener *l);
void sock_node_move(const struct listener *from, struct listener *to); // a reload has made it anew
void sock_node_cancel(const struct listener *l);
bool sock_nodes_cancel(struct sock *s);           // was there any?
const char *sock_node_text(const struct sock *s); // what it waits for; NULL: nothing
// Remove the nodes of those that are open, and Symlinks= (RemoveOnStop=). The next start waits for
// that, if need be.
void sock_nodes_remove(struct sock *s, const struct listener *listeners, size_t n,
                       struct unit_conf *ports_conf, bool removes_links);

// ---- changes while it listens (sock_reopen.c)

// ---- polling (sock_watch.c)

// Polls those listeners that are to be polled now, and no others. To be called when something that
// decides it has changed (state, pause, descriptors, holders); any number of times. Where one
// cannot be polled the socket pauses, or fails (systemd's way).
void sock_update_watch(struct sock *s);
// The same for a state that is about to be entered: whoever waits for that hears of a failure.
// False: it fails, and is on its way down.
bool sock_begin_watch(struct sock *s, enum sock_state state);
bool sock_is_polled(const struct sock *s); // does it take what comes? No: another state, a pause
// PollLimitBurst= wake-ups were counted: the listener is not polled for a while.
bool sock_poll_limit_hit(struct listener *l, usec_t now);
void sock_poll_limit_count(struct listener *l, usec_t now); // one wake-up
// With Accept=no the limit begins anew each time the socket listens again.
void sock_poll_limit_reset(struct sock *s);

// ---- reloads (sock_reopen.c)

// After a reload (or with old == the conf: other addresses of names): keeps what still fits, closes
// what is gone, opens what was added, applies options. 0 or -ENOMEM: the listeners are those of
// before (logged).
int sock_reopen(struct sock *s, const struct unit_conf *old);

// ---- what is not there yet (sock_retry.c)

// Would waiting help? Then X-BindRetry= has it tried again.
bool sock_is_retryable(const struct sock *s, const struct listener *l, int error);
// See that it is tried again: when an address comes, and now and then. Nothing is missing any more:
// no longer.
void sock_retry_update(struct sock *s);
void sock_retry_now(struct sock *s); // try what is missing, if anything is
void sock_retry_done(struct sock *s);
const char *sock_retry_status(const struct sock *s); // what it waits for, in words; or NULL

// ---- what others do to listeners (sock_mend.c)

// Look at all of them, and open anew what is of no use any more.
void sock_mend(struct sock *s);
// The same now that the service is gone: what it may have set on them is set back.
void sock_mend_after_service(struct sock *s);
void sock_mend_tell_again(struct sock *s); // a reload: what is mended is told once more
// Poll (revents) or accept(2) (error, else 0) told that one is of no use.
void sock_on_trouble(struct listener *l, uint32_t revents, int error);

// ---- what processes of an earlier supervisor hold (sock_held.c)

// 0: nobody holds its socket; 1: it is ours, too, now; -EADDRINUSE: it is to be waited for
// (logged).
int sock_take_held(struct listener *l);
const char *sock_held_status(const struct sock *s); // who holds a listener, in words; or NULL

// ---- restarts (sock_park.c)

// The socket stops: if it is to start again, and its service runs, keep what is open.
void sock_park(struct sock *s);
void sock_park_done(struct sock *s); // the descriptors are as any others again

// ---- failed connections (sock_history.c)
void sock_history_done(struct sock *s);

// ---- names (sock_names.c)

// Ask what the names of the conf stand for. 1: under way, sock_on_names_known() follows; 0: there
// are none; -errno.
int sock_names_ask(struct sock *s);
const struct port *sock_names_missing(const struct sock *s); // one without an address, or NULL
// The addresses of a named port; none (empty list) as long as they are not known.
const struct port_list *sock_names_get(const struct sock *s, const struct port *port);
void sock_names_cancel(struct sock *s); // no longer asked
void sock_names_done(struct sock *s);
// sock.c: what follows. r: 0, or no question could be answered (-errno, logged). 0, or -ENOMEM: the
// listeners are those of before.
int sock_on_names_known(struct sock *s, int r);

// ---- owners (sock_chown.c)

// SocketUser=/SocketGroup=: 0 done or nothing to do, 1 waiting for a look-up or a file system
// (sock_on_commands_done() follows), -errno failed (logged).
int sock_chown(struct sock *s);
void sock_on_given(struct sock *s, int r); // one node has been given away, in start-chown
void sock_chown_init(struct sock *s);      // nobody is known yet
// The same for nodes that are kept over a reload, without waiting.
void sock_chown_again(struct sock *s, const struct socket_group *old);

// ---- commands (sock_command.c)

// What a socket needs while something runs for it. It lives from the first command on until the
// next state without one.
struct sock_command {
        struct sock *sock;
        struct unit_conf *conf; // reference: the lists below stay while a reload changes the unit's
        struct spawn_plan *plan;
        struct log_stream *log;
        const struct command_list *list;
        size_t index; // in list
        struct child child;
        struct command_wait wait; // what is waited for: by the next command, or by
        struct ids_lookup *ids;   // SocketUser= and SocketGroup=
        void (*on_ids)(struct sock *s);
        struct work room_work; // waits until there is room for a process
        struct timer timer;    // of the state
        sd_id128_t invocation_id;
};

// Go on with on_ids when the name services have answered, or have not. Takes over ids. 1 or -errno.
int sock_command_await(struct sock *s, struct ids_lookup *ids, void (*on_ids)(struct sock *s));
// Starts the commands of a list one after the other; sock_on_commands_done() follows later.
// 0: under way, 1: the list is empty and nothing was done, -errno (logged).
int sock_run_commands(struct sock *s, const struct command_list *list);
// Signal the running command; 1: there is one, 0: there is none.
int sock_signal_command(struct sock *s, int signo);
void sock_command_arm_timeout(struct sock *s);
void sock_command_unwait(struct sock *s); // what waits for a look-up or for room is not started
void sock_command_done(struct sock *s);   // release everything
const char *sock_command_text(const struct sock *s); // what it waits for; NULL: nothing

// ---- traffic and pauses (sock_run.c, sock_pause.c)
void sock_on_readable(struct watch *w, uint32_t revents);
// A listener was opened now: does its service run already, without it? Logs.
void sock_note_opened(struct listener *l);
const char *sock_lacking_text(const struct sock *s); // for its status; NULL: nothing is lacking
// The service that traffic starts (Accept=no); NULL: it is gone.
struct unit *sock_triggered(const struct sock *s);
// Have the service started (Accept=no); what comes of it is entered. REQUEST_OK or why not.
enum request_error sock_request_service(struct sock *s);
// Stay in listening, but poll nothing until `until`; what says why in a few words.
void sock_pause_begin(struct sock *s, enum pause_reason reason, usec_t until, const char *what);
void sock_pause_end(struct sock *s);
#define SOCK_PAUSE_MAX (60 * USEC_PER_SEC)
// Back-off: twice the last pause while they follow one another, else first. Public for tests.
usec_t sock_pause_length(usec_t last, usec_t last_ended, usec_t first, usec_t now);
void sock_pause_forget(struct sock *s); // the next pause is the first one
// Is there an event left in the trigger limit's window?
bool sock_may_trigger(struct sock *s, usec_t now);
void sock_on_service_start_limit(struct sock *s);
// The service's start was skipped by a condition: triggering it again at once would spin.
void sock_on_service_skipped(struct sock *s, const char *why);
bool sock_pauses(const struct sock *s);      // X-TriggerLimitAction=pause
void sock_flush(struct sock *s);             // FlushPending=: throw away what waits
void sock_template_drop(struct sock *s);     // it is read again, for the next connection
void sock_template_check(struct sock *s);    // at a start: is it there, and right? Logs.
void sock_template_reloaded(struct sock *s); // a reload is over
