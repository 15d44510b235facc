#include "core/service/notify.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_node.h"
#include "base/log.h"
#include "base/nowait.h"
#include "base/parse.h"
#include "base/rate.h"
#include "base/str.h"
#include "core/service/processes.h"
#include "core/service/service.h"
#include "core/start/orphans.h"
#include "core/unit/manager.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MESSAGES_A_TURN 64
#define MESSAGES_A_DRAIN 4096 // more than a socket's queue holds
#define TURN_MAX (2 * USEC_PER_MSEC)
#define RECEIVE_BUFFER (8 * 1024 * 1024)
// Messages of orphans whose owner is not known yet, and the descriptors in them.
#define PARKED_MAX 64
#define PARKED_FDS_MAX 64

struct notify_socket {
        struct manager *manager;
        notify_handler *on_message;
        struct watch watch;
        char *environment; // "NOTIFY_SOCKET=..."
        char *path;        // NULL: abstract address
        struct rate complaints;
        bool is_draining;
        struct list_node parked; // struct parked, oldest first
        size_t n_parked, n_parked_fds;
        struct orphans_wait wait;
};

// ---- parsing

static void parse_time(const char *value, usec_t *ret)
{
        uint64_t t;

        // An invalid number is ignored, as if the assignment were missing.
        if (parse_u64(value, &t) == 0)
                *ret = t;
}

static void parse_assignment(struct notify_message *m, const char *key, const char *value)
{
        bool is_one = streq(value, "1");

        if (streq(key, "READY"))
                m->ready = m->ready || is_one;
        else if (streq(key, "RELOADING"))
                m->reloading = m->reloading || is_one;
        else if (streq(key, "STOPPING"))
                m->stopping = m->stopping || is_one;
        else if (streq(key, "WATCHDOG"))
                *(streq(value, "trigger") ? &m->watchdog_trigger : &m->watchdog) =
                        is_one || streq(value, "trigger");
        else if (streq(key, "FDSTORE"))
                m->fdstore = m->fdstore || is_one;
        else if (streq(key, "FDSTOREREMOVE"))
                m->fdstore_remove = m->fdstore_remove || is_one;
        else if (streq(key, "FDPOLL"))
                m->fdpoll_off = streq(value, "0");
        else if (streq(key, "BARRIER"))
                m->barrier = m->barrier || is_one;
        else if (streq(key, "RESTART_RESET"))
                m->restart_reset = m->restart_reset || is_one;
        else if (streq(key, "STATUS"))
                m->status = value;
        else if (streq(key, "FDNAME"))
                m->fdname = value;
        else if (streq(key, "MAINPID"))
                m->main_pid = value;
        else if (streq(key, "NOTIFYACCESS"))
                m->notify_access = value;
        else if (streq(key, "ERRNO"))
                m->status_errno = value;
        else if (streq(key, "MONOTONIC_USEC"))
                parse_time(value, &m->monotonic);
        else if (streq(key, "WATCHDOG_USEC"))
                parse_time(value, &m->watchdog_usec);
        else if (streq(key, "EXTEND_TIMEOUT_USEC"))
                parse_time(value, &m->extend_timeout);
}

int notify_parse(char *text, size_t size, struct notify_message *ret)
{
        struct notify_message m = {
                .monotonic = USEC_INFINITY,
                .watchdog_usec = USEC_INFINITY,
                .extend_timeout = USEC_INFINITY,
        };

        // Some senders count the terminating NUL.
        if (size > 0 && text[size - 1] == '\0')
                size--;
        if (size == 0 || memchr(text, '\0', size))
                return -EINVAL;
        text[size] = '\0';
        for (char *line = text, *next; line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                char *value = strchr(line, '=');

                if (!value)
                        continue;
                *value++ = '\0';
                m.n_assignments++;
                parse_assignment(&m, line, value);
        }
        *ret = m;
        return 0;
}

// ---- receiving

static void complain(struct notify_socket *n, pid_t pid, const char *what)
{
        if (rate_below(&n->complaints, clock_now()))
                log_write(LOG_WARNING, "Notification of process %d ignored: %s", (int)pid, what);
}

