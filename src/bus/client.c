#include "bus/client.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "bus/bus_priv.h"

#include <malloc.h>
#include <poll.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>

// Size limits of a message. Readers ask for names and states; those who control may enable many
// units.
#define READER_MESSAGE_MAX BUS_PIECE
#define MESSAGE_MAX ((size_t)1 << 20)
// Size of the kernel's buffer for answers; sd-bus would ask for 8 MiB.
#define SEND_BUFFER (128 << 10)
// A client is dropped if it has not finished authentication, or a message, within this time.
#define HELLO_TIMEOUT (5 * USEC_PER_SEC)
#define MESSAGE_TIMEOUT (10 * USEC_PER_SEC)
// Messages that wait for a client that does not read. A client with more of them is disconnected
// after a while, since a start or a reload of many units makes more signals at once than a client
// reads that has to wait for a processor; one with HARD times as many is disconnected at once.
#define QUEUE_MAX 16384
#define QUEUE_PATIENCE (5 * USEC_PER_SEC)
#define QUEUE_HARD 4
#define READER_QUEUE_MAX 1024
// Readers with signals.
#define LISTENING_MAX 16
#define LISTENING_USER_MAX 4
// When this many clients have gone, enough memory is free to be returned to the kernel.
#define TRIM_CLIENTS 16

// ---- disconnecting

static void client_free(struct bus_client *c)
{
        timer_stop(c->server->manager->events, &c->deadline);
        sd_event_source_disable_unref(c->source);
        list_remove(&c->node);
        list_remove(&c->drop_node);
        if (c->bus)
                sd_bus_close_unref(c->bus); // and both of its descriptors
        fd_close(c->feed_fd);
        bus_listing_free(c->listing);
        bus_refs_done(c);
        unit_conf_unref(c->absent);
        bus_place_drop(c->user);
        free(c);
}

void bus_client_drop_work(struct work *w)
{
        struct bus_server *s = CONTAINER_OF(w, struct bus_server, drop_work);

        LIST_FOREACH (&s->dropped, node) {
                struct bus_client *c = CONTAINER_OF(node, struct bus_client, drop_node);

                if (!c->is_busy)
                        client_free(c);
        }
        if (s->n_clients > 0 || !list_is_empty(&s->dropped))
                return;
        conf_loader_forget_states(s->manager->loader);
        if (!s->must_trim)
                return;
        s->must_trim = false;
        bus_vtables_free(TAKE(s->vtables));
        malloc_trim(0);
}

void bus_client_drop(struct bus_client *c)
{
        struct bus_server *s = c->server;
        uint64_t n = 0;

        if (c->is_dropped)
                return;
        c->is_dropped = true;
        list_append(&s->dropped, &c->drop_node);
        s->must_trim = s->must_trim || s->n_clients >= TRIM_CLIENTS ||
                       (sd_bus_get_n_queued_write(c->bus, &n) >= 0 && n > 0);
        s->n_clients--;
        s->n_places[c->user->access]--;
        c->user->n_clients--;
        if (c->is_listening) {
                s->n_listening--;
                c->user->n_listening--;
        }
        bus_turn_cancel(c);
        bus_place_set_unread(c, false);
        (void)sd_event_source_set_enabled(c->source, SD_EVENT_OFF); // OFF cannot fail
        work_queue(s->manager->events, WORK_NOTIFY, &s->drop_work, bus_client_drop_work);
}

static void on_deadline(struct timer *t, usec_t now UNUSED)
{
        struct bus_client *c = CONTAINER_OF(t, struct bus_client, deadline);

        log_write(LOG_DEBUG, "A control client of user %u does not end what it has begun to send",
                  c->user->uid);
        bus_client_drop(c);
}

// ---- events

// Chooses the events to wait for: nothing is read while an answer is being made or is unread.
static void update_source(struct bus_client *c)
{
        int wanted = c->is_dropped ? 0 : sd_bus_get_events(c->bus);

        if (c->is_dropped)
                return;
        if (wanted < 0) {
                bus_client_drop(c);
                return;
        }
        bool is_unread = wanted & POLLOUT;
        bool waits = (list_is_linked(&c->turn_node) || c->listing) && !is_unread;

        if (!bus_client_is_trusted(c))
                bus_place_set_unread(c, is_unread);
        if (c->is_dropped)
                return;
        // epoll reports a hang-up even if no event is requested.
        if (sd_event_source_set_io_events(c->source, is_unread ? EPOLLOUT
                                                     : waits   ? 0
                                                               : EPOLLIN) < 0)
                bus_client_drop(c);
}

