// What is done to the text of usher.conf before libconfuse sees it, because libconfuse 3.3 would do
// something else than what was meant, without a word: it counts lines wrongly behind comments,
// takes comments inside an assignment for values, replaces ${NAME} by the environment, drops
// characters it does not know, and is content with a block that is never closed.
#pragma once

#include "base/def.h"

struct cfgfile_scan {
        char *text;   // the same lines, comments blanked out
        char **names; // names that are assigned to, each once: libconfuse has to know them
        unsigned fault_line;
        const char *fault; // static text; NULL: none
};

// size bytes of text. 0 (look at fault), -ENOMEM. *ret is filled in either case and is released by
// cfgfile_scan_done().
int cfgfile_scan(const char *text, size_t size, struct cfgfile_scan *ret);
void cfgfile_scan_done(struct cfgfile_scan *scan);
static inline void cleanup_cfgfile_scan(struct cfgfile_scan *scan)
{
        cfgfile_scan_done(scan);
}
