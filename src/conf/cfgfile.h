// usher.conf: settings, and units as blocks, in libconfuse's language (usher.conf(5)). A block
// yields the same (name, value) lines as a unit file; which section a name belongs to is the
// table's to say, and the assignment is that of conf/assign.h: there is one meaning in two
// notations.
//
//         LogLevel = debug
//         socket "echo" {
//                 ListenStream = {"7", "[::1]:7"}
//                 Accept = yes
//         }
//         service "echo@" { ExecStart = '/bin/cat' }
//
// A value is quoted where it has blanks or any of "'#{}()+=,*. In double quotes libconfuse works on
// escapes; in single quotes only \\ and \' are special. Name = {a, b} is Name=a and Name=b; a name
// that comes again appends; Name = "" resets, as the empty assignment does.
#pragma once

#include "conf/settings.h"
#include "conf/trust.h"
#include "conf/types.h"

struct cfgfile_line {
        char *name, *value;
        unsigned line;
        const char *file; // of the block
};

struct cfgfile_block {
        char *name; // of the unit: "echo@.service"
        char *file; // where it is first given
        char *dir;  // of usher.conf: its rank on the unit path
        enum unit_type type;
        struct cfgfile_line *lines; // in the order in which they are written
        size_t n_lines, lines_capacity;
};

struct cfgfile;

// Read PATH and then PATH.d/*.conf, sorted by name. A missing PATH is fine (its .d is still read).
// Top-level settings go to *settings (initialised by the caller; NULL: read over).
// *settings may have been changed when it is refused: hand in ones of which a failure can be
// forgotten. 0; -EBADMSG: refused after at least one complaint with file and line; other -errno:
// the file could not be read (complained, too), -ENOMEM. The text is parsed in a child process,
// because libconfuse ends its process when memory runs out.
// trust: TRUST_ROOT refuses (-EBADMSG) a file, or a folder with one, that is not root's alone;
// TRUST_GIVEN: the command line names PATH, whose owner is trusted.
int cfgfile_load(const char *path, enum trust_mode trust, struct settings *settings,
                 struct diag *diag, struct cfgfile **ret);
// The same from what that child says (conf/cfgfile_parse.h), as if it had read PATH; the records
// are taken apart. Tests. -EIO: they are no records.
int cfgfile_from_records(const char *path, char *records, size_t size, struct settings *settings,
                         struct diag *diag, struct cfgfile **ret);
void cfgfile_free(struct cfgfile *c);
DEFINE_CLEANUP(cfgfile, struct cfgfile *, cfgfile_free)

const struct cfgfile_block *cfgfile_find(const struct cfgfile *c, const char *unit_name);
// All blocks; *position from 0; NULL at the end.
const struct cfgfile_block *cfgfile_next(const struct cfgfile *c, size_t *position);
// The files read, in order. For tests.
char *const *cfgfile_paths(const struct cfgfile *c);