// Are more messages queued than this client may have?
static bool has_too_many(struct bus_client *c)
{
        uint64_t n = 0;

        if (sd_bus_get_n_queued_write(c->bus, &n) < 0)
                return false;
        if (!bus_client_is_trusted(c))
                return n > READER_QUEUE_MAX;
        if (n <= QUEUE_MAX) {
                c->crowded_since = 0;
                return false;
        }
        if (c->crowded_since == 0)
                c->crowded_since = clock_now();
        return n > QUEUE_HARD * QUEUE_MAX || clock_now() - c->crowded_since > QUEUE_PATIENCE;
}

void bus_client_sent(struct bus_client *c, int result)
{
        if (c->is_dropped)
                return;
        if (result == -ENOBUFS || has_too_many(c)) {
                if (rate_below(&c->server->complaints, clock_now()))
                        log_write(LOG_WARNING,
                                  "A control client of user %u does not read, disconnecting it",
                                  c->user->uid);
                bus_client_drop(c);
                return;
        }
        update_source(c);
}

// The objects cost 60 KiB a connection, so they are made only after authentication.
static int on_connected(struct bus_client *c)
{
        struct bus_server *s = c->server;
        int r = 0;

        timer_stop(s->manager->events, &c->deadline);
        if (!s->vtables)
                r = bus_vtables_new(&s->vtables);
        if (r >= 0)
                r = bus_vtables_add(s->vtables, c);
        if (r >= 0)
                r = bus_driver_add(c);
        return r;
}

// Lets sd-bus process what it has been given. 0, or -errno: the client must be dropped.
static int process(struct bus_client *c)
{
        int r;

        do
                r = sd_bus_process(c->bus, NULL);
        while (r > 0 && !c->is_dropped);
        if (r < 0 || c->is_dropped)
                return MIN(r, 0);
        if (sd_bus_is_open(c->bus) <= 0)
                return -ECONNRESET;
        // sd-bus has read everything up to the end of the line, so the next bytes are a message.
        if (!c->intake.is_running && sd_bus_is_ready(c->bus) > 0) {
                c->intake.is_running = true;
                return on_connected(c);
        }
        return 0;
}

static int update_deadline(struct bus_client *c)
{
        struct events *e = c->server->manager->events;

        if (!c->intake.is_running)
                return 0; // that of the authentication
        if (!intake_is_open(&c->intake))
                timer_stop(e, &c->deadline);
        else if (!timer_is_set(&c->deadline))
                return timer_set(e, &c->deadline, usec_add(clock_now(), MESSAGE_TIMEOUT),
                                 on_deadline);
        return 0;
}

// Bytes of one line or message, into the server's buffer. 0: there are none now.
static ssize_t read_piece(struct bus_client *c)
{
        uint8_t *buffer = c->server->buffer;
        struct intake look = c->intake;
        ssize_t n = recv(c->fd, buffer, BUS_PIECE, MSG_DONTWAIT | MSG_PEEK);

        if (n > 0)
                n = intake_take(&look, buffer, (size_t)n);
        else if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n <= 0)
                return n < 0 ? n : -ECONNRESET;
        n = recv(c->fd, buffer, (size_t)n, MSG_DONTWAIT);
        if (n <= 0)
                return n < 0 ? -errno : -ECONNRESET;
        // The kernel has closed descriptors that came along; they can make the read shorter.
        n = intake_take(&c->intake, buffer, (size_t)n);
        if (c->intake.is_running && c->intake.head[1] == SD_BUS_MESSAGE_METHOD_CALL &&
            !intake_is_open(&c->intake))
                c->has_called = true;
        return n;
}

