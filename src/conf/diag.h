// Diagnostics of configuration: "FILE:LINE: text". conf never logs; the caller passes a sink.
#pragma once

#include "base/def.h"

enum diag_class {
        DIAG_NOTICE,  // accepted, but without effect (a directive that usher ignores)
        DIAG_WARNING, // the line is skipped, the unit is used
        DIAG_ERROR,   // the unit is refused
};

struct diag_entry {
        enum diag_class class;
        const char *unit; // may be NULL
        const char *file; // may be NULL
        unsigned line;    // 0: none
        const char *text;
};

struct diag {
        void (*emit)(struct diag *diag, const struct diag_entry *entry); // NULL: count only
        void *data;
        unsigned notices, warnings, errors; // counted by diag_report
};

// Counts, and passes the text on (cut at 2 KiB). diag may be NULL.
void diag_report(struct diag *diag, enum diag_class class, const char *unit, const char *file,
                 unsigned line, const char *fmt, ...) PRINTF(6, 7);
// "FILE:LINE: text", "FILE: text" or "UNIT: text" into buf; returns buf.
const char *diag_format(const struct diag_entry *entry, char *buf, size_t size);
