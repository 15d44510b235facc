// A socket's operations in file systems: nodes are created, given to their owners, linked, and
// removed. If the file system answers without delay, this happens directly; otherwise in a separate
// process (base/inquiry.h), for which only the socket waits.
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "core/socket/sock_priv.h"
#include "core/start/removal.h"

#include <stdio.h>

#define FAIL_TEXT_MAX 512

// An operation in progress.
struct sock_node {
        struct sock *sock;
        struct listener *listener; // NULL: for the whole socket (Symlinks=)
        enum node_work work;
        struct unit_conf *conf, *ports_conf; // references
        const struct port *port;
        struct net_listen_params params;
        bool sets_mode,
                is_again; // is_again: must be repeated, since the settings have changed meanwhile
        uid_t uid;
        gid_t gid;
        int fd; // the listener's; NODE_OPEN: a new one
        struct inquiry *inquiry;
        struct errand errand;
        struct list_node node;
};

static void node_free(struct sock_node *n)
{
        if (!n)
                return;
        errand_done(&n->errand);
        inquiry_free(n->inquiry);
        list_remove(&n->node);
        unit_conf_unref(n->conf);
        unit_conf_unref(n->ports_conf);
        free(n);
}

DEFINE_CLEANUP(sock_node, struct sock_node *, node_free)

// ---- the work

static int give(const struct sock_node *n, struct fail *why)
{
        int r = n->sets_mode ? net_port_chmod(&n->params, n->port, n->fd, why) : 0;

        if (r == 0 && (n->uid != (uid_t)-1 || n->gid != (gid_t)-1))
                r = net_port_chown(n->port, n->fd, n->uid, n->gid, why);
        return r;
}

// Writes the result, the reason, and the node that was created.
static void do_work(struct inquiry_answer *answer, const void *question)
{
        const struct sock_node *n = question;
        struct net_node node = {0};
        struct fail why = {0};
        char text[FAIL_TEXT_MAX] = "";
        int fd = -1, r;

        if (n->work == NODE_OPEN)
                r = net_listen_open(&n->params, n->port, &fd, &why);
        else if (n->work == NODE_GIVE)
                r = give(n, &why);
        else
                r = net_symlinks_make(&n->params, &why);
        if (fd >= 0) {
                net_node_get(fd, n->port, &node);
                inquiry_put_fd(answer, fd);
        }
        inquiry_put_number(answer, r);
        inquiry_put_field(answer, why.error ? fail_format(&why, text, sizeof(text)) : "");
        inquiry_put_number(answer, (int64_t)node.dev);
        inquiry_put_number(answer, (int64_t)node.ino);
}

static void read_answer(const struct sock_node *n, struct node_result *ret)
{
        int64_t result = 0, dev = 0, ino = 0;
        int r = inquiry_next_number(n->inquiry, &result);
        const char *text = r == 0 ? inquiry_next_field(n->inquiry) : NULL;

        if (!text || inquiry_next_number(n->inquiry, &dev) < 0 ||
            inquiry_next_number(n->inquiry, &ino) < 0)
                result = -EBADMSG;
        *ret = (struct node_result){.r = (int)result,
                                    .fd = inquiry_next_fd(n->inquiry),
                                    .node = {(dev_t)dev, (ino_t)ino}};
        (void)snprintf(ret->why, sizeof(ret->why), "%s", text && *text ? text : strerror(-ret->r));
        if (ret->r == 0 && n->work == NODE_OPEN && ret->fd < 0)
                ret->r = -EMFILE;
}

// ---- waiting

static void on_over(struct errand *e, int error)
{
        CLEANUP(sock_node) struct sock_node *n = CONTAINER_OF(e, struct sock_node, errand);
        struct sock *s = n->sock;
        struct listener *l = n->listener;
        struct node_result result = {.r = error, .fd = -1};

        if (error == 0)
                read_answer(n, &result);
        else
                (void)snprintf(result.why, sizeof(result.why), "%s: %s", inquiry_where(n->inquiry),
                               strerror(-error));
        // A process of ours has bound it, but a client is to see our credentials.
        if (result.fd >= 0)
                net_listen_again(n->port, n->params.socket, result.fd);
        enum node_work work = n->work;
        bool is_again = n->is_again, sets_mode = n->sets_mode;

        node_free(TAKE(n));
        unit_changed(&s->unit);
        if (is_again)
                sock_node_give_later(l, sets_mode);
        else
                sock_on_node_done(s, l, work, &result);
}

static struct sock_node *find(const struct sock *s, const struct listener *l)
{
        LIST_FOREACH (&s->nodes, node) {
                struct sock_node *n = CONTAINER_OF(node, struct sock_node, node);

                if (n->listener == l)
                        return n;
        }
        return NULL;
}

bool sock_node_is_busy(const struct listener *l)
{
        return find(l->sock, l) != NULL;
}

// During a start the state's time limit also limits the wait.
static usec_t limit_of(const struct sock *s)
{
        usec_t own = sock_conf(s)->timeout_sec;
        bool is_limited = own > 0 && own != USEC_INFINITY;
        bool is_starting = s->state == SOCK_START_PRE || s->state == SOCK_START_CHOWN;

        if (is_starting && is_limited)
                return USEC_INFINITY;
        return errand_limit(s->unit.manager->errands, is_limited ? own : USEC_INFINITY);
}

static int begin(struct sock *s, struct sock_node *n, struct node_result *ret)
{
        struct errands *errands = s->unit.manager->errands;
        int r = inquiry_try(do_work, n, &n->inquiry);

        if (r == 0)
                read_answer(n, ret);
        if (r <= 0)
                return r;
        if (n->fd >= 0)
                inquiry_lend(n->inquiry, n->fd);
        r = errand_await(errands, &n->errand, n->inquiry, s->unit.id, limit_of(s), on_over);
        unit_changed(&s->unit);
        return r < 0 ? r : 1;
}

