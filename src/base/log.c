#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"

#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

// Records are formatted in the middle part of this file, written by the part below it; the public
// functions that make records are at the end.

#define LINE_MAX_BYTES 8192
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static struct {
        int level;
        enum log_target target; // never auto, once set
        enum log_format format;
        bool has_prefix; // stderr is the journal's stream: "<N>" tells the level
        bool is_torn;    // the last line could be written in part only
        int journal_fd;
        uint64_t dropped, dropped_reported;
        void (*hook)(const struct log_line *line, void *data);
        void *hook_data;
} sink = {.level = LOG_INFO, .target = LOG_TARGET_STDERR, .journal_fd = -1};

struct record {
        int level, facility; // of syslog(3), without the shift; facility 0: none
        const char *unit;    // may be NULL
        pid_t pid;           // of the service that printed it; 0: a line of our own
        const char *identifier;
        const char *text; // already escaped
        int error;
};

static const char *const level_names[] = {"emerg",   "alert",  "crit", "err",
                                          "warning", "notice", "info", "debug"};

void log_set_level(int level)
{
        sink.level = level;
}

int log_get_level(void)
{
        return sink.level;
}

const char *log_level_name(int level)
{
        return level >= 0 && level < (int)ARRAY_SIZE(level_names) ? level_names[level] : "debug";
}

int log_level_from_name(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(level_names); i++)
                if (streq(level_names[i], name))
                        return (int)i;
        if (streq(name, "error"))
                return LOG_ERR;
        return name[0] >= '0' && name[0] <= '7' && name[1] == '\0' ? name[0] - '0' : -EINVAL;
}

// Is stderr the stream that the journal gave us (JOURNAL_STREAM=DEV:INO)?
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

