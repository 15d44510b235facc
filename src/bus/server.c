#include "bus/server.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/fs_node.h"
#include "base/log.h"
#include "base/str.h"
#include "bus/bus_priv.h"

#include <fcntl.h>
#include <sys/socket.h>

#define ACCEPT_BATCH 64
// If more readers than this connect within a second, the socket is closed to them for the next
// second: a backlog that is full of them would shut out the owner, too.
#define RUSH_INTERVAL USEC_PER_SEC
#define RUSH_BURST 256
#define MODE_OPEN 0666
#define MODE_SHUT 0600
// If descriptors run out: the time until the next accept, and until the next log line about it.
#define PAUSE (500 * USEC_PER_MSEC)
#define EXHAUSTIONS_INTERVAL (60 * USEC_PER_SEC)
// Limit of log lines about misbehaving clients, since the clients could cause any number of them.
#define COMPLAINTS_INTERVAL (60 * USEC_PER_SEC)
#define COMPLAINTS_BURST 5
// At usherd's end, the interval at which clients with unsent output are checked.
#define FLUSH_WAIT (5 * USEC_PER_MSEC)

// ---- descriptors

static int make_pair(int ret[2])
{
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        CLEANUP(fd) int a = fd_move_up(pair[0]);
        CLEANUP(fd) int b = fd_move_up(pair[1]);

        if (a < 0 || b < 0)
                return MIN(a, b);
        ret[0] = TAKE_FD(a);
        ret[1] = TAKE_FD(b);
        return 0;
}

// Opens the descriptors of the reserve, or as many of them as possible.
static void fill_reserve(struct bus_reserve *r)
{
        if (r->fd < 0)
                r->fd = fd_move_up(open("/", O_PATH | O_CLOEXEC));
        if (r->pair[0] < 0)
                (void)make_pair(r->pair);
}

static void empty_reserve(struct bus_reserve *r)
{
        r->fd = fd_close(r->fd);
        r->pair[0] = fd_close(r->pair[0]);
        r->pair[1] = fd_close(r->pair[1]);
}

static bool is_full(const struct bus_reserve *r)
{
        return r->fd >= 0 && r->pair[0] >= 0;
}

// The owner needs the reserve: if it is in use, the client of another user that has been idle
// longest is dropped.
static void regain_reserve(struct bus_server *s)
{
        struct bus_client *victim = NULL;

        if (is_full(&s->reserve))
                return;
        BUS_FOREACH_CLIENT (s, c)
                if (!victim && !c->is_dropped && c->user->access != BUS_ACCESS_OWNER)
                        victim = c;
        if (!victim)
                return;
        bus_client_drop(victim);
        bus_client_drop_work(&s->drop_work); // now: none of them is at work
        fill_reserve(&s->reserve);
}

static int take_pair(struct bus_server *s, bool is_owner, int ret[2])
{
        int r = make_pair(ret);

        if (r >= 0 || !is_owner)
                return r;
        regain_reserve(s);
        if (s->reserve.pair[0] < 0)
                return r;
        ret[0] = TAKE_FD(s->reserve.pair[0]);
        ret[1] = TAKE_FD(s->reserve.pair[1]);
        return 0;
}

// Moves the descriptor above the low window; closes it if that fails.
static int move_up(struct bus_server *s, bool is_owner, int fd)
{
        int up = fd >= FD_LOW_WINDOW ? fd : fd_dup_up(fd);

        if (up < 0 && is_owner) {
                regain_reserve(s);
                s->reserve.fd = fd_close(s->reserve.fd);
                up = fd_dup_up(fd);
        }
        if (up != fd)
                fd_close(fd);
        return up;
}

// ---- the door

static void set_door_timer(struct bus_server *s, usec_t now);

static void on_door_timer(struct timer *t, usec_t now)
{
        struct bus_server *s = CONTAINER_OF(t, struct bus_server, door_timer);

        if (s->is_queue_long) {           // those who are in it already are worked off first
                s->is_queue_long = false; // unless it is seen again
                set_door_timer(s, now);
                return;
        }
        if (chmod(s->path, MODE_OPEN) < 0)
                log_write(LOG_WARNING, "%s: %s", s->path, strerror(errno));
}

