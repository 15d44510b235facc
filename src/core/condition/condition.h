// Condition*= and Assert*= (systemd.unit(5)): tests the system; decides nothing about units and
// does not log. A path or a name service may not answer, so these functions work under the rules of
// base/local.h. Called by core/unit/unit_condition.c.
#pragma once

#include "conf/types.h"

// The facts about the supervisor itself.
struct condition_context {
        char *const *environment;     // that services inherit: ConditionEnvironment=
        char *const *own_environment; // the supervisor's: where its credentials are
        bool is_user;
};

enum condition_answer {
        CONDITIONS_HOLD,
        CONDITIONS_FAILED,     // *ret_failed is the first that does not hold
        CONDITIONS_NO_TRIGGER, // none of those with | holds; *ret_failed is the last of these
};

// The result of one condition when it was last tested.
#define CONDITION_UNTESTED 0
#define CONDITION_MET 1
#define CONDITION_UNMET (-1)

// Tests the conditions in order, up to the first that decides that they do not hold. states: one
// entry for each.
void condition_list_test(const struct condition_list *list, const struct condition_context *context,
                         int8_t *states);
// All without | must hold, and at least one of those with |, if there are any. *ret_failed is
// written if they do not hold.
enum condition_answer condition_list_judge(const struct condition_list *list, const int8_t *states,
                                           const struct condition **ret_failed);
// Tests one of them, ! included: 1: it holds, 0: it does not, -errno: unknown (counts as 0). Public
// for tests.
int condition_test(const struct condition *c, const struct condition_context *context);
// Writes "ConditionPathExists=!/x" (prefix "Assert" for asserts) to buf; returns buf.
const char *condition_format(const struct condition *c, const char *prefix, char *buf, size_t size);
