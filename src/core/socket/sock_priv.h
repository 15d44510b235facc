// Shared by the files of the socket unit: the state functions (core/socket/sock*.c).
#pragma once

#include "core/socket/owners.h"
#include "core/socket/sock.h"
#include "core/start/command.h"
#include "core/unit/job.h"
#include "core/unit/manager.h"
#include "net/listen.h"
#include "net/sockopt.h"

// ---- states (sock.c)
bool sock_state_is_up(enum sock_state s);   // its ports are open for serving, or being opened
bool sock_state_is_open(enum sock_state s); // its ports are open
void sock_set_state(struct sock *s, enum sock_state state);
void sock_set_result(struct sock *s, enum sock_result result); // the first failure is kept
// The reason why its start failed, as text; taken over. NULL: none.
void sock_set_failure(struct sock *s, char *text);
void sock_enter_listening(struct sock *s);
void sock_enter_running(struct sock *s);
void sock_enter_deferred(struct sock *s); // sock_defer.c
void sock_defer_done(struct sock *s);
void sock_enter_stop_pre(struct sock *s, enum sock_result result);
// Enters the state after the commands of the current one; result: how they ended.
void sock_on_commands_done(struct sock *s, enum sock_result result);
void sock_on_command_timeout(struct sock *s);

// ---- what a start finds out before it opens its ports (sock_prepare.c)
void sock_enter_open(struct sock *s);        // sock_open() follows
void sock_start_again_later(struct sock *s); // continues a start that waited, with other listeners

// ---- its service, with Accept=no (sock_service.c)

// May the socket start, as far as its service is concerned? (Logged.)
// May this socket be served by a service of that conf? False: logged, and in the status.
// (Difference unsupported-refuse.)
bool sock_may_serve(struct sock *s, const struct unit_conf *service);
bool sock_service_permits_start(struct sock *s);
void sock_trigger_notify(struct unit *u, struct unit *service);

// ---- descriptors (sock_open.c)

// Makes one listener for each port of the conf, and for each address of its names; not open yet.
// The old ones are then the caller's. 0; -ENOMEM: nothing has changed.
int sock_listeners_new(struct sock *s);
void sock_listeners_free(struct sock *s);
// Opens all ports, in order. sock_on_opened() follows, immediately if nothing has to be waited for.
void sock_open(struct sock *s);
// In sock.c: continues the start. SOCK_SUCCESS or the reason for the failure (everything is closed
// then; logged).
void sock_on_opened(struct sock *s, enum sock_result result);
// unlink: RemoveOnStop= applies.
void sock_close(struct sock *s, bool unlink);
// Appends the listening descriptors to *fds and *names (FileDescriptorName= for each), in file
// order. 0 or -ENOMEM.
int sock_collect_fds(struct sock *s, int **fds, size_t *n, char ***names);
// unit_ops.collect_fds
int sock_collect_for_service(struct unit *u, int **fds, size_t *n, char ***names);
struct net_listen_params sock_listen_params(const struct sock *s);
// Joins the groups of X-JoinGroup=, and leaves those that only old had (NULL: none).
void sock_join_groups(struct listener *l, const struct unit_conf *old);
void sock_on_sockopt_failed(const struct net_sockopt_failure *f, void *data); // data: the sock
void sock_close_listener(struct listener *l);
// Opens a listener while the socket is up: its node is given to its owner, and a socket that is in
// use is never removed for it. 0; 1: it has to wait, and the result is handled; -errno (logged).
int sock_open_later(struct listener *l);

// ---- nodes in file systems (sock_node.c)

enum node_work {
        NODE_OPEN, // create the node, and listen
        NODE_GIVE, // SocketUser=, SocketGroup=; SocketMode=, if the mode differs
        NODE_LINK, // Symlinks=
};

struct node_result {
        int r;                // 0 or -errno
        char why[512];        // if r is -errno: as text
        int fd;               // NODE_OPEN: the caller owns it
        struct net_node node; // its own
};

// 0: it is done, *ret has the result; 1: it has to wait, sock_on_node_done() follows.
int sock_node_open(struct listener *l, const struct net_listen_params *params,
                   struct node_result *ret);
int sock_node_link(struct sock *s, struct node_result *ret);
int sock_node_give(struct listener *l, bool sets_mode, struct node_result *ret);
// The same while the socket is up: nothing waits for it, failures are logged. If one is in
// progress, another follows.
void sock_node_give_later(struct listener *l, bool sets_mode);
void sock_on_node_done(struct sock *s, struct listener *l, enum node_work work,
                       struct node_result *result); // sock_open.c
void sock_log_give_failure(const struct listener *l, const struct node_result *result);
bool sock_node_is_busy(const struct listener *l);
void sock_node_move(const struct listener *from,
                    struct listener *to); // a reload has replaced the listener