static void set_door_timer(struct bus_server *s, usec_t now)
{
        if (timer_set(s->manager->events, &s->door_timer, now + RUSH_INTERVAL, on_door_timer) < 0)
                (void)chmod(s->path, MODE_OPEN); // there is no memory: rather a rush than a door
                                                 // that stays shut
}

static void shut_door(struct bus_server *s, usec_t now)
{
        if (timer_is_set(&s->door_timer))
                return;
        if (rate_below(&s->complaints, now))
                log_write(LOG_WARNING, "Too many control clients connect: but for root and usher's "
                                       "own user, they have to wait");
        (void)chmod(s->path, MODE_SHUT); // a failure only loses the protection
        set_door_timer(s, now);
}

// A client of a user other than the owner has connected.
static void count_reader(struct bus_server *s)
{
        usec_t now = clock_now();

        s->n_readers++;
        if (!rate_below(&s->rush, now))
                shut_door(s, now);
}

// ---- connections

static void complain_exhaustion(struct bus_server *s, int error)
{
        if (rate_below(&s->exhaustions, clock_now()))
                log_write(LOG_ERR, "Not all control clients can be served: %s", strerror(-error));
}

// Takes ownership of fd. is_last: fd has the number that is kept for the owner. -EMFILE and
// the like: there are no descriptors, not even for the owner; other clients are then disconnected,
// since they would delay the owner.
static int serve(struct bus_server *s, int fd, bool is_last)
{
        struct bus_user *u = NULL;
        int pair[2];
        uid_t uid;
        enum bus_access access = bus_access_of(s->manager->settings, fd, &uid);
        bool is_owner = access == BUS_ACCESS_OWNER;

        if (!is_owner)
                count_reader(s);
        if (is_last && !is_owner)
                complain_exhaustion(s, -EMFILE);
        if (access == BUS_ACCESS_NONE || (is_last && !is_owner) ||
            !(u = bus_place_take(s, uid, access))) {
                fd_close(fd);
                return 0;
        }
        fd = move_up(s, is_owner, fd);
        int r = fd < 0 ? fd : take_pair(s, is_owner, pair);

        if (r < 0) {
                fd_close(fd);
                bus_place_drop(u);
                complain_exhaustion(s, r);
                return is_owner ? r : 0;
        }
        r = bus_client_new(s, u, fd, pair);
        if (r < 0 && rate_below(&s->complaints, clock_now()))
                log_write(LOG_WARNING, "Cannot serve a control client: %s", strerror(-r));
        return 0;
}

static int accept_one(struct bus_server *s)
{
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        bool is_last = fd < 0 && (errno == EMFILE || errno == ENFILE);

        if (is_last) {
                regain_reserve(s); // accept4() fails like this even if nobody waits
                s->reserve.fd = fd_close(s->reserve.fd);
                fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        }
        int r = fd < 0 ? -errno : serve(s, fd, is_last);

        fill_reserve(&s->reserve);
        return r;
}

static void on_pause_end(struct timer *t, usec_t now UNUSED)
{
        struct bus_server *s = CONTAINER_OF(t, struct bus_server, listen_timer);

        (void)sd_event_source_set_enabled(s->listen_source, SD_EVENT_ON);
}

// The socket stays readable, so it is not polled for a while.
static void pause_listening(struct bus_server *s, int error)
{
        complain_exhaustion(s, error);
        if (timer_set(s->manager->events, &s->listen_timer, usec_add(clock_now(), PAUSE),
                      on_pause_end) >= 0)
                (void)sd_event_source_set_enabled(s->listen_source, SD_EVENT_OFF);
}

static int on_connection(sd_event_source *source UNUSED, int fd UNUSED, uint32_t revents UNUSED,
                         void *data)
{
        struct bus_server *s = data;
        int n = 0;

        s->n_readers = 0;
        for (; n < ACCEPT_BATCH; n++) {
                int r = accept_one(s);

                if (r == -EAGAIN)
                        break;
                if (r == -EMFILE || r == -ENFILE || r == -ENOMEM || r == -ENOBUFS) {
                        pause_listening(s, r);
                        break;
                }
        }
        s->is_queue_long = n == ACCEPT_BATCH;
        if (s->is_queue_long && s->n_readers > ACCEPT_BATCH / 2)
                shut_door(s, clock_now());
        return 0;
}

