// What conf/lint.c and the rules of conf/lint_rules.c share; nobody else includes this.
#pragma once

#include "conf/lint.h"

struct seen_port; // an address that a unit checked earlier listens on

struct lint {
        struct lint_options options;
        struct conf_loader *loader;
        char *extra_dir; // in front of the path; NULL: none
        bool is_all;     // services are looked at by themselves
        struct seen_port *ports;
        size_t n_ports;
};

// A unit that another one names, loaded in silence. A name that is completed for each instance
// ("con@%i.service") stands for its template; one that begins so gives NULL. 0 or -errno.
int lint_load_named(struct lint *l, const char *name, struct unit_conf **ret);

// ---- lint_rules.c: complaints about a unit that could be loaded. All: 0 or -errno.

// Units that it requires and that are not there, or that it both requires and conflicts with.
int lint_check_requirements(struct lint *l, const struct unit_conf *conf);
// Users and groups that this machine does not have.
void lint_check_users(struct lint *l, const struct unit_conf *conf);
// Environment files with which others could have root's processes load what they like. (The unit
// names the path, so usherd takes it from whoever has written it.)
void lint_check_environment_files(struct lint *l, const struct unit_conf *conf);
// Addresses that are listened on twice, in this unit or with one that was checked before.
int lint_check_ports(struct lint *l, const struct unit_conf *conf);
// Restart= of a service whose instances are not restarted.
void lint_check_restart(struct lint *l, const struct unit_conf *socket,
                        const struct unit_conf *service);
// What commands of the service print to the peer, or into the FIFO that they read.
void lint_check_output(struct lint *l, const struct unit_conf *socket,
                       const struct unit_conf *service);
void lint_ports_done(struct lint *l);
