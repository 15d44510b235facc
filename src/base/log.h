// The log sink: journal with fields where there is one, else stderr, one line an event, text or
// JSON. Only core, bus, daemon and ctl log. Never blocks: a sink that cannot take a line drops it
// and counts.
#pragma once

#include "base/def.h"

#include <syslog.h>

enum log_target { LOG_TARGET_AUTO, LOG_TARGET_STDERR, LOG_TARGET_JOURNAL, _LOG_TARGET_MAX };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON, _LOG_FORMAT_MAX };

// Levels are syslog's: LOG_ERR operator must act; LOG_WARNING refused or degraded; LOG_NOTICE state
// change; LOG_INFO per connection; LOG_DEBUG why.
void log_set_level(int level);
int log_get_level(void);
const char *log_level_name(int level); // "info"
// AUTO: the journal when stderr is its stream, else stderr. 0, or -errno: there is no journal.
int log_set_target(enum log_target target, enum log_format format);
// What counts at present: never AUTO.
enum log_target log_get_target(void);
enum log_format log_get_format(void);
const char *log_target_name(enum log_target target); // "stderr"
int log_target_from_name(const char *name);          // -EINVAL
int log_level_from_name(const char *name);           // "info", "7"; -EINVAL
void log_close(void);                                // back to stderr

// A line about no unit.
void log_write(int level, const char *fmt, ...) PRINTF(2, 3);
// A line about a unit: UNIT= field, and "UNIT: " in front in text. error (0: none) is appended as
// text and goes into ERRNO=.
void log_unit(const char *unit, int level, int error, const char *fmt, ...) PRINTF(4, 5);
// One line that a service printed, whatever bytes it holds: unit, sender's pid, syslog identifier
// (may be NULL), level and maybe a facility, as syslog(3) puts them together. A very long one goes
// out as several.
void log_service_line(const char *unit, pid_t pid, const char *identifier, int priority,
                      const char *line, size_t size);
uint64_t log_get_dropped(void); // lines dropped so far; for tests
struct log_line {
        int level;
        const char *unit; // NULL: about none
        pid_t pid;        // of the service that printed it; 0: a line of our own
        const char *text; // with the error's text, without a newline
};
// Tests and views of a unit: also hand every line to hook (NULL: none), which must not log.
void log_set_hook(void (*hook)(const struct log_line *line, void *data), void *data);