struct datagram {
        char text[NOTIFY_MESSAGE_MAX + 2];
        size_t size;
        struct ucred sender;
        int fds[NOTIFY_FDS_MAX];
        size_t n_fds;
        bool had_fds; // though they need not have been taken
        bool is_cut;
};

// Where descriptors are not taken there is no room for them, and the kernel drops them: close(2)
// of a file could wait for its file system. 1 one was there, 0 none, -errno.
static int receive_message(int sock, struct datagram *d, int flags, bool takes_fds)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(struct ucred)) +
                           CMSG_SPACE(sizeof(int) * NOTIFY_FDS_MAX)];
        } control;
        struct iovec iov = {d->text, NOTIFY_MESSAGE_MAX + 1};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = takes_fds ? sizeof(control)
                                                             : CMSG_SPACE(sizeof(struct ucred))};
        ssize_t n = recvmsg(sock, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        d->size = (size_t)n;
        d->text[n] = '\0';
        d->n_fds = 0;
        d->sender = (struct ucred){0};
        d->had_fds = message.msg_flags & MSG_CTRUNC;
        d->is_cut = (message.msg_flags & MSG_TRUNC) || d->size > NOTIFY_MESSAGE_MAX ||
                    (takes_fds && d->had_fds);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS) {
                        memcpy(&d->sender, CMSG_DATA(c), sizeof(d->sender));
                } else if (c->cmsg_type == SCM_RIGHTS) {
                        d->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                        memcpy(d->fds, CMSG_DATA(c), d->n_fds * sizeof(int));
                        d->had_fds = true;
                }
        }
        return 1;
}

static void drop_fds(struct datagram *d)
{
        for (size_t i = 0; i < d->n_fds; i++)
                (void)nowait_close_file(d->fds[i]);
        d->n_fds = 0;
}

// A message that waits until the owner of its sender, or of the process that it names, is known.
struct parked {
        struct list_node node;
        struct datagram datagram;
        sd_id128_t invocation_id; // of the run that it is for; null: not known yet
};

static void unpark(struct notify_socket *n, struct parked *p)
{
        list_remove(&p->node);
        n->n_parked--;
        n->n_parked_fds -= p->datagram.n_fds;
}

static bool has_parked(const struct notify_socket *n, pid_t pid)
{
        LIST_FOREACH (&n->parked, node)
                if (CONTAINER_OF(node, struct parked, node)->datagram.sender.pid == pid)
                        return true;
        return false;
}

static void on_sorted(struct orphans_wait *w, enum orphans_state state);

static void await_sorting(struct notify_socket *n)
{
        if (n->n_parked > 0)
                orphans_wait(n->manager->orphans, &n->wait, NULL, true, on_sorted);
}

static void park(struct notify_socket *n, struct datagram *d, const struct run *run)
{
        bool has_room = n->n_parked < PARKED_MAX && n->n_parked_fds + d->n_fds <= PARKED_FDS_MAX;
        struct parked *p = has_room ? malloc(sizeof(*p)) : NULL;

        if (!p) {
                complain(n, d->sender.pid, "its service is not known yet, and too many wait");
                drop_fds(d);
                return;
        }
        p->datagram = *d;
        p->invocation_id = run ? run->invocation_id : SD_ID128_NULL;
        list_append(&n->parked, &p->node);
        n->n_parked++;
        n->n_parked_fds += d->n_fds;
        await_sorting(n);
}

// The run that a process speaks for; NULL: none. No process speaks for a run that is over, and one
// that merely claims to be of a service must run as the service's user. 0, or -EAGAIN: not known
// yet.
static int find_run(struct notify_socket *n, const struct ucred *sender, struct run **ret)
{
        struct orphan_facts facts;
        int r = process_find_owner(n->manager, sender->pid, &facts);
        struct run *run = r > 0 ? run_of_owner(&facts.owner) : NULL;

        if (run && (service_state_is_over(run->state) ||
                    (facts.is_hinted && sender->uid != 0 && sender->uid != run->uid)))
                run = NULL;
        if (r != -EAGAIN)
                *ret = run;
        return MIN(r, 0);
}

