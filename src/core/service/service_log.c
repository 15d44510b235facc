#include "core/service/service_log.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/map.h"
#include "base/rate.h"
#include "core/service/processes.h"
#include "core/service/service_priv.h"
#include "core/unit/manager.h"

#include <stdio.h>
#include <sys/socket.h>

#define LINE_MAX_BYTES (8 * 1024) // longer lines are split
#define READ_MAX (16 * 1024)
#define READS_A_TURN 4
#define READS_A_FLUSH 64
// For how long the lines of a unit without streams remain counted.
#define IDLE_MAX (5 * USEC_PER_SEC)
// The journal's rate limit for one service.
#define LINES_INTERVAL (30 * USEC_PER_SEC)
#define LINES_BURST 10000
// Streams of a unit whose command and run are over, but which an orphan still holds. A process can
// keep those of all commands of its user, and each takes one of our descriptors.
#define LEFT_MAX 256

struct service_log {
        struct manager *manager;
        struct map *groups; // by the name of the unit or template
        struct list_node streams;
};

// What the streams of a unit, or of all instances of a template, have in common.
struct log_group {
        struct service_log *log;
        unsigned n_streams, n_left;
        struct list_node left; // the oldest first
        struct timer idle_timer;
        struct rate limit;
        uint64_t dropped, dropped_told;
        char name[];
};

// The output of one command, whatever processes inherit it.
struct log_stream {
        struct log_group *group;
        struct list_node node, left_node;
        struct watch watch;        // for our end
        struct log_stream **owner; // the list that it is in, of a run or a socket; NULL: it is over
        struct log_stream *next;   // in that list
        const struct run *run;     // names it; NULL: no run does
        struct unit_conf *conf;    // reference
        sd_id128_t invocation;
        char *name; // of the unit, once the run is over; NULL: the group's
        char *identifier;
        pid_t pid;  // writer of the text in the buffer
        char *part; // an incomplete line; NULL: none
        size_t n_part;
};

int service_log_new(struct manager *m, struct service_log **ret)
{
        CLEANUP(service_log) struct service_log *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->manager = m;
        list_init(&l->streams);
        l->groups = map_new();
        if (!l->groups)
                return -ENOMEM;
        *ret = TAKE(l);
        return 0;
}

static void tell_dropped(struct log_group *g)
{
        if (g->dropped == g->dropped_told)
                return;
        log_unit(g->name, LOG_WARNING, 0, "Suppressed %llu lines of its output",
                 (unsigned long long)(g->dropped - g->dropped_told));
        g->dropped_told = g->dropped;
}

static void group_free(struct log_group *g)
{
        timer_stop(g->log->manager->events, &g->idle_timer);
        map_remove(g->log->groups, g->name);
        free(g);
}

static void on_idle(struct timer *t, usec_t now UNUSED)
{
        group_free(CONTAINER_OF(t, struct log_group, idle_timer));
}

static void leave_owner(struct log_stream *s)
{
        for (struct log_stream **at = s->owner; at && *at; at = &(*at)->next)
                if (*at == s) {
                        *at = s->next;
                        break;
                }
        s->owner = NULL;
}

static void stream_free(struct log_stream *s)
{
        struct log_group *g = s->group;
        struct events *e = g->log->manager->events;

        leave_owner(s);
        list_remove(&s->node);
        if (list_is_linked(&s->left_node)) {
                list_remove(&s->left_node);
                g->n_left--;
        }
        watch_remove(e, &s->watch);
        fd_close(s->watch.fd);
        unit_conf_unref(s->conf);
        free(s->name);
        free(s->identifier);
        free(s->part);
        free(s);
        if (--g->n_streams == 0 &&
            timer_set(e, &g->idle_timer, usec_add(clock_now(), IDLE_MAX), on_idle) < 0)
                group_free(g);
}

// ---- lines

static const char *name_of(const struct log_stream *s, char **buffer)
{
        return s->run ? run_name(s->run, buffer) : s->name ? s->name : s->group->name;
}

