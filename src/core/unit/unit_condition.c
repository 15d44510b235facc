#include "base/clock.h"
#include "base/log.h"
#include "core/condition/condition.h"
#include "core/unit/manager.h"

#define CONDITION_TEXT_MAX 512

static void stamp(usec_t *t, usec_t *rt)
{
        *t = clock_now();
        *rt = clock_now_realtime();
}

static bool test(struct unit *u, const struct condition_list *list, const char *prefix, int level)
{
        const struct condition_context context = {.environment = u->manager->options.environment,
                                                  .is_user = u->manager->options.is_user};
        const struct condition *failed = NULL;
        char text[CONDITION_TEXT_MAX];
        enum condition_answer answer = condition_list_test(list, &context, &failed);

        if (answer == CONDITIONS_FAILED)
                log_unit(u->id, level, 0,
                         "%s was skipped because of an unmet condition check (%s).", u->id,
                         condition_format(failed, prefix, text, sizeof(text)));
        else if (answer == CONDITIONS_NO_TRIGGER)
                log_unit(u->id, level, 0,
                         "%s was skipped because no trigger condition checks were met.", u->id);
        return answer == CONDITIONS_HOLD;
}

enum unit_verdict unit_test_conditions(struct unit *u)
{
        const struct unit_group *g = u->conf->unit;

        stamp(&u->condition_time, &u->condition_time_rt);
        u->condition_result = test(u, &g->conditions, "Condition", LOG_NOTICE);
        unit_changed(u);
        if (!u->condition_result)
                return UNIT_SKIPPED;
        stamp(&u->assert_time, &u->assert_time_rt);
        u->assert_result = test(u, &g->asserts, "Assert", LOG_ERR);
        return u->assert_result ? UNIT_STARTED : UNIT_ASSERT;
}
