// The log: to the journal, to syslog, or to stderr as text or JSON, one line for each event. Only
// core, bus, daemon and ctl log. Logging never waits: a line that the reader cannot take at once is
// dropped and counted. While there is no reader, lines go to stderr, and usherd tries to connect
// once a second.
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
// AUTO: the journal if stderr is a stream of the journal, otherwise stderr. 0, or -errno: the
// journal cannot be reached.
int log_set_target(enum log_target target, enum log_format format);
// Whether lines of text on stderr begin with time and level. AUTO: they do, unless the journal or
// the runtime of a container adds them.
void log_set_time(enum log_time time);
// For a user's supervisor, the journal's fields for units are USER_UNIT= and USER_INVOCATION_ID=.
void log_set_user(bool is_user);
// The target and the format in use; the target is never AUTO.
enum log_target log_get_target(void);
enum log_format log_get_format(void);
int log_level_from_name(const char *name); // "info", "7"; -EINVAL
void log_close(void);                      // back to stderr

// Logs a line that is not about a unit.
void log_write(int level, const char *fmt, ...) PRINTF(2, 3);
// Logs a line about a unit: the journal gets the field UNIT=, text begins with "UNIT: ". error (0:
// none) is appended as text and goes into ERRNO=.
void log_unit(const char *unit, int level, int error, const char *fmt, ...) PRINTF(4, 5);
// The same for one run of the unit, which the journal's field INVOCATION_ID= identifies.
void log_life(const char *unit, sd_id128_t invocation, int level, int error, const char *fmt, ...)
        PRINTF(5, 6);
// Where a line of a service comes from.
struct log_source {
        const char *unit;
        const char *identifier; // of syslog(3); may be NULL
        sd_id128_t invocation;  // null: unknown
        pid_t pid;              // of the sender
};
// Logs one line that a service printed; it may contain any bytes. priority is a level, or a level
// and a facility, combined as for syslog(3). A very long line is logged as several.
void log_service_line(const struct log_source *from, int priority, const char *line, size_t size);
uint64_t log_get_dropped(void); // lines dropped so far; for tests
struct log_line {
        int level;
        const char *unit; // NULL: the line is not about a unit
        pid_t pid;        // of the service that printed it; 0: usherd or usherctl logged it
        const char *text; // with the error's text, without a newline
};
// For tests and for the log that is kept in memory: every line is also passed to hook (NULL: none),
// which must not log.
void log_set_hook(void (*hook)(const struct log_line *line, void *data), void *data);
