// A record of the log and its format for each target. For base/log*.c only.
#pragma once

#include "base/buf.h"
#include "base/log.h"

struct log_record {
        int level, facility;    // of syslog(3), without the shift; facility 0: none
        const char *unit;       // may be NULL
        const char *invocation; // 32 hex digits, or NULL
        pid_t pid;              // of the service that printed it; 0: usherd or usherctl logged it
        const char *identifier;
        const char *text; // already escaped
        int error;
};

struct log_style {
        bool is_user;    // a user's supervisor: the journal's field for its units is USER_UNIT=
        bool has_prefix; // the journal reads stderr, so a line begins with its level, "<N>"
        bool has_time;   // a line of text begins with time and level
};

void log_format_text(struct buf *b, const struct log_record *r, const struct log_style *style);
void log_format_json(struct buf *b, const struct log_record *r);
void log_format_journal(struct buf *b, const struct log_record *r, const struct log_style *style);
// The format of syslog(3), without a newline: "<30>Nov 23 15:58:39 usherd[1]: text".
void log_format_syslog(struct buf *b, const struct log_record *r);

// Writes the record without waiting; false: it was dropped.
bool log_sink_write(const struct log_record *r);