// Does the message name a main process whose owner is not known yet?
static bool names_unknown(struct notify_socket *n, const struct datagram *d)
{
        static const char key[] = "MAINPID=";
        struct orphan_facts ignored;
        const char *text = d->text, *end = d->text + d->size;

        while (text < end) {
                size_t size = strcspn(text, "\n");
                char value[16];
                pid_t pid;

                if (size > strlen(key) && size - strlen(key) < sizeof(value) &&
                    strncmp(text, key, strlen(key)) == 0) {
                        snprintf(value, sizeof(value), "%.*s", (int)(size - strlen(key)),
                                 text + strlen(key));
                        if (parse_pid(value, &pid) == 0 &&
                            process_find_owner(n->manager, pid, &ignored) == -EAGAIN)
                                return true;
                }
                text += size + 1;
        }
        return false;
}

// run NULL: it is for no run.
static void handle_for(struct notify_socket *n, struct datagram *d, struct run *run)
{
        struct notify_message message;

        if (run && names_unknown(n, d)) {
                park(n, d, run);
                return;
        }
        if (notify_parse(d->text, d->size, &message) < 0) {
                complain(n, d->sender.pid, "no text, or a NUL byte in it");
        } else if (message.barrier) {
                // All earlier messages have been handled: closing the descriptor tells the sender
                // so.
                if (message.n_assignments != 1 || !d->had_fds)
                        complain(n, d->sender.pid, "BARRIER=1 must be alone, with one descriptor");
        } else if (!run) {
                complain(n, d->sender.pid, "it belongs to no service");
        } else {
                n->on_message(run, &d->sender, &message, d->fds, d->n_fds);
                return;
        }
        drop_fds(d);
}

static void on_sorted(struct orphans_wait *w, enum orphans_state state UNUSED)
{
        struct notify_socket *n = CONTAINER_OF(w, struct notify_socket, wait);

        LIST_FOREACH (&n->parked, node) {
                struct parked *p = CONTAINER_OF(node, struct parked, node);
                struct run *run = run_by_invocation_id(n->manager, p->invocation_id);

                // The sender may have exited since it was identified.
                if (sd_id128_is_null(p->invocation_id) &&
                    find_run(n, &p->datagram.sender, &run) == -EAGAIN)
                        continue;
                unpark(n, p);
                handle_for(n, &p->datagram, run);
                free(p);
        }
        await_sorting(n);
}

static void handle(struct notify_socket *n, struct datagram *d)
{
        struct run *run;

        if (d->is_cut || d->sender.pid <= 0) {
                complain(n, d->sender.pid, d->is_cut ? "too long" : "without a sender");
                drop_fds(d);
                return;
        }
        if (has_parked(n, d->sender.pid) || find_run(n, &d->sender, &run) == -EAGAIN)
                park(n, d, NULL);
        else
                handle_for(n, d, run);
}

static bool has_line(const char *text, const char *line)
{
        for (size_t n = strlen(line); *text; text += strspn(text, "\n")) {
                size_t size = strcspn(text, "\n");

                if (size == n && strncmp(text, line, n) == 0)
                        return true;
                text += size;
        }
        return false;
}

// Descriptors are taken of those who may store them, and where the end of one is what the sender
// waits for, though its messages are not handled yet.
static bool takes_fds(struct notify_socket *n, const struct datagram *d)
{
        bool stores = has_line(d->text, "FDSTORE=1");
        struct run *run = NULL;

        if ((!stores && !has_line(d->text, "BARRIER=1")) || d->sender.pid <= 0 || nowait_is_full())
                return false;
        if (has_parked(n, d->sender.pid) || find_run(n, &d->sender, &run) == -EAGAIN)
                return true;
        return stores && run && run_takes_fds(run);
}

// 1 one was there, 0 none, -errno.
static int receive(struct notify_socket *n, struct datagram *d)
{
        int r = receive_message(n->watch.fd, d, MSG_PEEK, false);

        if (r <= 0)
                return r;
        bool takes = d->had_fds && takes_fds(n, d), had_fds = d->had_fds;

        // The last of a socket that lingers may be what the kernel drops.
        if (had_fds)
                nowait_begin();
        r = receive_message(n->watch.fd, d, 0, takes);
        if (had_fds)
                nowait_end();
        return r;
}

