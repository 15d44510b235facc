// The syntax of unit files (systemd.syntax(7)): sections, assignments, comments,
// continuation lines. It knows no directives: each line is passed to the caller, in file order.
// Used for loading (conf/load.c) and for [Install] of units that are only linked (conf/install.c).
#pragma once

#include "conf/diag.h"

#define INI_LINE_MAX ((size_t)1024 * 1024) // of a line, continuation lines included
#define INI_FILE_MAX ((size_t)64 * 1024 * 1024)

struct ini_sink {
        // Does the unit have this section? false: its lines are skipped (a complaint was made here,
        // but for X- sections). NULL: every section that has a name.
        bool (*has_section)(void *data, const char *section);
        // One assignment; the strings are valid only during the call. A negative result ends the
        // parse.
        int (*assign)(void *data, const char *section, const char *name, const char *value,
                      const char *file, unsigned line);
        void *data;
        const char *unit; // for complaints; may be NULL
        struct diag *diag;
};

// Parse text of size bytes; file is its name in complaints. line is the number of the last line
// of an assignment, as in systemd. 0; -EBADMSG, -EINVAL, -ENOBUFS: the file as a
// whole is refused, after a complaint (bad section header, no UTF-8, line too long); other
// negative: the result of assign, -ENOMEM.
int ini_parse(const char *text, size_t size, const char *file, const struct ini_sink *sink);
// The same for an open file, path being its name. Also returns errors of reading (-EISDIR,
// -EFBIG, ...), without a complaint.
int ini_parse_fd(int fd, const char *path, const struct ini_sink *sink);