void sock_node_cancel(const struct listener *l);
bool sock_nodes_cancel(struct sock *s);           // was any in progress?
const char *sock_node_text(const struct sock *s); // what it waits for; NULL: nothing
// Removes the nodes of the open listeners, and Symlinks= (RemoveOnStop=). The next start waits for
// this if necessary.
void sock_nodes_remove(struct sock *s, const struct listener *listeners, size_t n,
                       struct unit_conf *ports_conf, bool removes_links);

// ---- changes while it listens (sock_reopen.c)

// ---- polling (sock_watch.c)

// Polls exactly the listeners that should be polled now. To be called when the state, pauses,
// descriptors or holders have changed; may be repeated. If one cannot be polled the socket pauses,
// or fails (systemd's way).
void sock_update_watch(struct sock *s);
// The same for a state that is about to be entered, so that a caller waiting for the state sees the
// failure. False: the socket has failed, and is stopping.
bool sock_begin_watch(struct sock *s, enum sock_state state);
bool sock_is_polled(
        const struct sock *s); // is its traffic handled? No: in another state, or paused
// PollLimitBurst= wake-ups were counted: the listener is not polled for a while.
bool sock_poll_limit_hit(struct listener *l, usec_t now);
void sock_poll_limit_count(struct listener *l, usec_t now); // one wake-up
// With Accept=no the limit is reset each time the socket starts to listen again.
void sock_poll_limit_reset(struct sock *s);

// ---- reloads (sock_reopen.c)

// After a reload (or with old == the conf, after names have got other addresses): keeps listeners
// that still fit, closes removed ones, opens new ones, applies options. 0 or -ENOMEM: the listeners
// are unchanged (logged).
int sock_reopen(struct sock *s, const struct unit_conf *old);

// ---- what is not there yet (sock_retry.c)

// Is this waited for (X-BindRetry=), or does the start fail?
bool sock_may_wait(const struct sock *s, enum absence absence);
// The same for a listener that could not be opened; error: -errno. ABSENT_NOTHING: a real error.
enum absence sock_absence(const struct listener *l, int error);
// "group www-data": what an absent listener waits for. Returns buf.
const char *sock_absence_text(const struct listener *l, char *buf, size_t size);
// Makes sure that what is missing is tried again: when an address appears, and at growing
// intervals. Stops when nothing is missing.
void sock_retry_update(struct sock *s);
void sock_retry_now(struct sock *s); // tries what is missing, if anything
void sock_retry_done(struct sock *s);
void sock_note_there(struct listener *l);            // it is open; logs, if it was waited for
const char *sock_retry_status(const struct sock *s); // what it waits for, as text; or NULL
// A unit without which it cannot start, or serve connections, is not there. It is looked for again,
// and a socket that is down is then started. 0, or -EPERM: this is not waited for.
int sock_await_unit(struct sock *s, const char *name);
void sock_unawait_unit(struct sock *s); // it is there, or is not needed any longer
// unit_ops.start_refused, unit_ops.stop_again
void sock_start_refused(struct unit *u, const struct unit *culprit);
void sock_stop_again(struct unit *u);

// ---- repair of listeners (sock_mend.c)

// Checks all listeners, and reopens those that have become unusable.
void sock_mend(struct sock *s);
// The same after the service has ended: options that it may have changed are reset, too.
void sock_mend_after_service(struct sock *s);
void sock_mend_tell_again(struct sock *s); // a reload: a repair is logged once more
// Poll (revents) or accept(2) (error, else 0) has shown that a listener is unusable.
void sock_on_trouble(struct listener *l, uint32_t revents, int error);

// ---- what processes of an earlier supervisor hold (sock_held.c)

// 0: no process holds its socket; 1: it has been duplicated; -EADDRINUSE: it has to be waited for
// (logged).
int sock_take_held(struct listener *l);
const char *sock_held_status(
        const struct sock *s); // which process holds a listener, as text; or NULL

// ---- restarts (sock_park.c)

// The socket stops: if it is to start again while its service runs, its descriptors are kept.
void sock_park(struct sock *s);
void sock_park_done(struct sock *s); // the descriptors are ordinary ones again

// ---- failed connections (sock_history.c)
void sock_history_done(struct sock *s);

// ---- names (sock_names.c)

// Queries the addresses of the conf's names. 1: in progress, sock_on_names_known() follows; 0:
// there are none; -errno.
int sock_names_ask(struct sock *s);
const struct port *sock_names_missing(const struct sock *s); // a name without an address, or NULL
// The addresses of a named port; an empty list until they are known.
const struct port_list *sock_names_get(const struct sock *s, const struct port *port);
void sock_names_cancel(struct sock *s); // the query is cancelled
void sock_names_done(struct sock *s);
// In sock_prepare.c: continues the start. r: 0, or no query could be answered (-errno, logged). 0,
// or -ENOMEM: the listeners are unchanged.
int sock_on_names_known(struct sock *s, int r);