// Parses "<3>text": returns the level and skips the prefix.
static int take_prefix(const char **line, size_t *size, int level)
{
        const char *p = *line;

        // With a facility ("<30>"), the level is the lower three bits.
        for (size_t n = 3; n <= 5 && n <= *size; n++) {
                if (p[0] != '<' || p[n - 1] != '>')
                        continue;
                int value = 0;

                for (size_t i = 1; i < n - 1; i++) {
                        if (p[i] < '0' || p[i] > '9')
                                return level;
                        value = value * 10 + (p[i] - '0');
                }
                *line += n;
                *size -= n;
                return value & 7;
        }
        return level;
}

static void put_line(struct log_stream *s, const char *line, size_t size)
{
        CLEANUP(free) char *buffer = NULL;
        const struct exec_group *exec = s->conf->exec;
        int level = exec->syslog_level;

        if (exec->syslog_level_prefix)
                level = take_prefix(&line, &size, level);
        if (size == 0 || (exec->log_level_max >= 0 && level > exec->log_level_max))
                return;
        if (!rate_below(&s->group->limit, clock_now())) {
                s->group->dropped++;
                return;
        }
        tell_dropped(s->group);

        const struct log_source from = {
                .unit = name_of(s, &buffer),
                .identifier = s->identifier,
                .invocation = s->invocation,
                .pid = s->pid,
        };

        log_service_line(&from, LOG_MAKEPRI(exec->syslog_facility << 3, level), line, size);
}

static void flush_part(struct log_stream *s)
{
        if (s->n_part > 0)
                put_line(s, s->part, s->n_part);
        s->n_part = 0;
        free(TAKE(s->part));
}

static void keep_part(struct log_stream *s, const char *text, size_t size)
{
        while (size > 0) {
                size_t n = MIN(size, LINE_MAX_BYTES - s->n_part);

                if (!s->part && !(s->part = malloc(LINE_MAX_BYTES))) {
                        s->group->dropped++;
                        return;
                }
                memcpy(s->part + s->n_part, text, n);
                s->n_part += n;
                text += n;
                size -= n;
                if (s->n_part == LINE_MAX_BYTES)
                        flush_part(s);
        }
}

static void put_text(struct log_stream *s, const char *text, size_t size)
{
        while (size > 0) {
                const char *end = memchr(text, '\n', size);

                if (!end) {
                        keep_part(s, text, size);
                        return;
                }
                size_t n = (size_t)(end - text);

                if (s->n_part > 0) {
                        keep_part(s, text, n);
                        flush_part(s);
                } else {
                        put_line(s, text, n);
                }
                text += n + 1;
                size -= n + 1;
        }
}

// ---- reading

// 1: something was read, 0: nothing (now), -EPIPE: all writers have closed, other -errno.
static int read_once(struct log_stream *s)
{
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 16)];
        } control;
        char text[READ_MAX];
        struct iovec iov = {text, sizeof(text)};
        struct msghdr message = {.msg_iov = &iov,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        ssize_t n = recvmsg(s->watch.fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        pid_t pid = 0;

        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -EPIPE;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
                if (c->cmsg_level != SOL_SOCKET)
                        continue;
                if (c->cmsg_type == SCM_CREDENTIALS) {
                        struct ucred sender;

                        memcpy(&sender, CMSG_DATA(c), sizeof(sender));
                        pid = sender.pid;
                } else if (c->cmsg_type == SCM_RIGHTS) {
                        // No descriptors are expected.
                        size_t n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

                        for (size_t i = 0; i < n_fds; i++) {
                                int fd;

                                memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
                                fd_close(fd);
                        }
                }
        }
        if (pid != s->pid)
                flush_part(s);
        s->pid = pid;
        put_text(s, text, (size_t)n);
        return 1;
}

static int read_some(struct log_stream *s, unsigned most)
{
        int r = 1;

        for (unsigned i = 0; i < most && r > 0; i++)
                r = read_once(s);
        return r;
}

// All that was written has been read, or nobody wants to know more.
static void stream_end(struct log_stream *s)
{
        flush_part(s);
        tell_dropped(s->group);
        stream_free(s);
}

static void on_readable(struct watch *w, uint32_t revents UNUSED)
{
        struct log_stream *s = CONTAINER_OF(w, struct log_stream, watch);

        if (read_some(s, READS_A_TURN) < 0) // all writers have closed
                stream_end(s);
}

