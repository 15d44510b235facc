// Checks the text of usher.conf before libconfuse parses it, because libconfuse 3.3 silently
// misinterprets some texts: it counts lines wrongly after comments, treats comments inside an
// assignment as values, replaces ${NAME} from the environment, drops unknown characters, and
// accepts a block that is never closed.
#pragma once

#include "base/def.h"

struct cfgfile_scan {
        char *text;   // the same lines, comments blanked out
        char **names; // names that are assigned to, each once: libconfuse has to know them
        unsigned fault_line;
        const char *fault; // static text; NULL: none
};

// Scans size bytes of text. 0 (check fault), -ENOMEM. *ret is filled in either case and is released
// by cfgfile_scan_done().
int cfgfile_scan(const char *text, size_t size, struct cfgfile_scan *ret);
void cfgfile_scan_done(struct cfgfile_scan *scan);
static inline void cleanup_cfgfile_scan(struct cfgfile_scan *scan)
{
        cfgfile_scan_done(scan);
}
