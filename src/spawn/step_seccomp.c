// The step that restricts system calls: the filters are compiled with the plan (spawn/filters.h),
// so that a child only loads them.
#include "spawn/filters.h"
#include "spawn/step.h"
#include "spawn/sys.h"

#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

int step_seccomp_compile(struct spawn_plan *plan)
{
        int r = filters_get(plan->conf, &plan->filters);

        if (r > 0 && plan->filters->ends_child)
                plan->needs |= STEP_OWN_MEMORY;
        return r;
}

CHILD_CODE static bool may_filter(void)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

        return SYS_CALL(SYS_capget, &header, data) == 0 &&
               (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

// Without CAP_SYS_ADMIN a filter is only for those who cannot gain privileges (systemd.exec(5),
// NoNewPrivileges=). The last step, since any call may be forbidden afterwards.
CHILD_CODE int step_seccomp(struct launch *l)
{
        const struct filter_set *set = l->plan->filters;
        int r = may_filter() ? 0 : (int)SYS_CALL(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

        for (size_t i = 0; r == 0 && i < set->n; i++)
                r = (int)SYS_CALL(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &set->programs[i],
                                  0, 0);
        return r;
}
