// The session keyring of a service: keyrings(7), session-keyring(7), systemd.exec(5)
// (KeyringMode=). What is inherited would be the keyring that whoever started the supervisor had.
#include "spawn/step.h"
#include "spawn/sys.h"

#include <linux/keyctl.h>

#define KEY_NAME "invocation_id" // where systemd has it, too: 16 bytes
// The owner and whoever possesses the keyring may see, read and find it, and nobody may change it.
#define KEY_PERMISSIONS 0x0b0b0000u

// A kernel without keyrings, a container that is not to use them, or whose root is an ordinary user
// outside and has as few keys as one. What is left is the supervisor's own, which is empty, and
// which only its owner can change.
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

// As long as the process is root's, the keyring counts as root's: the 200 keys that any other user
// may have would end at the 200th connection. The service possesses it all the same.
CHILD_CODE int step_keyring(struct launch *l)
{
        long r = SYS_CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);

        if (r < 0)
                return is_not_there(r) ? 0 : (int)r;
        if (!l->has_invocation_id)
                return 0;
        r = SYS_CALL(SYS_add_key, "user", KEY_NAME, l->invocation_id, sizeof(l->invocation_id),
                     KEY_SPEC_SESSION_KEYRING);
        if (r > 0) // it is in the environment as well, whatever comes of this
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
