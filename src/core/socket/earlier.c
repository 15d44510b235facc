// Finds the processes that hold the sockets of an earlier supervisor.
#include "core/socket/earlier.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/inquiry.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "conf/address.h"
#include "core/socket/earlier_priv.h"

#include <sys/syscall.h>

#define SEARCH_WAIT (1 * USEC_PER_SEC) // between two searches
#define LOOK_WAIT (5 * USEC_PER_SEC)   // a holder may close its descriptor and live on
#define START_SEARCHES 3

static void held_free(struct held *h)
{
        struct earlier *e = h->earlier;

        watch_remove(e->manager->events, &h->watch);
        fd_close(h->watch.fd);
        if (map_get(e->by_port, h->port) == h)
                map_remove(e->by_port, h->port);
        if (u64map_get(e->by_inode, h->holder.inode) == h)
                u64map_remove(e->by_inode, h->holder.inode);
        free(h->holder_text);
        free(h);
}

static int add_fifo(struct earlier *e, const struct earlier_record *record)
{
        void *more = reallocarray(e->fifos, e->n_fifos + 1, sizeof(*e->fifos));
        char *path = strdup(record->text);

        if (more)
                e->fifos = more;
        if (!more || !path) {
                free(path);
                return -ENOMEM;
        }
        e->fifos[e->n_fifos].node = (struct net_node){record->cookie, record->inode};
        e->fifos[e->n_fifos++].path = path;
        return 0;
}

// If a port was recorded several times, the last record counts.
static int on_record(const struct earlier_record *record, void *data)
{
        struct earlier *e = data;

        if (streq(record->type, "FIFO"))
                return add_fifo(e, record);
        CLEANUP(free) char *port = str_printf("%s %s", record->type, record->text);
        struct held *h = port ? calloc(1, sizeof(*h) + strlen(port) + 1) : NULL;

        if (!h)
                return -ENOMEM;
        strcpy(h->port, port);
        h->earlier = e;
        h->holder.inode = record->inode;
        h->cookie = record->cookie;
        h->watch.fd = -1;
        struct held *before = map_get(e->by_port, port);

        if (before)
                held_free(before);
        before = u64map_get(e->by_inode, record->inode);
        if (before)
                held_free(before);
        int r = map_set(e->by_port, port, h);

        if (r >= 0)
                r = u64map_set(e->by_inode, record->inode, h);
        if (r < 0)
                held_free(h);
        return MIN(r, 0);
}

// ---- holders

static void search_later(struct earlier *e);

static void forget_holder(struct held *h)
{
        watch_remove(h->earlier->manager->events, &h->watch);
        h->watch.fd = fd_close(h->watch.fd);
        h->holder.pid = 0;
}

static void on_exit_of_holder(struct watch *w, uint32_t revents UNUSED)
{
        struct held *h = CONTAINER_OF(w, struct held, watch);

        forget_holder(h);
        search_later(h->earlier);
}

// The process that was found must be the one that is watched. False: search again.
static bool watch_holder(struct held *h, pid_t pid, int number)
{
        CLEANUP(free) char *comm = NULL;

        h->holder.pid = pid;
        h->holder.fd = number;
        h->watch.on_event = on_exit_of_holder;
        // Without a pidfd the process is checked from time to time.
        h->watch.fd = MAX(fd_move_up((int)syscall(SYS_pidfd_open, pid, 0)), -1);
        if (h->watch.fd >= 0)
                (void)watch_set(h->earlier->manager->events, &h->watch, EPOLLIN);
        if (!net_holder_has(&h->holder)) {
                forget_holder(h);
                return false;
        }
        (void)proc_get_comm(pid, &comm);
        free(h->holder_text);
        h->holder_text = str_printf("held by process %d (%s) of an earlier usherd", (int)pid,
                                    comm ? comm : "?");
        return true;
}

