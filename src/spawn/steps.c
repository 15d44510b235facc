// The table of steps, and the selection of those that a plan needs.
#include "spawn/step.h"

#define STEP(name, op, exit_status, flags) \
        {op, step_##name, step_##name##_compile, exit_status, flags},
#define STEP_ALWAYS(name, op, exit_status, flags) {op, step_##name, NULL, exit_status, flags},
static const struct step table[STEPS_MAX] = {
#include "spawn/steps.def"
};
#undef STEP
#undef STEP_ALWAYS

int plan_compile_steps(struct spawn_plan *plan)
{
        for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
                int r = table[i].compile ? table[i].compile(plan) : 1;

                if (r < 0)
                        return r;
                if (r == 0)
                        continue;
                plan->steps[plan->n_steps++] = &table[i];
                plan->needs |= table[i].flags;
        }
        return 0;
}
