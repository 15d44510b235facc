// The format of a log line for each target.
#include "base/clock.h"
#include "base/log_priv.h"

#include <stdio.h>
#include <time.h>

// The beginning of a line of text: "2026-11-23T15:58:39.123+0000 info ".
static void put_time(struct buf *b, int level)
{
        usec_t now = clock_now_realtime();
        time_t second = (time_t)(now / USEC_PER_SEC);
        char date[32] = "", zone[16] = "";
        struct tm tm;

        if (localtime_r(&second, &tm)) {
                (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
                (void)strftime(zone, sizeof(zone), "%z", &tm);
        }
        buf_printf(b, "%s.%03u%s %s ", date, (unsigned)(now % USEC_PER_SEC / USEC_PER_MSEC), zone,
                   log_level_name(level));
}

static void put_text(struct buf *b, const struct log_record *r)
{
        buf_puts(b, r->text);
        if (r->error)
                buf_printf(b, ": %s", strerror(r->error));
}

void log_format_text(struct buf *b, const struct log_record *r, const struct log_style *style)
{
        if (style->has_prefix)
                buf_printf(b, "<%d>", r->level);
        if (style->has_time)
                put_time(b, r->level);
        if (r->unit && r->pid > 0)
                buf_printf(b, "%s[%d]: ", r->unit, r->pid);
        else if (r->unit)
                buf_printf(b, "%s: ", r->unit);
        put_text(b, r);
        buf_putc(b, '\n');
}

// ---- JSON: usherctl(1) has the table of the names, which `usherctl logs -o json` uses as well

static void put_field(struct buf *b, const char *name, const char *value)
{
        buf_printf(b, ",\"%s\":", name);
        buf_put_json(b, value);
}

void log_format_json(struct buf *b, const struct log_record *r)
{
        CLEANUP(buf) struct buf text = BUF_NULL;
        usec_t now = clock_now_realtime();

        put_text(&text, r);
        if (text.error && !b->error)
                b->error = text.error;
        buf_printf(b, "{\"time\":%llu.%06llu", (unsigned long long)(now / USEC_PER_SEC),
                   (unsigned long long)(now % USEC_PER_SEC));
        put_field(b, "level", log_level_name(r->level));
        if (r->unit)
                put_field(b, "unit", r->unit);
        if (r->invocation)
                put_field(b, "invocation", r->invocation);
        if (r->pid > 0)
                buf_printf(b, ",\"pid\":%d", r->pid);
        if (r->identifier)
                put_field(b, "identifier", r->identifier);
        if (r->error)
                buf_printf(b, ",\"errno\":%d", r->error);
        put_field(b, "message", buf_text(&text));
        buf_puts(b, "}\n");
}

// ---- the journal

// One field in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a value with a
// newline is preceded by its size, 64 bits in little-endian order.
static void put_journal(struct buf *b, const char *name, const char *value)
{
        size_t size = strlen(value);

        buf_puts(b, name);
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

// Puts the unit into the fields by which journalctl finds it: `--user-unit` matches USER_UNIT= of
// the user's own processes; `-u` matches UNIT= of PID 1 and OBJECT_SYSTEMD_UNIT= of root's
// processes, but no field that another process can set (tried with systemd 252).
static void put_unit(struct buf *b, const struct log_record *r, const struct log_style *style)
{
        if (r->unit)
                put_journal(b, style->is_user ? "USER_UNIT" : "UNIT", r->unit);
        if (r->unit && !style->is_user)
                put_journal(b, "OBJECT_SYSTEMD_UNIT", r->unit);
        if (r->invocation)
                put_journal(b, style->is_user ? "USER_INVOCATION_ID" : "INVOCATION_ID",
                            r->invocation);
}

void log_format_journal(struct buf *b, const struct log_record *r, const struct log_style *style)
{
        buf_printf(b, "PRIORITY=%d\n", r->level);
        put_journal(b, "SYSLOG_IDENTIFIER",
                    r->identifier ? r->identifier : program_invocation_short_name);
        if (r->facility > 0)
                buf_printf(b, "SYSLOG_FACILITY=%d\n", r->facility);
        put_unit(b, r, style);
        if (r->pid > 0)
                buf_printf(b, "SYSLOG_PID=%d\nOBJECT_PID=%d\n", r->pid, r->pid);
        if (r->error)
                buf_printf(b, "ERRNO=%d\n", r->error);
        buf_puts(b, "MESSAGE=");
        put_text(b, r);
        buf_putc(b, '\n');
}

// ---- syslog

// strftime(3) would use the locale's names, but syslog expects the English ones.
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void log_format_syslog(struct buf *b, const struct log_record *r)
{
        time_t second = (time_t)(clock_now_realtime() / USEC_PER_SEC);
        int facility = r->pid > 0 ? r->facility : LOG_FAC(LOG_DAEMON);
        struct tm tm;

        buf_printf(b, "<%d>", LOG_MAKEPRI(facility << 3, r->level));
        if (localtime_r(&second, &tm))
                buf_printf(b, "%s %2d %02d:%02d:%02d ", months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
                           tm.tm_min, tm.tm_sec);
        buf_printf(b, "%s[%d]: ", r->identifier ? r->identifier : program_invocation_short_name,
                   r->pid > 0 ? r->pid : getpid());
        if (r->unit)
                buf_printf(b, "%s: ", r->unit);
        put_text(b, r);
}