// The entries without a known holder: *ret (to be freed) has n.
static size_t collect_unknown(struct earlier *e, struct net_holder **ret)
{
        struct net_holder *holders = calloc(map_size(e->by_port) + 1, sizeof(*holders));
        size_t n = 0, position = 0;

        for (struct held *h; (h = earlier_next(e, &position));) {
                h->is_searched = holders && h->holder.pid == 0;
                if (h->is_searched)
                        holders[n++].inode = h->holder.inode;
        }
        *ret = holders;
        return n;
}

// True: it has to be searched for once more.
static bool take_found(struct earlier *e, const struct net_holder *found)
{
        struct held *h = u64map_get(e->by_inode, found->inode);

        if (!h || !h->is_searched)
                return false;
        if (found->pid == 0) {
                h->is_unseen = !h->is_ours;
                h->is_searched = h->is_ours; // then it is free
                return false;
        }
        h->is_searched = h->is_unseen = false;
        return !watch_holder(h, found->pid, found->fd);
}

// Without a holder, the socket is free.
static void let_go(struct earlier *e)
{
        size_t position = 0;

        for (struct held *h; (h = earlier_next(e, &position));) {
                if (!h->is_searched)
                        continue;
                map_remove(e->by_port, h->port); // it can no longer be found
                if (e->on_gone)
                        e->on_gone(e->manager, h);
                held_free(h);
        }
}

// Runs in a separate process: there may be many thousands of processes to examine.
static void search(struct inquiry_answer *answer, const void *question)
{
        struct net_holder *holders;
        size_t n = collect_unknown((struct earlier *)question, &holders);

        net_holders_find(holders, n, getppid());
        net_holders_look_for_unseen(holders, n);
        for (size_t i = 0; i < n; i++)
                if (holders[i].pid > 0 || holders[i].fd < 0) {
                        inquiry_put_number(answer, (int64_t)holders[i].inode);
                        inquiry_put_number(answer, holders[i].pid);
                        inquiry_put_number(answer, holders[i].fd);
                }
        inquiry_put_field(answer, "."); // the end of the answer
        free(holders);
}

static void end_search(struct earlier *e)
{
        watch_remove(e->manager->events, &e->search_watch);
        e->search_watch.fd = -1;
        inquiry_free(TAKE(e->search));
}

static void on_answer(struct watch *w, uint32_t revents UNUSED)
{
        struct earlier *e = CONTAINER_OF(w, struct earlier, search_watch);
        int r = inquiry_read(e->search);
        int64_t inode, pid, number;

        if (r == -EAGAIN)
                return;
        while (r == 0 && inquiry_next_number(e->search, &inode) == 0 &&
               inquiry_next_number(e->search, &pid) == 0 &&
               inquiry_next_number(e->search, &number) == 0) {
                const struct net_holder found = {(uint64_t)inode, (pid_t)pid, (int)number};

                (void)take_found(e, &found);
        }
        end_search(e);
        if (r == 0)
                let_go(e);
        search_later(e);
}

// Is there an entry without a known holder?
static bool look_at_holders(struct earlier *e)
{
        bool is_due = false;
        size_t position = 0;

        for (struct held *h; (h = earlier_next(e, &position));) {
                if (h->holder.pid > 0 && !net_holder_has(&h->holder))
                        forget_holder(h);
                is_due |= h->holder.pid == 0;
        }
        return is_due;
}

static int begin_search(struct earlier *e)
{
        struct net_holder *holders = NULL;

        (void)collect_unknown(e, &holders); // marks them
        free(holders);
        int r = inquiry_start(search, e, &e->search);

        if (r < 0)
                return r;
        e->search_watch.fd = inquiry_fd(e->search);
        r = watch_set(e->manager->events, &e->search_watch, EPOLLIN);
        if (r < 0)
                end_search(e);
        return r;
}

static void on_search_timer(struct timer *t, usec_t now)
{
        struct earlier *e = CONTAINER_OF(t, struct earlier, search_timer);

        if (!look_at_holders(e) || begin_search(e) < 0)
                search_later(e); // otherwise the answer schedules the next search
        else
                e->last_search = now;
}