static int open_journal(void)
{
        static const struct sockaddr_un address = {.sun_family = AF_UNIX,
                                                   .sun_path = JOURNAL_SOCKET};
        CLEANUP(fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return fd_move_up(TAKE_FD(fd));
}

int log_set_target(enum log_target target, enum log_format format)
{
        bool is_journal = stderr_is_journal();
        int fd = -1;

        if (target == LOG_TARGET_JOURNAL || (target == LOG_TARGET_AUTO && is_journal)) {
                fd = open_journal();
                if (fd < 0 && target == LOG_TARGET_JOURNAL)
                        return fd;
        }
        fd_close(sink.journal_fd);
        sink.journal_fd = fd < 0 ? -1 : fd;
        sink.target = fd < 0 ? LOG_TARGET_STDERR : LOG_TARGET_JOURNAL;
        sink.format = format;
        sink.has_prefix = is_journal;
        return 0;
}

enum log_target log_get_target(void)
{
        return sink.target;
}

enum log_format log_get_format(void)
{
        return sink.format;
}

static const char *const target_names[_LOG_TARGET_MAX] = {
        [LOG_TARGET_AUTO] = "auto",
        [LOG_TARGET_STDERR] = "stderr",
        [LOG_TARGET_JOURNAL] = "journal",
};

const char *log_target_name(enum log_target target)
{
        return target_names[target];
}

int log_target_from_name(const char *name)
{
        for (int i = 0; i < _LOG_TARGET_MAX; i++)
                if (strcmp(target_names[i], name) == 0)
                        return i;
        return -EINVAL;
}

void log_close(void)
{
        sink.journal_fd = fd_close(sink.journal_fd);
        sink.target = LOG_TARGET_STDERR;
}

uint64_t log_get_dropped(void)
{
        return sink.dropped;
}

void log_set_hook(void (*hook)(const struct log_line *line, void *data), void *data)
{
        sink.hook = hook;
        sink.hook_data = data;
}

static void format_text(struct buf *b, const struct record *r)
{
        if (sink.has_prefix)
                buf_printf(b, "<%d>", r->level);
        if (r->unit && r->pid > 0)
                buf_printf(b, "%s[%d]: ", r->unit, r->pid);
        else if (r->unit)
                buf_printf(b, "%s: ", r->unit);
        buf_puts(b, r->text);
        if (r->error)
                buf_printf(b, ": %s", strerror(r->error));
        buf_putc(b, '\n');
}

static void put_field(struct buf *b, const char *name, const char *value)
{
        buf_printf(b, ",\"%s\":", name);
        buf_put_json(b, value);
}

static void format_json(struct buf *b, const struct record *r)
{
        usec_t now = clock_now_realtime();

        buf_printf(b, "{\"ts\":%llu.%06llu", (unsigned long long)(now / USEC_PER_SEC),
                   (unsigned long long)(now % USEC_PER_SEC));
        put_field(b, "level", log_level_name(r->level));
        if (r->unit)
                put_field(b, "unit", r->unit);
        if (r->pid > 0)
                buf_printf(b, ",\"pid\":%d,\"stream\":\"service\"", r->pid);
        if (r->identifier)
                put_field(b, "identifier", r->identifier);
        if (r->error) {
                buf_printf(b, ",\"errno\":%d", r->error);
                put_field(b, "error", strerror(r->error));
        }
        put_field(b, "msg", r->text);
        buf_puts(b, "}\n");
}

// One field in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a value with a
// newline is written with its size in 64 bits, little endian.
static void put_journal(struct buf *b, const char *name, size_t name_size, const char *value)
{
        size_t size = strlen(value);

        buf_put(b, name, name_size);
        if (strchr(value, '\n')) {
                buf_putc(b, '\n');
                for (unsigned i = 0; i < 8; i++)
                        buf_putc(b, (char)(((uint64_t)size >> (8 * i)) & 0xff));
        } else {
                buf_putc(b, '=');
        }
        buf_put(b, value, size);
        buf_putc(b, '\n');
}

static void format_journal(struct buf *b, const struct record *r)
{
        buf_printf(b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\n", r->level,
                   r->identifier ? r->identifier : program_invocation_short_name);
        if (r->facility > 0)
                buf_printf(b, "SYSLOG_FACILITY=%d\n", r->facility);
        if (r->unit)
                put_journal(b, "UNIT", 4, r->unit);
        if (r->pid > 0)
                buf_printf(b, "SYSLOG_PID=%d\nOBJECT_PID=%d\n", r->pid, r->pid);
        if (r->error)
                buf_printf(b, "ERRNO=%d\n", r->error);
        buf_printf(b, "MESSAGE=%s%s%s\n", r->text, r->error ? ": " : "",
                   r->error ? strerror(r->error) : "");
}

// Where the description cannot be opened anew: a pipe that polls writable takes PIPE_BUF bytes
// without waiting, as long as nobody else fills it in between.
static ssize_t write_polled(const char *data, size_t size)
{
        size_t done = 0;

        while (done < size) {
                struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

                if (poll(&p, 1, 0) <= 0 || p.revents != POLLOUT)
                        break;
                ssize_t n = write(STDERR_FILENO, data + done, MIN(size - done, (size_t)PIPE_BUF));

                if (n <= 0)
                        break;
                done += (size_t)n;
        }
        return (ssize_t)done;
}

// Bytes written without waiting. stderr may be shared with others, so O_NONBLOCK is not ours to set
// on it: pipes and terminals are opened anew, which makes a description of our own, and closed
// again so that no end of a pipe stays open behind its owner's back.
static ssize_t write_now(const char *data, size_t size)
{
        struct stat st;

        if (fstat(STDERR_FILENO, &st) < 0)
                return -errno;
        if (S_ISREG(st.st_mode))
                return write(STDERR_FILENO, data, size);
        if (S_ISSOCK(st.st_mode))
                return send(STDERR_FILENO, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

        if (poll(&p, 1, 0) <= 0 || p.revents != POLLOUT)
                return 0; // full, or a pipe without a reader: a write would raise SIGPIPE
        CLEANUP(fd)
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        return fd < 0 ? write_polled(data, size) : write(fd, data, size);
}

static bool write_line(const char *line, size_t size)
{
        ssize_t n;

        if (sink.is_torn) {
                if (write_now("\n", 1) != 1)
                        return false;
                sink.is_torn = false;
        }
        n = write_now(line, size);
        sink.is_torn = n > 0 && (size_t)n < size;
        return n > 0 && (size_t)n == size;
}

// libsystemd's sd_journal_sendv() would wait for a journal that does not read, and takes a journal
// that is gone for success.
static bool deliver(const struct record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (sink.target == LOG_TARGET_JOURNAL) {
                format_journal(&b, r);
                if (b.error)
                        return false;
                ssize_t n = send(sink.journal_fd, b.data, b.size, MSG_NOSIGNAL);

                if (n < 0 && (errno == ECONNREFUSED || errno == ENOTCONN)) { // it was restarted
                        int fd = open_journal();

                        if (fd >= 0) {
                                fd_close(sink.journal_fd);
                                sink.journal_fd = fd;
                                n = send(fd, b.data, b.size, MSG_NOSIGNAL);
                        }
                }
                if (n >= 0 || errno == EAGAIN)
                        return n >= 0;
                buf_clear(&b);
        }
        if (sink.format == LOG_FORMAT_JSON)
                format_json(&b, r);
        else
                format_text(&b, r);
        return !b.error && write_line(b.data, b.size);
}

static void call_hook(const struct record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!sink.hook)
                return;
        buf_puts(&b, r->text);
        if (r->error)
                buf_printf(&b, ": %s", strerror(r->error));
        if (b.error)
                return;
        const struct log_line line = {
                .level = r->level, .unit = r->unit, .pid = r->pid, .text = buf_text(&b)};

        sink.hook(&line, sink.hook_data);
}

static void emit(const struct record *r)
{
        int saved = errno;

        call_hook(r);
        if (sink.dropped > sink.dropped_reported) {
                char text[128];
                struct record report = {.level = LOG_WARNING, .text = text};

                snprintf(text, sizeof(text), "%llu log lines were dropped, the reader was too slow",
                         (unsigned long long)(sink.dropped - sink.dropped_reported));
                if (deliver(&report))
                        sink.dropped_reported = sink.dropped;
        }
        if (!deliver(r))
                sink.dropped++;
        errno = saved;
}

PRINTF(4, 0)
static void write_v(int level, const char *unit, int error, const char *fmt, va_list ap)
{
        char text[LINE_MAX_BYTES];
        int saved = errno;

        if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
                memcpy(text + sizeof(text) - 4, "...", 4);
        CLEANUP(free) char *safe = str_escape(text);
        struct record r = {.level = level,
                           .unit = unit,
                           .error = abs(error),
                           .text = safe ? safe : "(no memory for the message)"};

        errno = saved;
        emit(&r);
}

void log_write(int level, const char *fmt, ...)
{
        va_list ap;

        if (level > sink.level)
                return;
        va_start(ap, fmt);
        write_v(level, NULL, 0, fmt, ap);
        va_end(ap);
}

void log_unit(const char *unit, int level, int error, const char *fmt, ...)
{
        va_list ap;

        if (level > sink.level)
                return;
        va_start(ap, fmt);
        write_v(level, unit, error, fmt, ap);
        va_end(ap);
}

// NUL bytes, which str_escape() cannot see, become \x00.
static int put_escaped(struct buf *b, const char *bytes, size_t size)
{
        CLEANUP(free) char *raw = malloc(size + 1);

        if (!raw)
                return -ENOMEM;
        memcpy(raw, bytes, size);
        raw[size] = '\0';
        for (size_t i = 0;; i++) {
                CLEANUP(free) char *safe = str_escape(raw + i);

                if (!safe)
                        return -ENOMEM;
                buf_puts(b, safe);
                i += strlen(raw + i);
                if (i >= size)
                        return b->error;
                buf_puts(b, "\\x00");
        }
}

void log_service_line(const char *unit, pid_t pid, const char *identifier, int priority,
                      const char *line, size_t size)
{
        struct record r = {.level = LOG_PRI(priority),
                           .facility = LOG_FAC(priority),
                           .unit = unit,
                           .pid = pid,
                           .identifier = identifier};

        if (size > 0 && line[size - 1] == '\n')
                size--;
        do {
                CLEANUP(buf) struct buf b = BUF_NULL;
                size_t n = MIN(size, (size_t)LINE_MAX_BYTES);

                // A long line goes out in pieces, not cut inside a character.
                for (int i = 0; i < 3 && n < size && ((unsigned char)line[n] & 0xc0) == 0x80; i++)
                        n--;
                if (put_escaped(&b, line, n) < 0) {
                        sink.dropped++;
                } else {
                        r.text = buf_text(&b);
                        emit(&r);
                }
                line += n;
                size -= n;
        } while (size > 0);
}
