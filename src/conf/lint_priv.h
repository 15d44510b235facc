// Shared by conf/lint.c and the rules of conf/lint_rules.c; no other file includes it.
#pragma once

#include "conf/lint.h"

struct seen_port; // an address that a unit checked earlier listens on

struct lint {
        struct lint_options options;
        struct conf_loader *loader;
        char *extra_dir; // in front of the path; NULL: none
        bool is_all;     // services are checked by themselves
        struct seen_port *ports;
        size_t n_ports;
};

// Loads a unit that another one names, without complaints. A name that is completed for each
// instance
// ("con@%i.service") means its template; one that begins with the instance gives NULL. 0 or -errno.
int lint_load_named(struct lint *l, const char *name, struct unit_conf **ret);

// ---- lint_rules.c: complaints about a loaded unit. All: 0 or -errno.

// Required units that do not exist, or with which the unit also conflicts.
int lint_check_requirements(struct lint *l, const struct unit_conf *conf);
// Users and groups that this machine does not have.
void lint_check_users(struct lint *l, const struct unit_conf *conf);
// What is said of connections that the service accepts by itself.
void lint_check_connections(struct lint *l, const struct unit_conf *conf);
// Environment files through which other users could make root's processes load any code: usherd
// reads the file that the unit names, whoever has written it.
void lint_check_environment_files(struct lint *l, const struct unit_conf *conf);
// Addresses that occur twice, in this unit or in one that was checked before.
int lint_check_ports(struct lint *l, const struct unit_conf *conf);
// Restart= of a service whose instances are not restarted.
void lint_check_restart(struct lint *l, const struct unit_conf *socket,
                        const struct unit_conf *service);
// Commands of the service whose output goes to the peer, or into the FIFO that they read.
void lint_check_output(struct lint *l, const struct unit_conf *socket,
                       const struct unit_conf *service);
void lint_ports_done(struct lint *l);
