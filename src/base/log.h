// The log: to the journal, to syslog, or to stderr as text or JSON, one line for each event. Only
// core, bus, daemon and ctl log. It never waits: a line that the reader does not take is dropped
// and counted, and a reader that is gone is looked for again each second, while lines go to stderr.
#pragma once

#include "base/def.h"
#include "base/log_target.h"

#include <syslog.h>
#include <systemd/sd-id128.h>

enum log_time { LOG_TIME_AUTO, LOG_TIME_NO, LOG_TIME_YES, _LOG_TIME_MAX };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, _LOG_FORMAT_MAX };

// Levels are syslog's: LOG_ERR operator must act; LOG_WARNING refused or degraded; LOG_NOTICE state
// change; LOG_INFO per connection; LOG_DEBUG why.
void log_set_level(int level);
int log_get_level(void);
const char *log_level_name(int level); // "info"
// AUTO: the journal when stderr is its stream, else stderr. 0, or -errno: there is no journal.
int log_set_target(enum log_target target, enum log_format format);
// Time and level in front of lines of text on stderr; AUTO: unless a journal or the runtime of a
// container adds them.
void log_set_time(enum log_time time);
// A user's supervisor: the journal's fields for units are USER_UNIT= and USER_INVOCATION_ID=.
void log_set_user(bool is_user);
// What counts at present: never AUTO.
enum log_target log_get_target(void);
enum log_format log_get_format(void);
int log_level_from_name(const char *name); // "info", "7"; -EINVAL
void log_close(void);                      // back to stderr

// A line about no unit.
void log_write(int level, const char *fmt, ...) PRINTF(2, 3);
// A line about a unit: UNIT= field, and "UNIT: " in front in text. error (0: none) is appended as
// text and goes into ERRNO=.
void log_unit(const char *unit, int level, int error, const char *fmt, ...) PRINTF(4, 5);
// The same, about one life of it: INVOCATION_ID= in the journal.
void log_life(const char *unit, sd_id128_t invocation, int level, int error, const char *fmt, ...)
        PRINTF(5, 6);
// Where a line of a service comes from.
struct log_source {
        const char *unit;
        const char *identifier; // of syslog(3); may be NULL
        sd_id128_t invocation;  // null: not known
        pid_t pid;              // of the sender
};
// One line that a service printed, whatever bytes it holds; level and maybe a facility, as
// syslog(3) puts them together. A very long one goes out as several.
void log_service_line(const struct log_source *from, int priority, const char *line, size_t size);
uint64_t log_get_dropped(void); // lines dropped so far; for tests
struct log_line {
        int level;
        const char *unit; // NULL: about none
        pid_t pid;        // of the service that printed it; 0: a line of our own
        const char *text; // with the error's text, without a newline
};
// Tests and views of a unit: also hand every line to hook (NULL: none), which must not log.
void log_set_hook(void (*hook)(const struct log_line *line, void *data), void *data);
