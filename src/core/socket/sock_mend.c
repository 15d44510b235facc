// Repairs listeners that a service, or the owner of a node's folder, has made unusable: they are
// opened again, and the socket stays up (differences listener-reopened and node-restored). Checked
// when the service ends, when poll reports something other than traffic, at a reload, and when a
// start is requested.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "core/socket/sock_priv.h"
#include "net/look.h"

#include <sys/epoll.h>
#include <sys/socket.h>

// A listener that becomes unusable again within this time is not reopened at once.
#define CALM_TIME (1 * USEC_PER_SEC)

static const char *const what_happened[] = {
        [NET_LOOK_SHUT] = "was shut down by",
        [NET_LOOK_CONNECTED] = "was connected to a single peer by",
        [NET_LOOK_NODE_GONE] = "has lost its node in the file system, perhaps to",
        [NET_LOOK_NODE_TAKEN] = "has another node at its path, perhaps of",
};

// One warning for each time the unit is loaded; the counter shows the others.
static void tell(struct sock *s, const struct listener *l, const char *what)
{
        const struct unit *service = sock_conf(s)->accept ? NULL : sock_triggered(s);

        s->n_reopened++;
        unit_changed(&s->unit);
        log_unit(s->unit.id, s->is_mending_told ? LOG_DEBUG : LOG_WARNING, 0,
                 "%s %s %s, opening it anew.", l->port->text, what,
                 service ? service->id : "a process that has it, too");
        s->is_mending_told = true;
}

// On failure it is retried like an address that does not exist yet.
static void reopen(struct listener *l, bool owns_node)
{
        struct net_node node = l->node;

        sock_close_listener(l);
        if (owns_node)
                net_node_remove(l->port, &node);
        l->is_told = false;
        // What is no absence is waited for, too.
        if (sock_open_later(l) != 0 && l->absence == ABSENT_NOTHING)
                l->absence = ABSENT_REPAIR;
}

// True: it was reopened, or will be.
static bool mend(struct sock *s, struct listener *l, bool service_is_gone)
{
        enum net_look look = net_look(l->watch.fd, l->port, &l->node);
        const char *what = what_happened[look];

        if (look == NET_LOOK_CONNECTED) {
                if (s->state == SOCK_RUNNING && !service_is_gone)
                        return false; // this may be its purpose
                tell(s, l, what);
                what = NULL;
                if (net_dissolve(l->watch.fd, l->port, sock_conf(s)) == 0)
                        look = NET_LOOK_FINE;
        }
        if (look == NET_LOOK_FINE) {
                // The socket's own commands may have changed an option on purpose.
                if (!service_is_gone || sock_conf(s)->pass_file_descriptors_to_exec)
                        return false;
                int r = net_restore(l->watch.fd, l->port, sock_conf(s));

                if (r == 0)
                        return false;
                what = r == -EPIPE ? what_happened[NET_LOOK_SHUT]
                                   : "has a filter that cannot be removed, from";
        }
        if (what)
                tell(s, l, what);
        reopen(l, look != NET_LOOK_NODE_GONE && look != NET_LOOK_NODE_TAKEN);
        return true;
}

static void mend_all(struct sock *s, bool service_is_gone)
{
        bool has_changed = false;

        if (!manager_differs(s->unit.manager, DIFFERENCE_LISTENER_REOPENED) ||
            (s->state != SOCK_LISTENING && s->state != SOCK_DEFERRED && s->state != SOCK_RUNNING))
                return;
        for (size_t i = 0; i < s->n_listeners; i++)
                if (s->listeners[i].watch.fd >= 0 && !s->listeners[i].held)
                        has_changed |= mend(s, &s->listeners[i], service_is_gone);
        if (has_changed)
                sock_retry_update(s);
        else
                sock_retry_now(s); // missing before this check
        if (has_changed)
                sock_update_watch(s);
}

void sock_mend(struct sock *s)
{
        mend_all(s, false);
}

void sock_mend_tell_again(struct sock *s)
{
        s->is_mending_told = false;
}

void sock_mend_after_service(struct sock *s)
{
        mend_all(s, true);
        sock_lent_done(s);
}

static int take_error(int fd)
{
        socklen_t size = sizeof(int);
        int error = 0;

        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? 0 : error;
}

void sock_on_trouble(struct listener *l, uint32_t revents, int error)
{
        struct sock *s = l->sock;
        usec_t now = clock_now();
        enum net_look look = net_look(l->watch.fd, l->port, &l->node);
        bool is_calm = l->trouble == 0 || now > usec_add(l->trouble, CALM_TIME);

        log_unit(s->unit.id, LOG_DEBUG, error, "Trouble with %s (0x%x)", l->port->text, revents);
        // A network error is logged once.
        if (look == NET_LOOK_FINE && (revents & EPOLLERR) && take_error(l->watch.fd) != 0)
                return;
        l->trouble = now;
        tell(s, l, look == NET_LOOK_FINE ? "was made useless by" : what_happened[look]);
        if (is_calm) {
                reopen(l, look != NET_LOOK_NODE_TAKEN);
        } else {
                sock_close_listener(l);
                l->absence = ABSENT_REPAIR;
                l->is_told = true;
        }
        sock_retry_update(s);
        sock_update_watch(s);
}
