#include "base/log.h"

#include "base/buf.h"
#include "base/log_priv.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>

// Records are made here, formatted in base/log_format.c, and written by base/log_sink.c.

#define LINE_MAX_BYTES 8192

static struct {
        int level;
        uint64_t dropped, dropped_reported;
        void (*hook)(const struct log_line *line, void *data);
        void *hook_data;
} state = {.level = LOG_INFO};

static const char *const level_names[] = {"emerg",   "alert",  "crit", "err",
                                          "warning", "notice", "info", "debug"};

void log_set_level(int level)
{
        state.level = level;
}

int log_get_level(void)
{
        return state.level;
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

uint64_t log_get_dropped(void)
{
        return state.dropped;
}

void log_set_hook(void (*hook)(const struct log_line *line, void *data), void *data)
{
        state.hook = hook;
        state.hook_data = data;
}

static void call_hook(const struct log_record *r)
{
        CLEANUP(buf) struct buf b = BUF_NULL;

        if (!state.hook)
                return;
        buf_puts(&b, r->text);
        if (r->error)
                buf_printf(&b, ": %s", strerror(r->error));
        if (b.error)
                return;
        const struct log_line line = {
                .level = r->level, .unit = r->unit, .pid = r->pid, .text = buf_text(&b)};

        state.hook(&line, state.hook_data);
}

static void emit(const struct log_record *r)
{
        int saved = errno;

        call_hook(r);
        if (state.dropped > state.dropped_reported) {
                char text[128];
                struct log_record report = {.level = LOG_WARNING, .text = text};

                snprintf(text, sizeof(text),
                         "%llu log lines were dropped, since the reader was too slow",
                         (unsigned long long)(state.dropped - state.dropped_reported));
                if (log_sink_write(&report))
                        state.dropped_reported = state.dropped;
        }
        if (!log_sink_write(r))
                state.dropped++;
        errno = saved;
}

static const char *id_text(const sd_id128_t *id, char *text)
{
        return id && !sd_id128_is_null(*id) ? sd_id128_to_string(*id, text) : NULL;
}

PRINTF(5, 0)
static void write_v(int level, const char *unit, const sd_id128_t *invocation, int error,
                    const char *fmt, va_list ap)
{
        char id[SD_ID128_STRING_MAX];
        char text[LINE_MAX_BYTES];
        int saved = errno;

        if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
                memcpy(text + sizeof(text) - 4, "...", 4);
        CLEANUP(free) char *safe = str_escape(text);
        struct log_record r = {.level = level,
                               .unit = unit,
                               .invocation = id_text(invocation, id),
                               .error = abs(error),
                               .text = safe ? safe : "(no memory for the message)"};

        errno = saved;
        emit(&r);
}

void log_write(int level, const char *fmt, ...)
{
        va_list ap;

        if (level > state.level)
                return;
        va_start(ap, fmt);
        write_v(level, NULL, NULL, 0, fmt, ap);
        va_end(ap);
}

void log_unit(const char *unit, int level, int error, const char *fmt, ...)
{
        va_list ap;

        if (level > state.level)
                return;
        va_start(ap, fmt);
        write_v(level, unit, NULL, error, fmt, ap);
        va_end(ap);
}

void log_life(const char *unit, sd_id128_t invocation, int level, int error, const char *fmt, ...)
{
        va_list ap;

        if (level > state.level)
                return;
        va_start(ap, fmt);
        write_v(level, unit, &invocation, error, fmt, ap);
        va_end(ap);
}

// Writes a NUL byte as \x00, since str_escape() would take it for the end of the string.
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

void log_service_line(const struct log_source *from, int priority, const char *line, size_t size)
{
        char id[SD_ID128_STRING_MAX];
        struct log_record r = {.level = LOG_PRI(priority),
                               .facility = LOG_FAC(priority),
                               .unit = from->unit,
                               .invocation = id_text(&from->invocation, id),
                               .pid = from->pid,
                               .identifier = from->identifier};

        if (size > 0 && line[size - 1] == '\n')
                size--;
        do {
                CLEANUP(buf) struct buf b = BUF_NULL;
                size_t n = MIN(size, (size_t)LINE_MAX_BYTES);

                // A long line is split between characters, never within one.
                for (int i = 0; i < 3 && n < size && ((unsigned char)line[n] & 0xc0) == 0x80; i++)
                        n--;
                if (put_escaped(&b, line, n) < 0) {
                        state.dropped++;
                } else {
                        r.text = buf_text(&b);
                        emit(&r);
                }
                line += n;
                size -= n;
        } while (size > 0);
}
