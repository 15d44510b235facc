// usher.conf: settings, and units as blocks, in libconfuse's language (usher.conf(5)). A block
// yields the same (name, value) lines as a unit file; the table says to which section a name
// belongs, and conf/assign.h makes the assignment, so that both notations have one meaning.
//
//         LogLevel = debug
//         socket "echo" {
//                 ListenStream = {"7", "[::1]:7"}
//                 Accept = yes
//         }
//         service "echo@" { ExecStart = '/bin/cat' }
//
// A value with blanks or any of "'#{}()+=,* is quoted. In double quotes libconfuse replaces
// escapes; in single quotes only \\ and \' are special. Name = {a, b} is Name=a and Name=b; a
// repeated name appends; Name = "" resets, as the empty assignment does.
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
        char *file; // where it first occurs
        char *dir;  // of usher.conf: its rank on the unit path
        enum unit_type type;
        struct cfgfile_line *lines; // in the order in which they are written
        size_t n_lines, lines_capacity;
};

struct cfgfile;

// Read PATH and then PATH.d/*.conf, sorted by name. A missing PATH is fine (its .d is still read).
// Top-level settings go to *settings (initialised by the caller; NULL: ignored). A failure may
// leave *settings changed, so pass a copy. 0; -EBADMSG: refused after at least one complaint with
// file and line; other -errno: the file could not be read (complained about), -ENOMEM. The text is
// parsed in a child process, because libconfuse ends its process when memory runs out. trust:
// TRUST_ROOT refuses (-EBADMSG) files and their folders if not only root may write them;
// TRUST_GIVEN: the command line names PATH, whose owner is trusted.
int cfgfile_load(const char *path, enum trust_mode trust, struct settings *settings,
                 struct diag *diag, struct cfgfile **ret);
// The same from the records of that child (conf/cfgfile_parse.h), as if it had read PATH; changes
// records. For tests. -EIO: they are no records.
int cfgfile_from_records(const char *path, char *records, size_t size, struct settings *settings,
                         struct diag *diag, struct cfgfile **ret);
void cfgfile_free(struct cfgfile *c);
DEFINE_CLEANUP(cfgfile, struct cfgfile *, cfgfile_free)

const struct cfgfile_block *cfgfile_find(const struct cfgfile *c, const char *unit_name);
// All blocks; *position from 0; NULL at the end.
const struct cfgfile_block *cfgfile_next(const struct cfgfile *c, size_t *position);
// The files read, in order. For tests.
char *const *cfgfile_paths(const struct cfgfile *c);
