#include "core/service/service_log.h"

#include "base/clock.h"
#include "base/fd.h"
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
#define IDLE_MAX \
        (5 * USEC_PER_SEC) // for how long an unreferenced stream is kept for the next start
// The journal's rate limit for one service.
#define LINES_INTERVAL (30 * USEC_PER_SEC)
#define LINES_BURST 10000

struct service_log {
        struct manager *manager;
        struct map *streams; // by unit name; open ones
        struct list_node all;
};

struct log_stream {
        struct service_log *log;
        struct list_node node;
        struct watch watch; // for our end
        int writer;         // the services' end; -1: closed, and the rest is still read
        unsigned refs;
        struct timer idle_timer;
        char *unit, *identifier;
        int facility, level, level_max; // level_max < 0: all
        bool has_prefixes, is_ended;
        struct rate limit;
        uint64_t dropped, dropped_told;
        pid_t pid;  // writer of the text in the buffer
        char *part; // an incomplete line
        size_t n_part;
};

int service_log_new(struct manager *m, struct service_log **ret)
{
        CLEANUP(service_log) struct service_log *l = calloc(1, sizeof(*l));

        if (!l)
                return -ENOMEM;
        l->manager = m;
        list_init(&l->all);
        l->streams = map_new();
        if (!l->streams)
                return -ENOMEM;
        *ret = TAKE(l);
        return 0;
}

static void stream_free(struct log_stream *s)
{
        struct events *e = s->log->manager->events;

        if (s->unit && map_get(s->log->streams, s->unit) == s)
                map_remove(s->log->streams, s->unit);
        list_remove(&s->node);
        timer_stop(e, &s->idle_timer);
        watch_remove(e, &s->watch);
        fd_close(s->watch.fd);
        fd_close(s->writer);
        free(s->unit);
        free(s->identifier);
        free(s->part);
        free(s);
}

void service_log_free(struct service_log *l)
{
        if (!l)
                return;
        if (l->streams)
                LIST_FOREACH (&l->all, node)
                        stream_free(CONTAINER_OF(node, struct log_stream, node));
        map_free(l->streams);
        free(l);
}

// ---- lines

static void tell_dropped(struct log_stream *s)
{
        if (s->dropped == s->dropped_told)
                return;
        log_unit(s->unit, LOG_WARNING, 0, "Suppressed %llu lines of its output",
                 (unsigned long long)(s->dropped - s->dropped_told));
        s->dropped_told = s->dropped;
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
        int level = s->level;

        if (s->has_prefixes)
                level = take_prefix(&line, &size, level);
        if (size == 0 || (s->level_max >= 0 && level > s->level_max))
                return;
        if (!rate_below(&s->limit, clock_now())) {
                s->dropped++;
                return;
        }
        tell_dropped(s);

        const struct run *run = run_by_pid(s->log->manager, s->pid);

        const struct log_source from = {
                .unit = run && run->log == s ? run_name(run, &buffer) : s->unit,
                .identifier = s->identifier,
                .pid = s->pid,
        };

        log_service_line(&from, LOG_MAKEPRI(s->facility << 3, level), line, size);
}

static void flush_part(struct log_stream *s)
{
        if (s->n_part > 0)
                put_line(s, s->part, s->n_part);
        s->n_part = 0;
}

static void keep_part(struct log_stream *s, const char *text, size_t size)
{
        if (!s->part && !(s->part = malloc(LINE_MAX_BYTES))) {
                s->dropped++;
                return;
        }
        while (size > 0) {
                size_t n = MIN(size, LINE_MAX_BYTES - s->n_part);

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

static void on_readable(struct watch *w, uint32_t revents UNUSED)
{
        struct log_stream *s = CONTAINER_OF(w, struct log_stream, watch);

        if (read_some(s, READS_A_TURN) >= 0)
                return;
        // All writers have closed, including us.
        flush_part(s);
        tell_dropped(s);
        watch_remove(s->log->manager->events, w);
        if (s->refs == 0) {
                stream_free(s);
                return;
        }
        // A service shut the stream down for all that share it: the next start gets a new one.
        s->is_ended = true;
        if (map_get(s->log->streams, s->unit) == s)
                map_remove(s->log->streams, s->unit);
}

void log_stream_flush(struct log_stream *s, pid_t pid)
{
        (void)read_some(s, READS_A_FLUSH); // an error shows again in the loop
        if (s->pid == pid)
                flush_part(s);
        tell_dropped(s);
}

// ---- streams

static int stream_open(struct log_stream *s)
{
        int pair[2], one = 1;

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        s->watch.fd = fd_move_up(pair[0]);
        s->writer = fd_move_up(pair[1]);
        if (s->watch.fd < 0 || s->writer < 0)
                return -EMFILE;
        // The services' end stays blocking, as programs expect of stdout; we read faster than they
        // write, since excess lines are dropped.
        if (setsockopt(s->watch.fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one)) < 0 ||
            shutdown(s->writer, SHUT_RD) < 0)
                return -errno;
        return watch_set(s->log->manager->events, &s->watch, EPOLLIN);
}

static int stream_new(struct service_log *l, const char *unit, const struct unit_conf *conf,
                      struct log_stream **ret)
{
        const struct exec_group *g = conf->exec;
        struct log_stream *s = calloc(1, sizeof(*s));

        if (!s)
                return -ENOMEM;
        s->log = l;
        s->writer = s->watch.fd = -1;
        s->watch.on_event = on_readable;
        list_append(&l->all, &s->node);
        s->facility = g->syslog_facility;
        s->level = g->syslog_level;
        s->level_max = g->log_level_max;
        s->has_prefixes = g->syslog_level_prefix;
        s->limit = (struct rate){.interval = LINES_INTERVAL, .burst = LINES_BURST};
        s->unit = strdup(unit);

        int r = s->unit ? stream_open(s) : -ENOMEM;

        if (r >= 0 && g->syslog_identifier && !specifier_has_marks(g->syslog_identifier) &&
            !(s->identifier = strdup(g->syslog_identifier)))
                r = -ENOMEM;
        if (r >= 0)
                r = map_set(l->streams, s->unit, s);
        if (r < 0) {
                stream_free(s);
                return r;
        }
        *ret = s;
        return 0;
}

int log_stream_open(struct service_log *l, const char *unit, const struct unit_conf *conf,
                    struct log_stream **ret)
{
        struct log_stream *s = map_get(l->streams, unit);

        if (!s) {
                int r = stream_new(l, unit, conf, &s);

                if (r < 0)
                        return r;
        }
        timer_stop(l->manager->events, &s->idle_timer);
        s->refs++;
        *ret = s;
        return 0;
}

// Not reused in time: the next start gets a new stream, and this one ends with its last writer.
static void on_idle(struct timer *t, usec_t now UNUSED)
{
        struct log_stream *s = CONTAINER_OF(t, struct log_stream, idle_timer);

        map_remove(s->log->streams, s->unit);
        s->writer = fd_close(s->writer);
}

void log_stream_unref(struct log_stream *s)
{
        if (!s || --s->refs > 0)
                return;
        if (s->is_ended) {
                stream_free(s);
                return;
        }
        struct events *e = s->log->manager->events;

        if (timer_set(e, &s->idle_timer, usec_add(clock_now(), IDLE_MAX), on_idle) < 0)
                on_idle(&s->idle_timer, 0);
}

int log_stream_fd(const struct log_stream *s)
{
        return s->writer;
}

void run_drop_log(struct run *run)
{
        log_stream_unref(TAKE(run->log));
}
