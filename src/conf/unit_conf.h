// What a unit's files say: immutable after load, reference counted. The groups are made from the
// directive tables: each row is a field named like the directive in snake case, typed by its kind.
// Equal exec, kill and cgroup groups are shared (interned); a unit that sets nothing there points
// to the defaults.
#pragma once

#include "conf/kind.h"

// Fields of one group: every DIRECTIVE row makes one; MORE rows (several directives that fill one
// field, such as ListenStream= and ListenFIFO=) and UNACTED rows make none.
#ifndef CONF_FIELD // a mark on each field, for tests/lint/owners.sh
#define CONF_FIELD(section, name)
#endif
#define DIRECTIVE(section, name, field, kind, ...) kind_##kind##_t field CONF_FIELD(section, name);
#define MORE(...)
#define UNACTED(...)
struct unit_group {
#include "conf/directives/unit.def"
};
struct install_group {
#include "conf/directives/install.def"
};
struct socket_group {
#include "conf/directives/socket.def"
};
struct service_group {
#include "conf/directives/service.def"
};
struct exec_group {
#include "conf/directives/exec.def"
};
struct kill_group {
#include "conf/directives/kill.def"
};
struct cgroup_group {
#include "conf/directives/cgroup.def"
};
#undef DIRECTIVE
#undef MORE
#undef UNACTED

struct unit_conf {
        unsigned refs;
        char *id; // main name: of the file, or of the instance
        enum unit_type type;
        enum load_state load_state;
        char *load_error;        // why, when load_state is BAD_SETTING, ERROR or NOT_FOUND
        char **names;            // aliases (links), without id
        char *fragment_path;     // NULL: built in
        char **dropin_paths;     // in the order applied
        char **linked_wants;     // from .wants/ folders (systemd.unit(5))
        char **linked_requires;  // .requires/
        char **linked_upholds;   // .upholds/
        char **unacted;          // directives present that usher knows and does not act on
        const char *unguarded;   // one of them that limits the peers of its sockets; where network
                                 // sockets are not to be served so. NULL: none
        bool defers_instance;    // loaded from a template for all its instances (SPECIFIER_MARK
                                 // inside)
        bool needs_own_instance; // a mark stands where only a load of its own can fill it
                                 // (dependencies, conditions, ...)
        bool needs_own_plan;     // a mark stands, or stood, where only a spawn plan of its own can
                                 // fill it (User=, RuntimeDirectory=, ...)
        bool transient;          // made by `usherd run` or the like
        bool skips_listener;     // a Listen...= line was wrong, and is not among the ports

        const struct unit_group *unit;
        const struct install_group *install;
        const struct socket_group *socket;   // NULL for other types
        const struct service_group *service; // NULL for other types
        const struct exec_group *exec;       // NULL for targets
        const struct kill_group *kill;
        const struct cgroup_group *cgroup;
};

struct unit_conf *unit_conf_ref(struct unit_conf *conf);
void unit_conf_unref(struct unit_conf *conf); // NULL is fine
DEFINE_CLEANUP(unit_conf, struct unit_conf *, unit_conf_unref)
// The service that a socket starts; of one with Accept=yes the template. The name may have marks.
// New string. 0, -EINVAL (no such name can be), -ENOMEM.
int unit_conf_service_name(const struct unit_conf *socket, char **ret);
// The name that the descriptor of Listen line `line` (from 0) of a socket unit has; borrowed.
const char *unit_conf_fd_name(const struct unit_conf *socket, size_t line);
// Has the socket unit an IPv4 or IPv6 address, or a name that stands for some?
bool unit_conf_has_network(const struct unit_conf *socket);
// Why a socket of that conf is not to be served by that service: usher does not act on a directive
// of the service that limits its peers. New string; NULL: it may be served, or no memory.
char *unit_conf_why_unguarded(const struct unit_conf *socket, const struct unit_conf *service);
// What to do about such a directive, as the end of a message; new string, or NULL.
char *unit_conf_unguarded_advice(const char *directive);
// Would a unit that works with `old` do less with `fresh`, because the files have become wrong? Not
// where what they say has changed: a unit that is gone or masked is meant to be.
bool unit_conf_is_worse(const struct unit_conf *old, const struct unit_conf *fresh);
// Same meaning in every group (not: same files).
bool unit_conf_equal(const struct unit_conf *a, const struct unit_conf *b);