static int step(struct bus_client *c)
{
        ssize_t n = read_piece(c);

        if (n <= 0)
                return (int)n;
        int r = update_deadline(c);

        if (r < 0)
                return r;
        // There is room, since sd-bus has read everything before it.
        if (send(c->feed_fd, c->server->buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
                return -ENOBUFS;
        return process(c);
}

// Processes a client's input and chooses the next events. A reload serves other clients meanwhile,
// and they may drop this one.
static void run_client(struct bus_client *c, int (*f)(struct bus_client *c))
{
        c->is_busy = true;
        int r = f(c);

        c->is_busy = false;
        if (r < 0)
                bus_client_drop(c);
        if (c->is_dropped) {
                work_queue(c->server->manager->events, WORK_NOTIFY, &c->server->drop_work,
                           bus_client_drop_work);
                return;
        }
        update_source(c);
}

void bus_client_step(struct bus_client *c)
{
        list_remove(&c->node);
        list_append(&c->server->clients, &c->node);
        run_client(c, step);
}

static int on_io(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents, void *data)
{
        struct bus_client *c = data;

        if (revents & EPOLLOUT) {
                bus_place_touch_unread(c);
                run_client(c, process);
        } else if (!(revents & EPOLLIN)) {
                bus_client_drop(c); // the peer has closed, so nothing would read an answer
        } else if (bus_client_is_trusted(c)) {
                bus_client_step(c);
        } else {
                bus_turn_queue(c);
                update_source(c);
        }
        return 0;
}

// ---- connecting

static int set_up_bus(struct bus_client *c, int feed, int fd)
{
        int size = SEND_BUFFER;
        sd_id128_t id;
        int r = sd_bus_new(&c->bus);

        if (r >= 0)
                r = sd_bus_set_fd(c->bus, feed, fd);
        if (r < 0) {
                fd_close(feed);
                fd_close(fd);
                return r;
        }
        c->fd = fd;
        // The kernel has reported the peer's credentials, so those that it claims do not matter.
        if ((r = sd_id128_randomize(&id)) < 0 || (r = sd_bus_set_server(c->bus, 1, id)) < 0 ||
            (r = sd_bus_set_anonymous(c->bus, 1)) < 0 ||
            (r = sd_bus_negotiate_fds(c->bus, 0)) < 0 ||
            (r = sd_bus_set_sender(c->bus, "org.freedesktop.systemd1")) < 0 ||
            (r = sd_bus_set_description(c->bus, "private")) < 0 || (r = sd_bus_start(c->bus)) < 0)
                return r;
        return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0 ? -errno : 0;
}

int bus_client_new(struct bus_server *s, struct bus_user *u, int fd, const int pair[2])
{
        struct bus_client *c = calloc(1, sizeof(*c));
        int size = 2 * (int)BUS_PIECE;

        if (!c) {
                fd_close(fd);
                fd_close(pair[0]);
                fd_close(pair[1]);
                bus_place_drop(u);
                return -ENOMEM;
        }
        c->server = s;
        c->user = u;
        c->fd = -1;
        c->feed_fd = pair[0];
        c->intake.limit = bus_client_is_trusted(c) ? MESSAGE_MAX : READER_MESSAGE_MAX;
        int r = set_up_bus(c, pair[1], fd);

        if (r >= 0 && setsockopt(c->feed_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) < 0)
                r = -errno;
        if (r >= 0)
                r = sd_event_add_io(events_sd(s->manager->events), &c->source, fd, EPOLLIN, on_io,
                                    c);
        if (r >= 0)
                r = timer_set(s->manager->events, &c->deadline,
                              usec_add(clock_now(), HELLO_TIMEOUT), on_deadline);
        if (r < 0) {
                client_free(c);
                return r;
        }
        list_append(&s->clients, &c->node);
        s->n_clients++;
        s->n_places[u->access]++;
        u->n_clients++;
        return 0;
}

// ---- for handlers

int bus_client_listen(struct bus_client *c, sd_bus_error *error)
{
        struct bus_server *s = c->server;

        if (c->is_listening || bus_client_is_trusted(c))
                return 0;
        if (s->n_listening >= LISTENING_MAX || c->user->n_listening >= LISTENING_USER_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many clients get signals.");
        c->is_listening = true;
        s->n_listening++;
        c->user->n_listening++;
        return 0;
}

// Every vtable was added with its client as userdata; a handler gets the object found instead.
struct bus_client *bus_client_of_bus(sd_bus *bus)
{
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(bus));
}

struct bus_client *bus_client_of(sd_bus_message *message)
{
        return bus_client_of_bus(sd_bus_message_get_bus(message));
}

int bus_check_trusted(struct bus_client *c, sd_bus_error *error)
{
        if (bus_client_is_trusted(c))
                return 0;
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                "Access denied: only root and usher's own user may do this.");
}
