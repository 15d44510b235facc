// The session keyring of a service: keyrings(7), session-keyring(7), systemd.exec(5)
// (KeyringMode=). Otherwise a service would inherit the keyring of the user who started the
// supervisor.
#include "spawn/step.h"
#include "spawn/sys.h"

#include <linux/keyctl.h>

#define KEY_NAME "invocation_id" // the name that systemd uses; the value has 16 bytes
// The owner and any possessor of the keyring may view, read and search it; nobody may change it.
#define KEY_PERMISSIONS 0x0b0b0000u

// A kernel without keyrings, a container that may not use them, or one whose root is an ordinary
// user outside with that user's quota of keys. The process then keeps the supervisor's own keyring,
// which is empty and can be changed by its owner only.
static inline bool is_not_there(long r)
{
        return r == -ENOSYS || r == -EPERM || r == -EACCES || r == -EDQUOT;
}

static int keyring_mode(const struct spawn_plan *plan)
{
        int mode = plan->conf->exec->keyring_mode;

        if (mode != CHOICE_UNSET)
                return mode;
        return plan->conf->type == UNIT_SERVICE && !plan->settings->is_user ? KEYRING_PRIVATE
                                                                            : KEYRING_INHERIT;
}

int step_keyring_compile(struct spawn_plan *plan)
{
        return keyring_mode(plan) != KEYRING_INHERIT;
}

// Created while the process is still root, the keyring counts against root's quota: an ordinary
// user's quota of 200 keys would be used up by the 200th connection. The service possesses it all
// the same.
CHILD_CODE int step_keyring(struct launch *l)
{
        long r = SYS_CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

        if (r < 0)
                return is_not_there(r) ? 0 : (int)r;
        if (!l->has_invocation_id)
                return 0;
        r = SYS_CALL(SYS_add_key, "user", KEY_NAME, l->invocation_id, sizeof(l->invocation_id),
                     KEY_SPEC_SESSION_KEYRING);
        if (r > 0) // whatever the result: the id is in the environment as well
                (void)SYS_CALL(SYS_keyctl, KEYCTL_SETPERM, r, KEY_PERMISSIONS);
        return 0;
}

int step_user_keyring_compile(struct spawn_plan *plan)
{
        return keyring_mode(plan) == KEYRING_SHARED;
}

CHILD_CODE int step_user_keyring(struct launch *l UNUSED)
{
        long r = SYS_CALL(SYS_keyctl, KEYCTL_LINK, KEY_SPEC_USER_KEYRING, KEY_SPEC_SESSION_KEYRING);

        return r < 0 && !is_not_there(r) ? (int)r : 0;
}
