// Sends log lines to their target without waiting.
#include "base/clock.h"
#include "base/fd.h"
#include "base/log_priv.h"
#include "base/str.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SYSLOG_SOCKET "/dev/log"
// If there is no reader, we try to connect at this interval, and lines go to stderr until then.
#define RETRY_INTERVAL USEC_PER_SEC

static struct {
        enum log_target target; // never AUTO
        enum log_format format;
        enum log_time time;
        struct log_style style;
        bool is_torn; // only a part of the last line could be written
        int fd;       // connected to the journal or syslog; -1: not connected
        bool is_stream;
        usec_t retry; // when we may try to connect again; 0: at once
} sink = {.target = LOG_TARGET_STDERR, .fd = -1};

// ---- the settings

enum log_target log_get_target(void)
{
        return sink.target;
}

enum log_format log_get_format(void)
{
        return sink.format;
}

void log_set_user(bool is_user)
{
        sink.style.is_user = is_user;
}

// Is stderr a stream to the journal? The environment then has JOURNAL_STREAM=DEV:INO.
static bool stderr_is_journal(void)
{
        const char *stream = getenv("JOURNAL_STREAM");
        unsigned long long dev, ino;
        struct stat st;

        return stream && sscanf(stream, "%llu:%llu", &dev, &ino) == 2 &&
               fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

// Resolves LOG_TIME_AUTO. The journal adds the time itself, and so does the runtime of a container,
// in which we are PID 1.
static bool needs_time(bool is_journal)
{
        if (sink.time != LOG_TIME_AUTO)
                return sink.time == LOG_TIME_YES;
        return !is_journal && getpid() != 1;
}

void log_set_time(enum log_time time)
{
        sink.time = time;
        sink.style.has_time = needs_time(stderr_is_journal());
}

// ---- journal and syslog

static int connect_to(const char *path, int type)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        CLEANUP(fd) int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        if (fd < 0)
                return -errno;
        strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
                return -errno;
        return fd_move_up(TAKE_FD(fd));
}

// Connects to the reader. Returns a descriptor or -errno.
static int open_reader(enum log_target target, bool *ret_is_stream)
{
        bool is_journal = target == LOG_TARGET_JOURNAL;
        int fd = connect_to(is_journal ? JOURNAL_SOCKET : SYSLOG_SOCKET, SOCK_DGRAM);

        *ret_is_stream = fd == -EPROTOTYPE;
        return fd == -EPROTOTYPE && !is_journal ? connect_to(SYSLOG_SOCKET, SOCK_STREAM) : fd;
}

int log_set_target(enum log_target target, enum log_format format)
{
        bool is_journal = stderr_is_journal(), is_stream = false;
        int fd = -1;

        tzset(); // reads the time zone's file now rather than when the first line is logged
        if (target == LOG_TARGET_JOURNAL || (target == LOG_TARGET_AUTO && is_journal)) {
                fd = open_reader(LOG_TARGET_JOURNAL, &is_stream);
                if (fd < 0 && target == LOG_TARGET_JOURNAL)
                        return fd;
        } else if (target == LOG_TARGET_SYSLOG) {
                // A failure is no error: the syslog daemon may be a service that we have yet to
                // start.
                fd = open_reader(target, &is_stream);
        }
        fd_close(sink.fd);
        sink.fd = fd < 0 ? -1 : fd;
        sink.is_stream = is_stream;
        sink.retry = 0;
        sink.target = target != LOG_TARGET_AUTO ? target
                      : fd < 0                  ? LOG_TARGET_STDERR
                                                : LOG_TARGET_JOURNAL;
        sink.format = format;
        sink.style.has_prefix = is_journal;
        log_set_time(sink.time);
        return 0;
}

void log_close(void)
{
        sink.fd = fd_close(sink.fd);
        sink.target = LOG_TARGET_STDERR;
}

// ---- stderr

// Writes to stderr if it cannot be reopened. A pipe that polls as writable takes PIPE_BUF bytes
// without blocking, unless another process fills it between poll() and write().
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

// Writes without waiting. Returns the number of bytes written, or -errno. Other processes may share
// the open file description of stderr, so we must not set O_NONBLOCK on it. A pipe or terminal is
// therefore reopened, which gives us a description of our own. It is closed after each write, since
// otherwise the reader of a pipe would not see its end after stderr has been closed.
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
                return 0; // full, or a pipe without a reader, where write() would raise SIGPIPE
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

// ---- a record

static bool send_line(const struct buf *b)
{
        size_t size = b->size + sink.is_stream; // in a stream, NUL ends a line
        ssize_t n = send(sink.fd, buf_text(b), size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0 && (size_t)n < size) { // the reader would take the rest for another line
                sink.fd = fd_close(sink.fd);
                errno = EAGAIN;
                return false;
        }
        return n >= 0;
}

static void reopen(void)
{
        bool is_stream = false;
        int fd = open_reader(sink.target, &is_stream);

        fd_close(sink.fd);
        sink.fd = fd < 0 ? -1 : fd;
        sink.is_stream = is_stream;
}

// 1: sent; 0: the reader is too slow; -ENOTCONN: there is no reader. We do not use libsystemd's
// sd_journal_sendv(), which blocks if the journal does not read, and reports success if there is no
// journal. syslog(3) blocks, too.
static int send_to_reader(const struct buf *b)
{
        if (sink.fd >= 0) {
                if (send_line(b))
                        return 1;
                if (errno == EAGAIN || errno == ENOBUFS || errno == EMSGSIZE || errno == ENOMEM)
                        return 0;
        }
        usec_t now = clock_now();

        if (now < sink.retry)
                return -ENOTCONN;
        reopen();
        if (sink.fd >= 0 && send_line(b))
                return 1;
        sink.retry = usec_add(now, RETRY_INTERVAL);
        return sink.fd >= 0 && errno == EAGAIN ? 0 : -ENOTCONN;
}

bool log_sink_write(const struct log_record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (sink.target == LOG_TARGET_NULL)
                return true;
        if (sink.target != LOG_TARGET_STDERR) {
                if (sink.target == LOG_TARGET_JOURNAL)
                        log_format_journal(&b, r, &sink.style);
                else
                        log_format_syslog(&b, r);
                int n = b.error ? 0 : send_to_reader(&b);

                if (n >= 0)
                        return n > 0;
                buf_clear(&b);
        }
        if (sink.format == LOG_FORMAT_JSON)
                log_format_json(&b, r);
        else
                log_format_text(&b, r, &sink.style);
        return !b.error && write_line(b.data, b.size);
}