static bool knows_all(const struct earlier *e)
{
        size_t position = 0;

        for (const struct held *h; (h = earlier_next(e, &position));)
                if (h->holder.pid == 0 && !h->is_unseen)
                        return false;
        return true;
}

static void search_later(struct earlier *e)
{
        usec_t now = clock_now();

        if (map_size(e->by_port) == 0 || e->search)
                return;
        usec_t when = knows_all(e)     ? usec_add(now, LOOK_WAIT)
                      : e->last_search ? MAX(now, usec_add(e->last_search, SEARCH_WAIT))
                                       : now;

        // If the timer cannot be set, the exit of a holder tries again.
        (void)timer_set(e->manager->events, &e->search_timer, when, on_search_timer);
}

// ---- all of it

static int load(struct earlier *e)
{
        CLEANUP(free) char *text = NULL;
        int r = earlier_read(e, &text);

        if (r < 0)
                return r == -ENOMEM ? r : 0; // there is no usable record
        r = earlier_parse(text, e->first_line, on_record, e);
        if (r < 0)
                return r == -ESTALE ? 0 : r;
        bool is_through = false;

        for (int i = 0; i < START_SEARCHES && !is_through; i++) {
                struct net_holder *holders;
                size_t n = collect_unknown(e, &holders);

                net_holders_find(holders, n, getpid());
                net_holders_look_for_unseen(holders, n);
                is_through = true;
                for (size_t k = 0; k < n; k++)
                        if ((holders[k].pid > 0 || holders[k].fd < 0) && take_found(e, &holders[k]))
                                is_through = false;
                free(holders);
        }
        let_go(e);
        search_later(e);
        return 0;
}

int earlier_new(struct manager *m, void (*on_gone)(struct manager *m, const struct held *held),
                struct earlier **ret)
{
        struct earlier *e = calloc(1, sizeof(*e));

        if (!e)
                return -ENOMEM;
        e->manager = m;
        e->fd = e->search_watch.fd = -1;
        e->search_watch.on_event = on_answer;
        e->by_port = map_new();
        e->by_inode = u64map_new();
        e->path = fs_path_join(m->options.runtime_dir, "listeners");
        e->first_line = earlier_make_first_line();
        int r = e->by_port && e->by_inode && e->path && e->first_line ? load(e) : -ENOMEM;

        if (r < 0) {
                earlier_free(e);
                return r;
        }
        e->on_gone = on_gone;
        *ret = e;
        return 0;
}

void earlier_free(struct earlier *e)
{
        if (!e)
                return;
        if (e->search)
                end_search(e);
        earlier_close(e);
        timer_stop(e->manager->events, &e->search_timer);
        size_t position = 0;

        for (struct held *h; e->by_port && (h = earlier_next(e, &position));)
                held_free(h);
        map_free(e->by_port);
        u64map_free(e->by_inode);
        for (size_t i = 0; i < e->n_fifos; i++)
                free(e->fifos[i].path);
        free(e->fifos);
        free(e->path);
        free(e->first_line);
        free(e);
}

struct held *earlier_find(const struct earlier *e, const struct port *port)
{
        if (!e || map_size(e->by_port) == 0)
                return NULL;
        CLEANUP(free) char *key = str_printf("%s %s", port_type_name(port), port->text);

        return key ? map_get(e->by_port, key) : NULL;
}

int held_take(struct held *h)
{
        int fd = h->watch.fd < 0 ? -ENOSYS : net_holder_take(&h->holder, h->watch.fd, h->cookie);

        h->is_ours |= fd >= 0;
        return fd;
}

const char *held_text(const struct held *h)
{
        return h->holder_text ? h->holder_text : "held by a process of an earlier usherd";
}

bool earlier_made_node(const struct earlier *e, const struct port *port, struct net_node *ret)
{
        for (size_t i = 0; e && i < e->n_fifos; i++)
                if (streq(e->fifos[i].path, port->text)) {
                        *ret = e->fifos[i].node;
                        return true;
                }
        return false;
}