static void receive_some(struct notify_socket *n, unsigned most, usec_t until)
{
        struct datagram d;

        // A message may end a service, and ending it drains the socket again.
        if (n->is_draining)
                return;
        n->is_draining = true;
        for (unsigned i = 0; i < most && clock_now() < until && receive(n, &d) > 0; i++)
                handle(n, &d);
        n->is_draining = false;
}

static void on_readable(struct watch *w, uint32_t revents UNUSED)
{
        receive_some(CONTAINER_OF(w, struct notify_socket, watch), MESSAGES_A_TURN,
                     usec_add(clock_now(), TURN_MAX));
}

void notify_socket_drain(struct notify_socket *n)
{
        if (n)
                receive_some(n, MESSAGES_A_DRAIN, USEC_INFINITY);
}

// ---- the socket

static int bind_path(struct notify_socket *n, const char *path)
{
        (void)fs_unlink(path, NULL); // left by an earlier supervisor: the folder is locked by us
        // The pid of the sender decides what it may say.
        int r = fs_bind(n->watch.fd, path, 0666, 0, NULL);

        if (r < 0)
                return r;
        n->path = strdup(path);
        if (!n->path)
                return -ENOMEM;
        n->environment = str_printf("NOTIFY_SOCKET=%s", path);
        return n->environment ? 0 : -ENOMEM;
}

// An address that the kernel chooses, for folders with a long name.
static int bind_abstract(struct notify_socket *n)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        socklen_t size = sizeof(sa_family_t);

        if (bind(n->watch.fd, (struct sockaddr *)&address, size) < 0)
                return -errno;
        size = sizeof(address);
        if (getsockname(n->watch.fd, (struct sockaddr *)&address, &size) < 0)
                return -errno;
        n->environment = str_printf("NOTIFY_SOCKET=@%.*s",
                                    (int)(size - offsetof(struct sockaddr_un, sun_path) - 1),
                                    address.sun_path + 1);
        return n->environment ? 0 : -ENOMEM;
}

int notify_socket_new(struct manager *m, notify_handler *on_message, struct notify_socket **ret)
{
        CLEANUP(notify_socket) struct notify_socket *n = calloc(1, sizeof(*n));
        CLEANUP(free) char *path = NULL;
        int one = 1, buffer = RECEIVE_BUFFER, r;

        if (!n)
                return -ENOMEM;
        n->manager = m;
        n->on_message = on_message;
        list_init(&n->parked);
        n->complaints = (struct rate){.interval = 10 * USEC_PER_SEC, .burst = 10};
        n->watch.on_event = on_readable;
        n->watch.fd = fd_move_up(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (n->watch.fd < 0)
                return n->watch.fd;
        if (setsockopt(n->watch.fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0)
                return -errno;
        // Enlarges the queue if that is allowed: otherwise a service that notifies would have to
        // wait for us.
        if (setsockopt(n->watch.fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
                (void)setsockopt(n->watch.fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
        if (m->options.runtime_dir && !(path = fs_path_join(m->options.runtime_dir, "notify")))
                return -ENOMEM;
        r = path && strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path)
                    ? bind_path(n, path)
                    : bind_abstract(n);
        if (r < 0 || (r = watch_set(m->events, &n->watch, EPOLLIN)) < 0)
                return r;
        *ret = TAKE(n);
        return 0;
}

void notify_socket_free(struct notify_socket *n)
{
        if (!n)
                return;
        orphans_wait_stop(&n->wait);
        LIST_FOREACH (&n->parked, node) {
                struct parked *p = CONTAINER_OF(node, struct parked, node);

                drop_fds(&p->datagram);
                free(p);
        }
        watch_remove(n->manager->events, &n->watch);
        fd_close(n->watch.fd);
        if (n->path)
                (void)fs_unlink(n->path, NULL);
        free(n->path);
        free(n->environment);
        free(n);
}

const char *notify_socket_environment(const struct notify_socket *n)
{
        return n->environment;
}
