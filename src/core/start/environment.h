// The manager's environment block, which every service starts from: what is built in (or what the
// supervisor passes on), then DefaultEnvironment=, then what clients have set. Clients change only
// their own part: a variable that they unset has its built-in value again. Conditions and the bus
// property Environment= see the same block. core/unit/manager.c owns it; a reload lays it out
// again, and clients keep their part.
#pragma once

#include "spawn/plan.h"

// Bounds of what clients set.
#define ENVIRONMENT_VARIABLES_MAX 1024
#define ENVIRONMENT_BYTES_MAX (256u << 10)

struct environment {
        struct spawn_environment inherited;
        char **base;   // without the clients' part
        char **client; // what clients have set
};

struct environment_source {
        char *const *own;      // the supervisor's, as it was started
        char *const *manager;  // ManagerEnvironment=: joins it
        char *const *defaults; // DefaultEnvironment=
        bool passes_all;       // services inherit own and manager, too
};

int environment_new(struct environment **ret); // empty; 0 or -ENOMEM
void environment_free(struct environment *e);  // NULL is fine
DEFINE_CLEANUP(environment, struct environment *, environment_free)

// 0 or -ENOMEM (nothing was changed).
int environment_lay_out(struct environment *e, const struct environment_source *source);

enum environment_outcome {
        ENVIRONMENT_CHANGED = 0,
        ENVIRONMENT_BAD_NAME,       // unset has what is neither a name nor an assignment
        ENVIRONMENT_BAD_ASSIGNMENT, // set has none, or two of one name
        ENVIRONMENT_TOO_LARGE,      // clients would have set more than the bounds allow
};

// Removes the names or assignments of unset from the clients' part, then adds those of set (either
// may be NULL). Variables that are for one process (spawn_environment_is_for_one()) are left out. A
// documented outcome, or -ENOMEM; nothing is changed but in the first case.
int environment_change(struct environment *e, char *const *unset, char *const *set);