static int begin_work(struct sock *s, struct listener *l, enum node_work work,
                      const struct net_listen_params *params, bool sets_mode,
                      struct node_result *ret)
{
        CLEANUP(sock_node) struct sock_node *n = calloc(1, sizeof(*n));
        bool gives = work == NODE_GIVE;

        *ret = (struct node_result){.fd = -1};
        if (!n)
                return -ENOMEM;
        *n = (struct sock_node){.sock = s,
                                .listener = l,
                                .work = work,
                                .conf = unit_conf_ref(s->unit.conf),
                                .ports_conf = unit_conf_ref(s->ports_conf),
                                .port = l ? l->port : NULL,
                                .params = *params,
                                .sets_mode = sets_mode,
                                .uid = gives ? s->node_uid : (uid_t)-1,
                                .gid = gives ? s->node_gid : (gid_t)-1,
                                .fd = gives ? l->watch.fd : -1};
        int r = begin(s, n, ret);

        if (r > 0) {
                list_append(&s->nodes, &n->node);
                n = NULL;
        }
        return r;
}

// An operation that cannot begin has failed.
static int to_result(int r, struct node_result *result)
{
        if (r < 0) {
                result->r = r;
                (void)snprintf(result->why, sizeof(result->why), "%s", strerror(-r));
        }
        return r > 0;
}

int sock_node_open(struct listener *l, const struct net_listen_params *params,
                   struct node_result *ret)
{
        return to_result(begin_work(l->sock, l, NODE_OPEN, params, false, ret), ret);
}

int sock_node_link(struct sock *s, struct node_result *ret)
{
        struct net_listen_params params = sock_listen_params(s);

        *ret = (struct node_result){.fd = -1};
        if (!sock_conf(s)->symlinks || !sock_conf(s)->symlinks[0])
                return 0;
        return to_result(begin_work(s, NULL, NODE_LINK, &params, false, ret), ret);
}

int sock_node_give(struct listener *l, bool sets_mode, struct node_result *ret)
{
        struct net_listen_params params = sock_listen_params(l->sock);
        bool has_owner = l->sock->node_uid != (uid_t)-1 || l->sock->node_gid != (gid_t)-1;

        *ret = (struct node_result){.fd = -1};
        if (l->watch.fd < 0 || !net_port_has_node(l->port) || (!has_owner && !sets_mode))
                return 0;
        return to_result(begin_work(l->sock, l, NODE_GIVE, &params, sets_mode, ret), ret);
}

void sock_node_give_later(struct listener *l, bool sets_mode)
{
        struct sock_node *n = find(l->sock, l);
        struct node_result result;

        if (n) {
                n->is_again = true;
                n->sets_mode |= sets_mode;
        } else if (sock_node_give(l, sets_mode, &result) == 0) {
                sock_log_give_failure(l, &result);
        }
}

void sock_node_move(const struct listener *from, struct listener *to)
{
        struct sock_node *n = find(from->sock, from);

        if (n)
                n->listener = to;
}

void sock_node_cancel(const struct listener *l)
{
        node_free(find(l->sock, l));
}

bool sock_nodes_cancel(struct sock *s)
{
        bool was_busy = !list_is_empty(&s->nodes);

        LIST_FOREACH (&s->nodes, node)
                node_free(CONTAINER_OF(node, struct sock_node, node));
        return was_busy;
}

const char *sock_node_text(const struct sock *s)
{
        if (s->state == SOCK_START_PRE && s->removal && !sock_control_pid(s))
                return removal_text(s->removal);
        LIST_FOREACH (&s->nodes, node)
                return errand_text(&CONTAINER_OF(node, struct sock_node, node)->errand);
        return NULL;
}

// ---- removal

struct leftovers {
        struct unit_conf *ports_conf, *conf; // references; conf: for Symlinks=, NULL: these stay
        size_t n;
        const struct port *ports[];
};

static void leftovers_free(void *question)
{
        struct leftovers *left = question;

        unit_conf_unref(left->ports_conf);
        unit_conf_unref(left->conf);
        free(left);
}

static void remove_leftovers(struct inquiry_answer *answer UNUSED, const void *question)
{
        const struct leftovers *left = question;

        for (size_t i = 0; i < left->n; i++)
                net_port_unlink(left->ports[i]);
        if (left->conf)
                net_symlinks_remove(left->conf->socket);
}

void sock_nodes_remove(struct sock *s, const struct listener *listeners, size_t n,
                       struct unit_conf *ports_conf, bool removes_links)
{
        struct leftovers *left = calloc(1, sizeof(*left) + n * sizeof(left->ports[0]));

        if (!left) {
                log_unit(s->unit.id, LOG_WARNING, ENOMEM, "Its nodes stay");
                return;
        }
        left->ports_conf = unit_conf_ref(ports_conf);
        left->conf = removes_links ? unit_conf_ref(s->unit.conf) : NULL;
        for (size_t i = 0; i < n; i++)
                if (listeners[i].watch.fd >= 0 && listeners[i].port->path)
                        left->ports[left->n++] = listeners[i].port;
        struct removal_task task = {.id = s->unit.id,
                                    .work = remove_leftovers,
                                    .question = left,
                                    .question_free = leftovers_free};

        if (left->n > 0 || removes_links)
                (void)removal_begin(s->unit.manager->removals, &s->removal, &task);
        else
                leftovers_free(left);
}
