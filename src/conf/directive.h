// The table: one row for each directive (src/conf/directives/*.def). All code about directives
// walks it: assignment, libconfuse options, defaults, diagnostics, canonical dump, bus
// properties, manual pages, completions, fuzz dictionary, the parse test.
//
// Row forms: some fixed columns, then named members of struct directive; missing ones are zero.
//   DIRECTIVE(section, Name, field, kind, .default_ = "no", .example = "yes", .owner = "...", ...)
//            defines the field, of the kind's C type
//   MORE     (section, Name, field, kind, ...)
//            another directive that fills an existing field (.arg identifies it for the kind: a
//            port type, a condition type, an obsolete alias, ...)
//   UNACTED  (section, Name, how, ...)
//            known to systemd; how: enum directive_how. A value of "no", the default and the empty
//            one request nothing, and cause neither notice nor refusal (conf/unacted.h).
// section: Unit, Install, Socket, Service, or Exec, Kill, Cgroup (valid in Socket and Service).
#pragma once

#include "conf/kind.h"

struct unit_conf;

enum directive_flags {
        DIRECTIVE_OBSOLETE = 1 << 0,   // accepted with a notice
        DIRECTIVE_SPECIFIER = 1 << 1,  // % is expanded
        DIRECTIVE_USHER = 1 << 2,      // X- key of usher
        DIRECTIVE_NEWER = 1 << 3,      // newer than v255
        DIRECTIVE_SECURITY = 1 << 4,   // an invalid value refuses the unit (never fails open); of a
                                       // row that is not acted on: the unit has more rights
        DIRECTIVE_HIDDEN = 1 << 5,     // not a bus property
        DIRECTIVE_IN_SERVICE = 1 << 6, // a row of [Unit] that is valid in [Service], too
        DIRECTIVE_INERT = 1 << 7,      // parsed, without effect: a notice if it is not the default
        DIRECTIVE_SECRET = 1 << 8,     // empty on the bus for users who may only read
        DIRECTIVE_AT_START = 1 << 9,   // expanded at each start, so that instances share a plan
};

enum directive_how {
        DIRECTIVE_ACTED,
        DIRECTIVE_IGNORE, // ignored with a notice
        DIRECTIVE_REFUSE, // the unit is refused: ignoring it would lower security
        // Ignored with a notice: the unit's sockets answer more peers than it allows. A socket
        // unit with network addresses is refused, and so are those that trigger such a service
        // (EXPOSES_SOCKET: these are not, since a service gets its sockets from outside).
        DIRECTIVE_EXPOSES,
        DIRECTIVE_EXPOSES_SOCKET,
        DIRECTIVE_SILENT, // obsolete, ignored without a notice
};

enum conf_group {
        GROUP_UNIT,
        GROUP_INSTALL,
        GROUP_SOCKET,
        GROUP_SERVICE,
        GROUP_EXEC,
        GROUP_KILL,
        GROUP_CGROUP,
        _GROUP_MAX,
};

// An option of setsockopt(2) that is set to the directive's value on the sockets to which its level
// applies: SOL_SOCKET to all, IPPROTO_IP also to IPv6 sockets if the row has none for IPPROTO_IPV6.
struct directive_sockopt {
        uint8_t level, option; // option 0: none
};

#define DIRECTIVE_SOCKOPTS 2

// Packed: relocation of the pointers makes the pages of the rows private to each process.
struct directive {
        const char *name;
        enum conf_group group : 3;
        enum directive_how how : 3;
        bool is_more : 1; // MORE row
        unsigned flags : 10;
        unsigned offset : 15;                                 // of the field in its group's struct
        struct directive_sockopt sockopt[DIRECTIVE_SOCKOPTS]; // of listeners and connections
        const struct kind *kind;                              // NULL if it has no effect
        union {                                               // its meaning belongs to the kind
                intptr_t arg;                                 // a port type, a condition type, ...
                const void *table; // the names of an enum, the range of a number
        };
        const char *default_; // as text; NULL: the empty one (and none for MORE and UNACTED)
        const char *example;  // an accepted value, for tests, fuzzers, the manual
        const char *bad;      // a value that causes a complaint; NULL: all are accepted
        const char *owner;    // the file below src that acts on it
        const char *doc;      // one line of prose
};

// Is it not acted on, so that a unit that sets it has more rights, or more peers, than it asks for?
bool directive_lowers_security(const struct directive *d);
// Rows of a group, in table order.
const struct directive *directive_table(enum conf_group group, size_t *ret_n);
// Those of [Socket] that have a socket option: each connection sets them, and they are few.
const struct directive *const *directive_sockopt_rows(size_t *ret_n);
size_t conf_group_size(enum conf_group group);
// The row for NAME in [section] of a unit of that type; NULL: unknown.
const struct directive *directive_find(enum unit_type type, const char *section, const char *name);
// Is it a section of this unit type (or X-...)?
bool directive_has_section(enum unit_type type, const char *section);
// The known name nearest to a misspelt one; NULL: none is near. Public for tests.
const char *directive_nearest(enum unit_type type, const char *section, const char *name);
// " Is 'ListenStream' meant?" for a misspelt name, " Is one of 'ListenStream', ... meant?" for one
// that several known names begin with, "" if neither applies. Appended to b.
struct buf;
void directive_hint(enum unit_type type, const char *section, const char *name, struct buf *b);
// Walk all rows that are valid in a unit type (all its groups): *position from 0; NULL at the end.
const struct directive *directive_next(enum unit_type type, size_t *position);
// Address of a directive's value inside a conf; NULL if the conf has no such group.
const void *directive_value(const struct directive *d, const struct unit_conf *conf);
// The lists of commands that a unit of this type may have (ExecStartPre=, ...), in the order in
// which they are run: *position from 0; NULL at the end. ret_name: the directive's; or NULL.
const struct command_list *directive_next_commands(const struct unit_conf *conf, size_t *position,
                                                   const char **ret_name);
// The list of the directive of that name; NULL: a unit of this type has no such list.
const struct command_list *directive_commands(const struct unit_conf *conf, const char *name);
