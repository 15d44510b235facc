// Steps for capabilities: the bounding set, what an ordinary user keeps, secure bits.
#include "spawn/step.h"
#include "spawn/sys.h"

#include <linux/capability.h>
#include <sys/prctl.h>

#define CAPABILITIES_MAX 64

struct capabilities {
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

CHILD_CODE static int get(struct capabilities *ret)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return (int)SYS_CALL(SYS_capget, &header, ret->data);
}

CHILD_CODE static int set(const struct capabilities *c)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return (int)SYS_CALL(SYS_capset, &header, c->data);
}

int step_bounding_set_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->capability_bounding_set != UINT64_MAX;
}

// CapabilityBoundingSet=: takes effect at the exec; until then the child can still set itself up.
CHILD_CODE int step_bounding_set(struct launch *l)
{
        uint64_t keep = l->plan->conf->exec->capability_bounding_set;
        struct capabilities c;

        for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
                if (keep & (UINT64_C(1) << i))
                        continue;
                int r = (int)SYS_CALL(SYS_prctl, PR_CAPBSET_READ, i, 0, 0, 0);

                if (r == -EINVAL)
                        break; // the kernel has no further ones
                if (r == 1)
                        r = (int)SYS_CALL(SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0);
                if (r < 0)
                        return r;
        }
        int r = get(&c);

        for (unsigned i = 0; r == 0 && i < _LINUX_CAPABILITY_U32S_3; i++)
                c.data[i].inheritable &= (uint32_t)(keep >> (32 * i));
        return r < 0 ? r : set(&c);
}

int step_ambient_set_compile(struct spawn_plan *plan)
{
        const struct exec_group *exec = plan->conf->exec;

        return (exec->ambient_capabilities & exec->capability_bounding_set) != 0;
}

int step_secure_bits_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->secure_bits != 0;
}

int step_keep_capabilities_compile(struct spawn_plan *plan)
{
        if (!plan->sets_uid)
                return 0;
        return step_ambient_set_compile(plan) || step_secure_bits_compile(plan);
}

// Runs before the change of user, which would otherwise clear all of them.
CHILD_CODE int step_keep_capabilities(struct launch *l)
{
        (void)l;
        return (int)SYS_CALL(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

// AmbientCapabilities=
CHILD_CODE int step_ambient_set(struct launch *l)
{
        const struct exec_group *exec = l->plan->conf->exec;
        uint64_t wanted = exec->ambient_capabilities & exec->capability_bounding_set;
        struct capabilities c;
        int r = get(&c);

        for (unsigned i = 0; r == 0 && i < _LINUX_CAPABILITY_U32S_3; i++)
                c.data[i].inheritable |= (uint32_t)(wanted >> (32 * i));
        if (r == 0)
                r = set(&c);
        for (unsigned i = 0; r == 0 && i < CAPABILITIES_MAX; i++)
                if (wanted & (UINT64_C(1) << i))
                        r = (int)SYS_CALL(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0);
        return r;
}

// SecureBits=. CAP_SETPCAP, which this needs, was kept over the change of user, and has to be made
// effective again; the exec takes it away.
CHILD_CODE int step_secure_bits(struct launch *l)
{
        struct capabilities c;
        int r = get(&c);

        if (r == 0) {
                c.data[CAP_TO_INDEX(CAP_SETPCAP)].effective |=
                        c.data[CAP_TO_INDEX(CAP_SETPCAP)].permitted & CAP_TO_MASK(CAP_SETPCAP);
                r = set(&c);
        }
        if (r < 0)
                return r;
        return (int)SYS_CALL(SYS_prctl, PR_SET_SECUREBITS, l->plan->conf->exec->secure_bits, 0, 0,
                             0);
}