void log_stream_flush(struct log_stream *first, pid_t pid)
{
        for (struct log_stream *s = first, *next; s; s = next) {
                next = s->next;
                if (read_some(s, READS_A_FLUSH) < 0) {
                        stream_end(s);
                        continue;
                }
                if (s->pid == pid)
                        flush_part(s);
                tell_dropped(s->group);
        }
}

// ---- streams

static struct log_group *get_group(struct service_log *l, const char *name)
{
        struct log_group *g = map_get(l->groups, name);
        size_t size = strlen(name) + 1;

        if (g) {
                timer_stop(l->manager->events, &g->idle_timer);
                return g;
        }
        g = calloc(1, sizeof(*g) + size);
        if (!g)
                return NULL;
        g->log = l;
        memcpy(g->name, name, size);
        list_init(&g->left);
        g->limit = (struct rate){.interval = LINES_INTERVAL, .burst = LINES_BURST};
        if (map_set(l->groups, g->name, g) < 0) {
                free(g);
                return NULL;
        }
        return g;
}

// SyslogIdentifier=, else the program's name (systemd.exec(5)).
static int set_identifier(struct log_stream *s, const struct exec_command *command)
{
        CLEANUP(free) char *buffer = NULL;
        const char *own = s->conf->exec->syslog_identifier;
        const char *text = own && *own ? own : command ? fs_path_basename(command->path) : NULL;

        if (!text)
                return 0;
        s->identifier = specifier_has_marks(text) ? specifier_fill(text, name_of(s, &buffer))
                                                  : strdup(text);
        return s->identifier ? 0 : -ENOMEM;
}

// The other end in *ret: the command's.
static int connect_ends(struct log_stream *s, int *ret)
{
        int pair[2], one = 1;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        CLEANUP(fd) int writer = fd_move_up(pair[1]);

        s->watch.fd = fd_move_up(pair[0]);
        if (s->watch.fd < 0 || writer < 0)
                return -EMFILE;
        // The command's end stays blocking, as programs expect of stdout; we read faster than they
        // write, since excess lines are dropped.
        if (setsockopt(s->watch.fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
            shutdown(writer, SHUT_RD) < 0)
                return -errno;
        int r = watch_set(s->group->log->manager->events, &s->watch, EPOLLIN);

        if (r == 0)
                *ret = TAKE_FD(writer);
        return r;
}

int log_stream_open(struct service_log *l, const struct log_output *o, struct log_stream **list)
{
        struct log_stream *s = calloc(1, sizeof(*s));
        int writer = -1;

        if (!s)
                return -ENOMEM;
        s->group = get_group(l, o->unit);
        if (!s->group) {
                free(s);
                return -ENOMEM;
        }
        s->group->n_streams++;
        s->watch.fd = -1;
        s->watch.on_event = on_readable;
        s->run = o->run;
        s->conf = unit_conf_ref(o->conf);
        s->invocation = o->invocation;
        list_append(&l->streams, &s->node);
        s->owner = list;
        s->next = *list;
        *list = s;
        int r = set_identifier(s, o->command);

        if (r == 0)
                r = connect_ends(s, &writer);
        if (r < 0) {
                stream_free(s);
                return r;
        }
        return writer;
}

void log_stream_leave(struct log_stream **list)
{
        struct log_stream *s;

        while ((s = *list)) {
                CLEANUP(free) char *buffer = NULL;
                struct log_group *g = s->group;

                if (read_some(s, READS_A_FLUSH) < 0) {
                        stream_end(s);
                        continue;
                }
                flush_part(s);
                tell_dropped(g);
                s->name = strdup(name_of(s, &buffer)); // without memory, the group's name stands in
                s->run = NULL;
                leave_owner(s);
                list_append(&g->left, &s->left_node);
                if (++g->n_left > LEFT_MAX)
                        stream_end(CONTAINER_OF(g->left.next, struct log_stream, left_node));
        }
}

void service_log_free(struct service_log *l)
{
        if (!l)
                return;
        LIST_FOREACH (&l->streams, node) {
                struct log_stream *s = CONTAINER_OF(node, struct log_stream, node);

                (void)read_some(s, READS_A_FLUSH);
                stream_end(s);
        }
        size_t position = 0;
        void *group;

        while (l->groups && map_next(l->groups, &position, NULL, &group))
                group_free(group);
        map_free(l->groups);
        free(l);
}

void run_drop_log(struct run *run)
{
        log_stream_leave(&run->log);
}
