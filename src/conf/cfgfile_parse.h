// The part of usher.conf's parsing that runs in a child process: libconfuse.
#pragma once

#include "base/buf.h"
#include "conf/cfgfile_scan.h"

// The child's output, as records in a buffer: a letter, then strings that each end in a NUL.
enum cfgfile_record {
        CFGFILE_VALUE = 'v',   // block type, title, name, value, line
        CFGFILE_SETTING = 's', // name, value, line
        CFGFILE_BLOCK = 'b',   // block type, title: each block, after the values
        CFGFILE_FAULT = 'e',   // line, text; nothing follows
};
#define CFGFILE_FIELDS_MAX 5

// Parses the scanned text and appends records. 0, or -ENOMEM. May also end the process: call it
// only in a child (or in a test).
int cfgfile_parse(const struct cfgfile_scan *scan, struct buf *records);

// The same in a child process. 0, -ENOMEM, -EIO: the child died; other -errno of pipe and fork.
int cfgfile_parse_apart(const struct cfgfile_scan *scan, char **ret_records, size_t *ret_size);
