// Steps for attributes of a process that few services set: CPUs, execution domain, merging of equal
// pages, what a core file has.
#include "conf/enums.h"
#include "spawn/step.h"
#include "spawn/sys.h"

#include <sys/personality.h>
#include <sys/prctl.h>

#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67 // Linux 6.4
#endif

int step_cpu_affinity_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->cpu_affinity.size > 0;
}

CHILD_CODE int step_cpu_affinity(struct launch *l)
{
        const struct cpu_list *list = &l->plan->conf->exec->cpu_affinity;
        int r = (int)SYS_CALL(SYS_sched_setaffinity, 0, list->size, list->bytes);

        return r < 0 ? r : 0;
}

int step_personality_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->personality != CHOICE_UNSET;
}

CHILD_CODE int step_personality(struct launch *l)
{
        int r = (int)SYS_CALL(SYS_personality, l->plan->conf->exec->personality);

        return r < 0 ? r : 0;
}

int step_memory_ksm_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->memory_ksm >= 0;
}

// Kernels that cannot merge a whole process's pages are no failure, as with systemd.
CHILD_CODE int step_memory_ksm(struct launch *l)
{
        int r = (int)SYS_CALL(SYS_prctl, PR_SET_MEMORY_MERGE, l->plan->conf->exec->memory_ksm, 0, 0,
                              0);

        return r == -EINVAL || r == -EOPNOTSUPP || r == -ENOSYS ? 0 : r;
}

int step_core_filter_compile(struct spawn_plan *plan)
{
        return plan->conf->exec->coredump_filter != CORE_FILTER_UNSET;
}

CHILD_CODE int step_core_filter(struct launch *l)
{
        l->detail = "/proc/self/coredump_filter";
        return step_write_number(l->detail, (int)l->plan->conf->exec->coredump_filter);
}
