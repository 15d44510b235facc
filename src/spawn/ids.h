// Users and groups by name. The local files (/etc/passwd, /etc/group) are read in this process;
// what these lack is asked of the other name services (nsswitch.conf) in a short-lived process with
// a time limit, since such a service may hang, or wait for a daemon that the supervisor has yet to
// start. Nothing is cached here.
//
// Called by spawn/plan, and by core for SocketUser= and SocketGroup=.
#pragma once

#include "base/fail.h"

#include <sys/types.h>

#define IDS_GROUPS_MAX 1024

struct ids_lookup; // a query to the name services, in progress or answered

// A user, from its passwd entry.
struct ids_user {
        uid_t uid;
        gid_t gid;                 // primary group
        char *name, *home, *shell; // home and shell NULL: none
};

void ids_user_done(struct ids_user *user);
static inline void cleanup_ids_user(struct ids_user *user)
{
        ids_user_done(user);
}

enum ids_outcome {
        IDS_FOUND = 0,
        IDS_NEEDS_LOOKUP = 1, // ask with ids_lookup_new(), then call again with the answer
};

// lookup: NULL, or one that has been answered. IDS_FOUND and *ret; IDS_NEEDS_LOOKUP; -ESRCH: there
// is no such user (group); -ETIMEDOUT: the name services gave no answer; -ENOMEM. As with systemd,
// a number needs an entry, too. "root" and "nobody" are always known.
int ids_get_user(const char *name, struct ids_lookup *lookup, struct ids_user *ret);
int ids_get_group(const char *name, struct ids_lookup *lookup, gid_t *ret);
// All groups of a user, primary included (initgroups). *ret is allocated.
int ids_get_groups(const char *user_name, gid_t primary, struct ids_lookup *lookup, gid_t **ret,
                   size_t *ret_n);

// A query for a user (NULL: none) with its groups, and for groups (may be NULL). 0 or -ENOMEM.
int ids_lookup_new(const char *user, char *const *groups, struct ids_lookup **ret);
// The inquiry to launch and to wait for. Owned by the look-up.
struct inquiry *ids_lookup_inquiry(const struct ids_lookup *lookup);
void ids_lookup_free(
        struct ids_lookup *lookup); // NULL is fine; kills the process if it is still running
DEFINE_CLEANUP(ids_lookup, struct ids_lookup *, ids_lookup_free)

// For tests: other files than those of /etc. NULL: the default. Strings are borrowed.
void ids_set_files(const char *passwd, const char *group, const char *nsswitch);
const char *ids_passwd_file(void);
const char *ids_group_file(void);
const char *ids_nsswitch_file(void);
