// The content of a unit's files: immutable after load, reference counted. The groups are made from
// the directive tables: each row is a field with the directive's name in snake case and the type of
// its kind. Equal exec, kill and cgroup groups are shared (interned); a unit that sets none of
// their fields points to the defaults.
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
        char *load_error;        // the reason, if load_state is BAD_SETTING, ERROR or NOT_FOUND
        char **names;            // aliases (links), without id
        char *fragment_path;     // NULL: built in
        char **dropin_paths;     // in the order applied
        char **linked_wants;     // from .wants/ folders (systemd.unit(5))
        char **linked_requires;  // .requires/
        char **linked_upholds;   // .upholds/
        char **unacted;          // directives of the unit that usher knows, but that have no effect
        const char *unguarded;   // one of them that limits the peers of its sockets, for
                                 // which network sockets are refused. NULL: none
        bool defers_instance;    // loaded from a template for all its instances (SPECIFIER_MARK
                                 // inside)
        bool needs_own_instance; // has a mark that only a separate load can fill
                                 // (dependencies, conditions, ...)
        bool needs_own_plan;     // has or had a mark that only a separate spawn plan can
                                 // fill it (User=, RuntimeDirectory=, ...)
        bool transient;          // made by `usherd run` or the like
        bool skips_listener;     // an invalid Listen...= line is missing among the ports

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
// The service that a socket starts; for Accept=yes its template. The name may have marks. New
// string. 0, -EINVAL (no valid name), -ENOMEM.
int unit_conf_service_name(const struct unit_conf *socket, char **ret);
// The name of the descriptor of Listen line `line` (from 0) of a socket unit; borrowed.
const char *unit_conf_fd_name(const struct unit_conf *socket, size_t line);
// Does the socket unit have an IPv4 or IPv6 address, or a host name?
bool unit_conf_has_network(const struct unit_conf *socket);
// Why that service must not serve the socket: usher does not act on a directive of the service that
// limits its peers. New string; NULL: it may serve the socket, or no memory.
char *unit_conf_why_unguarded(const struct unit_conf *socket, const struct unit_conf *service);
// What to do about such a directive, as the end of a message; new string, or NULL.
char *unit_conf_unguarded_advice(const char *directive);
// Would a unit that works with `old` do less with `fresh`, because its files have become invalid?
// False if it was removed or masked, which is intended.
bool unit_conf_is_worse(const struct unit_conf *old, const struct unit_conf *fresh);
// Same meaning in every group (not: same files).
bool unit_conf_equal(const struct unit_conf *a, const struct unit_conf *b);
