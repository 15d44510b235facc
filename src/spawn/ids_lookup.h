// The answer of a look-up, for spawn/ids.c. Inside of spawn.
#pragma once

#include "spawn/ids.h"

// What the name services said about a user (a group). 0 and *ret; 1: it was not asked for;
// -ESRCH: there is none; -ETIMEDOUT: no answer. Reads the answer at its first call.
int ids_lookup_user(struct ids_lookup *lookup, const char *name, const struct ids_user **ret);
int ids_lookup_groups(struct ids_lookup *lookup, const char *user_name, const gid_t **ret,
                      size_t *ret_n);
int ids_lookup_group(struct ids_lookup *lookup, const char *name, gid_t *ret);
// Tests: a lookup that has got this answer. 0 or -ENOMEM.
int ids_lookup_new_answered(const char *user, char *const *groups, const char *answer, size_t size,
                            struct ids_lookup **ret);