// ---- the socket

static int listen_at(struct bus_server *s)
{
        CLEANUP(fd)
        int fd = fd_move_up(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

        if (fd < 0)
                return fd;
        // We hold the lock of the runtime folder, so an existing node is a leftover.
        (void)fs_unlink(s->path, NULL);
        int r = fs_bind(fd, s->path, MODE_OPEN, 0755, NULL);

        if (r == 0 && listen(fd, SOMAXCONN) < 0)
                r = -errno;
        if (r < 0)
                return r;
        s->listen_fd = TAKE_FD(fd);
        return sd_event_add_io(events_sd(s->manager->events), &s->listen_source, s->listen_fd,
                               EPOLLIN, on_connection, s);
}

int bus_server_new(struct manager *m, const char *runtime_dir, struct bus_server **ret)
{
        CLEANUP(bus_server) struct bus_server *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->manager = m;
        s->listen_fd = s->reserve.fd = s->reserve.pair[0] = s->reserve.pair[1] = -1;
        s->complaints = (struct rate){.interval = COMPLAINTS_INTERVAL, .burst = COMPLAINTS_BURST};
        s->rush = (struct rate){.interval = RUSH_INTERVAL, .burst = RUSH_BURST};
        s->exhaustions = (struct rate){.interval = EXHAUSTIONS_INTERVAL, .burst = 1};
        list_init(&s->clients);
        list_init(&s->users);
        list_init(&s->turn_users);
        list_init(&s->unread);
        list_init(&s->stops);
        list_init(&s->dropped);
        s->buffer = malloc(BUS_PIECE);
        if (!s->buffer)
                return -ENOMEM;
        fill_reserve(&s->reserve);
        s->path = str_printf("%s/systemd/private", runtime_dir);
        if (!s->path)
                return -ENOMEM;
        int r = listen_at(s);

        if (r < 0) {
                log_write(LOG_ERR, "Cannot listen for control clients on %s: %s", s->path,
                          strerror(-r));
                return r;
        }
        bus_observer_fill(s);
        manager_add_observer(m, &s->observer);
        *ret = TAKE(s);
        return 0;
}

// 1: output is left for this client; 0: nothing is left, or it cannot be written any more.
static int flush_client(struct bus_client *c)
{
        uint64_t n = 0;

        while (!c->is_dropped && sd_bus_is_ready(c->bus) > 0 &&
               sd_bus_get_n_queued_write(c->bus, &n) >= 0 && n > 0)
                if (sd_bus_process(c->bus, NULL) <= 0)
                        return sd_bus_is_open(c->bus) > 0;
        return 0;
}

// A reader gets what fits into the socket's buffer at once; usherd does not wait for it.
void bus_server_flush(struct bus_server *s, usec_t limit)
{
        usec_t end = usec_add(clock_now(), limit);
        struct bus_client *left;

        do {
                left = NULL;
                BUS_FOREACH_CLIENT (s, c)
                        if (flush_client(c) > 0 && bus_client_is_trusted(c))
                                left = c;
        } while (left && clock_now() < end && sd_bus_wait(left->bus, FLUSH_WAIT) >= 0);
}

void bus_server_free(struct bus_server *s)
{
        if (!s)
                return;
        if (s->observer.on_unit_changed)
                manager_remove_observer(s->manager, &s->observer);
        sd_event_source_disable_unref(s->listen_source);
        if (s->listen_fd >= 0)
                (void)fs_unlink(s->path, NULL); // a leftover would do no harm
        fd_close(s->listen_fd);
        BUS_FOREACH_CLIENT (s, c)
                bus_client_drop(c);
        work_cancel(&s->drop_work);
        bus_client_drop_work(&s->drop_work);
        timer_stop(s->manager->events, &s->listen_timer);
        timer_stop(s->manager->events, &s->door_timer);
        timer_stop(s->manager->events, &s->turn_timer);
        empty_reserve(&s->reserve);
        bus_stops_done(s);
        bus_vtables_free(s->vtables);
        free(s->buffer);
        free(s->path);
        free(s);
}
