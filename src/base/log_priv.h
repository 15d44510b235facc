// One record of the log, and how each target wants it written. For base/log*.c only.
#pragma once

#include "base/buf.h"
#include "base/log.h"

struct log_record {
        int level, facility;    // of syslog(3), without the shift; facility 0: none
        const char *unit;       // may be NULL
        const char *invocation; // 32 hex digits, or NULL
        pid_t pid;              // of the service that printed it; 0: a line of our own
        const char *identifier;
        const char *text; // already escaped
        int error;
};

struct log_style {
        bool is_user;    // the supervisor is a user's: its units are USER_UNIT= in the journal
        bool has_prefix; // the journal reads stderr: "<N>" tells the level
        bool has_time;   // time and level in front of a line of text
};

void log_format_text(struct buf *b, const struct log_record *r, const struct log_style *style);
void log_format_json(struct buf *b, const struct log_record *r);
void log_format_journal(struct buf *b, const struct log_record *r, const struct log_style *style);
// As syslog(3) writes it: "<30>Nov 23 15:58:39 usherd[1]: text", without an end.
void log_format_syslog(struct buf *b, const struct log_record *r);

// Writes without waiting; false: the line is lost.
bool log_sink_write(const struct log_record *r);
