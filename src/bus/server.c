#include "bus/server.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "bus/bus_priv.h"

#include <malloc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-id128.h>

// Enough for every administrator and monitor of a machine; a flood of clients ends here.
#define CLIENTS_MAX 256
#define ACCEPT_BATCH 16
// A client that has not finished authentication by then goes.
#define HELLO_TIMEOUT (5 * USEC_PER_SEC)
// Messages that wait for a client that does not read: from here on its calls are refused (an answer
// may be large), and here it is disconnected (a reload of many units makes many signals), as it is
// when it goes on to ask.
#define CLIENT_ANSWERS_MAX 32
#define CLIENT_QUEUE_MAX 16384
#define CLIENT_REFUSED_MAX 1000
// As many clients as that leave enough memory behind to give it back.
#define TRIM_CLIENTS 16

// ---- clients

static void client_free(struct bus_client *c)
{
        timer_stop(c->server->manager->events, &c->hello_timer);
        sd_bus_message_unref(c->reload_reply);
        sd_bus_close(c->bus);
        sd_bus_unref(c->bus);
        free(c);
}

static bool is_behind(const struct bus_client *c)
{
        uint64_t n = 0;

        return sd_bus_get_n_queued_write(c->bus, &n) >= 0 && n >= CLIENT_ANSWERS_MAX;
}

static void run_drop_work(struct work *w)
{
        struct bus_server *s = CONTAINER_OF(w, struct bus_server, drop_work);

        LIST_FOREACH (&s->dropped, node) {
                list_remove(node);
                client_free(CONTAINER_OF(node, struct bus_client, node));
        }
        if (s->n_clients > 0 || !s->must_trim)
                return;
        s->must_trim = false;
        bus_vtables_free(TAKE(s->vtables));
        malloc_trim(0);
}

// A client cannot be freed inside its own callbacks: it is set aside, and freed by work.
static void client_drop(struct bus_client *c)
{
        struct bus_server *s = c->server;

        list_remove(&c->node);
        list_append(&s->dropped, &c->node);
        s->must_trim = s->must_trim || s->n_clients >= TRIM_CLIENTS || is_behind(c);
        s->n_clients--;
        work_queue(s->manager->events, WORK_NOTIFY, &s->drop_work, run_drop_work);
}

static bool is_dropped(const struct bus_client *c)
{
        LIST_FOREACH (&c->server->dropped, node)
                if (node == &c->node)
                        return true;
        return false;
}

static void drop_idle_reader(struct bus_client *c)
{
        log_write(LOG_WARNING, "A client of user %u does not read, disconnecting it", c->uid);
        client_drop(c);
}

void bus_client_sent(struct bus_client *c, int result)
{
        uint64_t n = 0;

        if (is_dropped(c))
                return;
        if (result == -ENOBUFS ||
            (sd_bus_get_n_queued_write(c->bus, &n) >= 0 && n > CLIENT_QUEUE_MAX))
                drop_idle_reader(c);
}

static int on_disconnected(sd_bus_message *m UNUSED, void *userdata, sd_bus_error *error UNUSED)
{
        struct bus_client *c = userdata;

        if (!is_dropped(c))
                client_drop(c);
        return 0;
}

static void on_hello_timeout(struct timer *t, usec_t now UNUSED)
{
        struct bus_client *c = CONTAINER_OF(t, struct bus_client, hello_timer);

        if (sd_bus_is_ready(c->bus) > 0)
                return;
        log_write(LOG_DEBUG, "A client of user %u did not say hello, disconnecting it", c->uid);
        client_drop(c);
}

struct bus_client *bus_client_of(sd_bus_message *message)
{
        // Every vtable was added with its client as userdata; what a handler gets is the object
        // found.
        return sd_bus_slot_get_userdata(sd_bus_get_current_slot(sd_bus_message_get_bus(message)));
}

int bus_check_trusted(struct bus_client *c, sd_bus_error *error)
{
        if (c->is_trusted)
                return 0;
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED,
                                "Access denied: only root and usher's own user may do this.");
}

// Who asks without reading gets no more answers for now, nor is anything done for him.
static int on_message(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
        struct bus_client *c = userdata;
        uint8_t type;

        if (sd_bus_message_get_type(m, &type) < 0 || type != SD_BUS_MESSAGE_METHOD_CALL)
                return 0;
        c->has_called = true;
        if (!is_behind(c)) {
                c->n_refused = 0;
                return 0;
        }
        if (++c->n_refused > CLIENT_REFUSED_MAX && !is_dropped(c))
                drop_idle_reader(c);
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                "Too many answers wait to be read.");
}

// The objects cost 60 KiB a connection: they are made for who has authenticated.
static int on_connected(sd_bus_message *m UNUSED, void *userdata, sd_bus_error *error UNUSED)
{
        struct bus_client *c = userdata;
        struct bus_server *s = c->server;
        int r = 0;

        timer_stop(s->manager->events, &c->hello_timer);
        if (!s->vtables)
                r = bus_vtables_new(&s->vtables);
        if (r >= 0)
                r = bus_vtables_add(s->vtables, c);
        if (r >= 0)
                r = bus_driver_add(c);
        if (r < 0 && !is_dropped(c)) {
                log_write(LOG_WARNING, "Cannot serve a control client: %s", strerror(-r));
                client_drop(c);
        }
        return 0;
}

