#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

#define LINE_MAX_BYTES 8192
#define FIELDS_MAX 12

static struct {
        int level;
        enum log_target target; // never auto, once set
        enum log_format format;
        bool has_prefix; // stderr is the journal's stream: "<N>" tells the level
        uint64_t dropped, dropped_reported;
        void (*hook)(int level, const char *unit, const char *line, void *data);
        void *hook_data;
} sink = {.level = LOG_INFO, .target = LOG_TARGET_STDERR};

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

int log_set_target(enum log_target target, enum log_format format)
{
        bool is_journal = stderr_is_journal();

        if (target == LOG_TARGET_JOURNAL && access("/run/systemd/journal/socket", W_OK) < 0)
                return -errno;
        if (target == LOG_TARGET_AUTO)
                target = is_journal && access("/run/systemd/journal/socket", W_OK) == 0
                                 ? LOG_TARGET_JOURNAL
                                 : LOG_TARGET_STDERR;
        sink.target = target;
        sink.format = format;
        sink.has_prefix = is_journal;
        return 0;
}

void log_close(void)
{
        sink.target = LOG_TARGET_STDERR;
}

uint64_t log_get_dropped(void)
{
        return sink.dropped;
}

void log_set_hook(void (*hook)(int level, const char *unit, const char *line, void *data),
                  void *data)
{
        sink.hook = hook;
        sink.hook_data = data;
}

// stderr may be shared with others: its flags are not ours to change, so ask before writing. A pipe
// that polls writable takes PIPE_BUF bytes without waiting.
static bool write_line(const char *line, size_t size)
{
        struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

        if (poll(&p, 1, 0) <= 0 || !(p.revents & POLLOUT))
                return false;
        return write(STDERR_FILENO, line, size) == (ssize_t)size;
}

static void report_dropped(void)
{
        char text[128];
        int n;

        if (sink.dropped == sink.dropped_reported)
                return;
        n = snprintf(text, sizeof(text),
                     "%s%llu log lines were dropped, the reader was too slow%s\n",
                     sink.format == LOG_FORMAT_JSON ? "{\"level\":\"warning\",\"msg\":\"" : "",
                     (unsigned long long)(sink.dropped - sink.dropped_reported),
                     sink.format == LOG_FORMAT_JSON ? "\"}" : "");
        if (write_line(text, (size_t)n))
                sink.dropped_reported = sink.dropped;
}

struct record {
        int level;
        const char *unit; // may be NULL
        pid_t pid;
        const char *identifier;
        const char *text; // already escaped
        int error;
        const char *const *fields;
};

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
        for (const char *const *f = r->fields; f && *f; f++) {
                CLEANUP(free) char *name = strndup(*f, strcspn(*f, "="));

                for (char *p = name; p && *p; p++)
                        *p = (char)tolower((unsigned char)*p);
                if (name && (*f)[strlen(name)])
                        put_field(b, name, *f + strlen(name) + 1);
        }
        if (r->error) {
                buf_printf(b, ",\"errno\":%d", r->error);
                put_field(b, "error", strerror(r->error));
        }
        put_field(b, "msg", r->text);
        buf_puts(b, "}\n");
}

static bool send_journal(const struct record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        struct iovec iov[FIELDS_MAX + 5];
        char *parts[5] = {NULL};
        size_t n = 0, n_parts = 0;

        buf_printf(&b, "MESSAGE=%s%s%s", r->text, r->error ? ": " : "",
                   r->error ? strerror(r->error) : "");
        if (b.error)
                return false;
        iov[n++] = (struct iovec){.iov_base = b.data, .iov_len = b.size};
        parts[n_parts++] = str_printf("PRIORITY=%d", r->level);
        if (r->unit)
                parts[n_parts++] = str_printf("UNIT=%s", r->unit);
        if (r->error)
                parts[n_parts++] = str_printf("ERRNO=%d", r->error);
        if (r->pid > 0)
                parts[n_parts++] = str_printf("OBJECT_PID=%d", r->pid);
        parts[n_parts++] =
                str_printf("SYSLOG_IDENTIFIER=%s", r->identifier ? r->identifier : "usherd");
        for (size_t i = 0; i < n_parts; i++)
                if (parts[i])
                        iov[n++] =
                                (struct iovec){.iov_base = parts[i], .iov_len = strlen(parts[i])};
        for (const char *const *f = r->fields; f && *f && n < ARRAY_SIZE(iov); f++)
                iov[n++] = (struct iovec){.iov_base = (void *)*f, .iov_len = strlen(*f)};
        bool is_sent = sd_journal_sendv(iov, (int)n) >= 0;

        for (size_t i = 0; i < n_parts; i++)
                free(parts[i]);
        return is_sent;
}

static void emit(const struct record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;
        int saved = errno;

        if (sink.target == LOG_TARGET_JOURNAL && send_journal(r)) {
                errno = saved;
                return;
        }
        if (sink.format == LOG_FORMAT_JSON)
                format_json(&b, r);
        else
                format_text(&b, r);
        if (sink.hook && !b.error)
                sink.hook(r->level, r->unit, buf_text(&b), sink.hook_data);
        report_dropped();
        if (b.error || !write_line(b.data, b.size))
                sink.dropped++;
        errno = saved;
}

static void write_v(int level, const char *unit, int error, const char *const *fields,
                    const char *fmt, va_list ap)
{
        char text[LINE_MAX_BYTES];

        vsnprintf(text, sizeof(text), fmt, ap);
        CLEANUP(free) char *safe = str_escape(text);
        struct record r = {.level = level,
                           .unit = unit,
                           .error = abs(error),
                           .fields = fields,
                           .text = safe ? safe : "(no memory for the message)"};

        emit(&r);
}

void log_write(int level, const char *fmt, ...)
{
        va_list ap;

        if (level > sink.level)
                return;
        va_start(ap, fmt);
        write_v(level, NULL, 0, NULL, fmt, ap);
        va_end(ap);
}

void log_unit(const char *unit, int level, int error, const char *fmt, ...)
{
        va_list ap;

        if (level > sink.level)
                return;
        va_start(ap, fmt);
        write_v(level, unit, error, NULL, fmt, ap);
        va_end(ap);
}

void log_unit_fields(const char *unit, int level, int error, const char *const *fields,
                     const char *fmt, ...)
{
        va_list ap;

        if (level > sink.level)
                return;
        va_start(ap, fmt);
        write_v(level, unit, error, fields, fmt, ap);
        va_end(ap);
}

void log_service_line(const char *unit, pid_t pid, const char *identifier, int level,
                      const char *line, size_t size)
{
        CLEANUP(free) char *raw = strndup(line, MIN(size, (size_t)LINE_MAX_BYTES));
        CLEANUP(free) char *safe = raw ? str_escape(raw) : NULL;
        struct record r = {
                .level = level, .unit = unit, .pid = pid, .identifier = identifier, .text = safe};

        if (safe)
                emit(&r);
        else
                sink.dropped++;
}