// ---- owners (sock_owner.c)

void sock_owner_init(struct sock *s); // no owner is known yet
// Looks up SocketUser= and SocketGroup=. 1: sock_on_owner_known() follows; 0: there is nothing to
// look up; -ENOMEM.
int sock_owner_ask(struct sock *s);
// In sock_prepare.c: r: 0, or what sock_owner_missing() says is not there (-errno, logged).
void sock_on_owner_known(struct sock *s, int r);
// The look-up is over with this answer.
void sock_owner_settle(struct sock *s, const struct owner_answer *answer);
bool sock_owner_is_asked(const struct sock *s);
enum absence sock_owner_missing(const struct sock *s); // ABSENT_NOTHING: its nodes can be made
const char *sock_owner_name(const struct sock *s);     // of the user or group that is missing
const char *sock_owner_text(const struct sock *s);     // what a start waits for; NULL: nothing
void sock_owner_done(struct sock *s);
// Gives the nodes that were not made with their owner: passed to us, or kept over a restart. 0, 1:
// waiting for a file system (sock_on_commands_done() follows), -errno: failed (logged).
int sock_give_all(struct sock *s);
void sock_on_given(struct sock *s, int r); // one node has been given to its owner, in start-chown
void sock_own_all(struct sock *s); // while it is up: gives all nodes, opens those that waited
// A reload: nodes that are kept change hands as soon as the new owner is known.
void sock_owner_reloaded(struct sock *s, const struct socket_group *old);

// ---- commands (sock_command.c)

// The state that a socket needs while it runs commands. It exists from the first command until the
// next state without one.
struct sock_command {
        struct sock *sock;
        struct unit_conf *conf; // reference: keeps the lists below unchanged while a reload
                                // replaces the unit's conf
        struct spawn_plan *plan;
        struct log_stream *log;
        const struct command_list *list;
        size_t index; // in list
        struct child child;
        struct command_wait wait; // the wait of the next command
        struct work room_work;    // queued here while resources for a process are exhausted
        struct timer timer;       // of the state
        sd_id128_t invocation_id;
};

// Starts the commands of a list one after the other; sock_on_commands_done() follows later. 0: in
// progress, 1: the list is empty and nothing was done, -errno (logged).
int sock_run_commands(struct sock *s, const struct command_list *list);
// Signals the running command; 1: there is one, 0: there is none.
int sock_signal_command(struct sock *s, int signo);
void sock_command_arm_timeout(struct sock *s);
void sock_command_unwait(
        struct sock *s); // a command that waits for a look-up or for resources is not started
void sock_command_done(struct sock *s);              // frees everything
const char *sock_command_text(const struct sock *s); // what it waits for; NULL: nothing

// ---- traffic and pauses (sock_run.c, sock_pause.c)
void sock_on_readable(struct watch *w, uint32_t revents);
// A reload is about to close a listener: its service may have it, and goes on with it.
void sock_note_lent(const struct listener *l);
// The running service that may have got the address before a reload closed it; NULL: none.
const char *sock_lent_to(const struct listener *l);
void sock_lent_done(struct sock *s);
// A listener was opened now: does its service run already, without it? Logs.
void sock_note_opened(struct listener *l);
const char *sock_lacking_text(const struct sock *s); // for its status; NULL: nothing is lacking
// The service that traffic starts (Accept=no); NULL: it is gone.
struct unit *sock_triggered(const struct sock *s);
// Requests the start of the service (Accept=no) and enters the state that follows. REQUEST_OK or
// the reason.
enum request_error sock_request_service(struct sock *s);
// Stays in listening, but polls nothing until `until`; what: the reason in a few words.
void sock_pause_begin(struct sock *s, enum pause_reason reason, usec_t until, const char *what);
void sock_pause_end(struct sock *s);
#define SOCK_PAUSE_MAX (60 * USEC_PER_SEC)
// Back-off: twice the last pause while they follow one another, else first. Public for tests.
usec_t sock_pause_length(usec_t last, usec_t last_ended, usec_t first, usec_t now);
void sock_pause_forget(struct sock *s); // the next pause is the first one again
// Does the trigger limit allow another event?
bool sock_may_trigger(struct sock *s, usec_t now);
void sock_on_service_start_limit(struct sock *s);
// A condition skipped the start of the service: triggering it again at once would loop.
void sock_on_service_skipped(struct sock *s, const char *why);
bool sock_pauses(const struct sock *s);  // X-TriggerLimitAction=pause
void sock_flush(struct sock *s);         // FlushPending=: discards pending data
void sock_template_try(struct sock *s);  // one that was missing, or bad, may be there now
void sock_template_drop(struct sock *s); // it is read again, for the next connection
// At a start: does it exist, and is it valid? Logs. False: its connections are not to be served.
bool sock_template_check(struct sock *s);
void sock_template_reloaded(struct sock *s); // a reload is over