static int match_local(struct bus_client *c, const char *signal, sd_bus_message_handler_t handler)
{
        return sd_bus_match_signal_async(c->bus, NULL, "org.freedesktop.DBus.Local",
                                         "/org/freedesktop/DBus/Local",
                                         "org.freedesktop.DBus.Local", signal, handler, NULL, c);
}

static int client_setup(struct bus_client *c, int fd)
{
        struct bus_server *s = c->server;
        sd_id128_t id;
        int r = sd_bus_new(&c->bus);

        if (r < 0)
                return r;
        if ((r = sd_bus_set_fd(c->bus, fd, fd)) < 0)
                return r;
        TAKE_FD(fd); // the bus closes it from here on
        if ((r = sd_id128_randomize(&id)) < 0 || (r = sd_bus_set_server(c->bus, 1, id)) < 0 ||
            (r = sd_bus_set_sender(c->bus, "org.freedesktop.systemd1")) < 0 ||
            (r = sd_bus_set_description(c->bus, "private")) < 0 ||
            (r = sd_bus_set_connected_signal(c->bus, 1)) < 0 || (r = sd_bus_start(c->bus)) < 0)
                return r;
        if ((r = match_local(c, "Connected", on_connected)) < 0 ||
            (r = match_local(c, "Disconnected", on_disconnected)) < 0 ||
            (r = sd_bus_add_filter(c->bus, NULL, on_message, c)) < 0)
                return r;
        r = sd_bus_attach_event(c->bus, events_sd(s->manager->events),
                                SD_EVENT_PRIORITY_NORMAL + 10);
        if (r < 0)
                return r;
        return timer_set(s->manager->events, &c->hello_timer, usec_add(clock_now(), HELLO_TIMEOUT),
                         on_hello_timeout);
}

// A place for one more: when all are taken, the oldest that has not said hello goes.
static bool make_room(struct bus_server *s)
{
        if (s->n_clients < CLIENTS_MAX)
                return true;
        BUS_FOREACH_CLIENT(s, c)
        if (sd_bus_is_ready(c->bus) <= 0) {
                client_drop(c);
                return true;
        }
        return false;
}

static void client_new(struct bus_server *s, int fd)
{
        uid_t uid = (uid_t)-1;

        fd = fd_move_up(fd);
        if (fd < 0)
                return;
        enum bus_access access = bus_access_of(s->manager->settings, fd, &uid);
        struct bus_client *c =
                access == BUS_ACCESS_NONE || !make_room(s) ? NULL : calloc(1, sizeof(*c));

        if (!c) {
                fd_close(fd);
                return;
        }
        c->server = s;
        c->uid = uid;
        c->is_trusted = access == BUS_ACCESS_CONTROL;
        int r = client_setup(c, fd);

        if (r < 0) {
                log_write(LOG_WARNING, "Cannot serve a control client: %s", strerror(-r));
                if (!c->bus)
                        fd_close(fd);
                client_free(c);
                return;
        }
        list_append(&s->clients, &c->node);
        s->n_clients++;
}

static int on_connection(sd_event_source *source UNUSED, int fd, uint32_t revents UNUSED,
                         void *data)
{
        struct bus_server *s = data;

        for (int i = 0; i < ACCEPT_BATCH; i++) {
                int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

                if (client < 0)
                        break;
                client_new(s, client);
        }
        return 0;
}

// ---- the socket

static int listen_at(struct bus_server *s)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (strlen(s->path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, s->path);
        int r = fs_mkdir_parents(s->path, 0755);

        if (r < 0)
                return r;
        CLEANUP(fd)
        int fd = fd_move_up(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

        if (fd < 0)
                return fd;
        // The runtime folder is locked by us: whatever stands there is a leftover.
        (void)unlink(s->path);
        mode_t old = umask(0111);

        r = bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
        umask(old);
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
        s->listen_fd = -1;
        list_init(&s->clients);
        list_init(&s->dropped);
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

void bus_server_flush(struct bus_server *s, usec_t limit)
{
        usec_t end = usec_add(clock_now(), limit);

        BUS_FOREACH_CLIENT(s, c)
        {
                uint64_t n = 0;

                while (sd_bus_is_ready(c->bus) > 0 && sd_bus_get_n_queued_write(c->bus, &n) >= 0 &&
                       n > 0 && clock_now() < end)
                        if (sd_bus_process(c->bus, NULL) <= 0 && sd_bus_wait(c->bus, 10000) < 0)
                                break;
        }
}

void bus_server_free(struct bus_server *s)
{
        if (!s)
                return;
        if (s->observer.on_unit_changed)
                manager_remove_observer(s->manager, &s->observer);
        sd_event_source_disable_unref(s->listen_source);
        if (s->listen_fd >= 0)
                (void)unlink(s->path); // a leftover would do no harm
        fd_close(s->listen_fd);
        BUS_FOREACH_CLIENT(s, c)
        client_drop(c);
        work_cancel(&s->drop_work);
        run_drop_work(&s->drop_work);
        bus_vtables_free(s->vtables);
        free(s->path);
        free(s);
}
