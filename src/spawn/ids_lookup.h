// The answer of a look-up, for spawn/ids.c. Private to spawn.
#pragma once

#include "spawn/ids.h"

// What the name services said about a user (a group). 0 and *ret; 1: it was not requested; -ESRCH:
// there is none; -ETIMEDOUT: no answer. The first call parses the answer.
int ids_lookup_user(struct ids_lookup *lookup, const char *name, const struct ids_user **ret);
int ids_lookup_groups(struct ids_lookup *lookup, const char *user_name, const gid_t **ret,
                      size_t *ret_n);
int ids_lookup_group(struct ids_lookup *lookup, const char *name, gid_t *ret);
// For tests: a look-up that has this answer. 0 or -ENOMEM.
int ids_lookup_new_answered(const char *user, char *const *groups, const char *answer, size_t size,
                            struct ids_lookup **ret);
